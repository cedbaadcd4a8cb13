/** JSON as people write it in configuration files: with comments and trailing commas. */

import { parseJson } from './json.ts';

const STRING_OR_COMMENT = /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
const STRING_OR_TRAILING_COMMA = /("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g;

/** Throws like `JSON.parse`. */
export function parseJsonc(text: string): unknown {
  const plain = text
    .replace(/^\uFEFF/, '')
    .replace(STRING_OR_COMMENT, '$1')
    .replace(STRING_OR_TRAILING_COMMA, '$1');
  return parseJson(plain);
}
