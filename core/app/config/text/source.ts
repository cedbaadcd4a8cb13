/** Configuration files as they lie on disk: finding, reading and parsing them. Knows nothing of what they should say. */
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { ConfigErrors, FlecheError, messageOf, systemCode } from '../../../base/errors.ts';
import { type AbsPath, escapes, toAbs, toRel } from '../../../base/paths.ts';
import type { Table } from '../../../base/table.ts';
import { Positions } from './positions.ts';

/** The name of a project's configuration. */
export const CONFIG_FILE = 'fleche.config.toml';

/** A file that was read and is TOML. */
export interface Source {
  readonly file: AbsPath;
  readonly table: Table;
  readonly positions: Positions;
}

/** Reads a file; undefined if it is not there. Throws `ConfigErrors` (`CONFIG_SYNTAX`) if it is no TOML, or not readable. */
export function readSource(file: AbsPath): Source | undefined {
  const text = readText(file);
  if (text === undefined) return undefined;
  try {
    return { file, table: parse(text), positions: new Positions(file, text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [message = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw syntaxError(message, { file, line: error.line, column: error.column });
  }
}

function readText(file: AbsPath): string | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw new FlecheError('CONFIG_INVALID', `${file} cannot be read: ${messageOf(error)}`, {
      hint: 'Make the file readable, or move it away.',
      cause: error,
    });
  }
  if (!isUtf8(bytes)) throw syntaxError('the file is not UTF-8', { file, line: 1, column: 1 });
  // A byte order mark is no part of the text.
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function syntaxError(message: string, at: FlecheError['at']): ConfigErrors {
  const hint = 'The file must be TOML in UTF-8, see https://toml.io.';
  return new ConfigErrors([new FlecheError('CONFIG_SYNTAX', message, { at, hint })]);
}

/**
 * The folder and those above it, nearest first, up to and including `home` if the folder lies in it, else up to the root
 * of the file system.
 */
export function* foldersUpward(from: AbsPath, home: AbsPath): Iterable<AbsPath> {
  const isInHome = !escapes(toRel(home, from));
  for (let folder = from; ; folder = toAbs(folder, '..')) {
    yield folder;
    if ((isInHome && folder === home) || dirname(folder) === folder) return;
  }
}

/** Where the user-wide file of caches is. An `xdgConfigHome` that is not absolute is ignored, as its specification asks. */
export function userFile(home: AbsPath, xdgConfigHome: string | undefined): AbsPath {
  const isUsable = xdgConfigHome !== undefined && isAbsolute(xdgConfigHome);
  return toAbs(isUsable ? xdgConfigHome : join(home, '.config'), 'fleche/cache.toml');
}
