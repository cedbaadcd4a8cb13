/**
 * The one place that loads a YAML parser: for lock files that are YAML, when one is read. In a build it is a file of its
 * own, so that nobody else pays for it.
 */
import { createRequire } from 'node:module';

type Parser = Pick<typeof import('js-yaml'), 'loadAll' | 'FAILSAFE_SCHEMA'>;

declare const FLECHE_YAML: string | undefined;

let parser: Parser | undefined;

/** The documents in a text; every scalar stays a text. Throws what the parser throws if it is not YAML. */
export function parseYaml(text: string): readonly unknown[] {
  parser ??= createRequire(import.meta.url)(typeof FLECHE_YAML === 'string' ? FLECHE_YAML : 'js-yaml') as Parser;
  return parser.loadAll(text, { schema: parser.FAILSAFE_SCHEMA });
}
