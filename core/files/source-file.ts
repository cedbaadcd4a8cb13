/** The file a function is written in: where it is, what it is called in keys, and its content. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Digest, sha256 } from '../base/hash.ts';
import { toRel } from '../base/paths.ts';

/** Digest of a file's bytes. */
export function fileDigest(file: string): Digest {
  return sha256(readFileSync(file));
}

const ROOT_MARKS = ['fleche.config.toml', '.git', 'package.json'];

/** Module path relative to the project root: the nearest folder upward with a configuration, a repository or a manifest. */
export function modulePath(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (ROOT_MARKS.some((mark) => existsSync(join(folder, mark)))) return toRel(folder, file);
    if (dirname(folder) === folder) return toRel(dirname(file), file);
  }
}

/** The file that called the function which `skip` is, as the runtime names it; undefined in a REPL or evaluated code. */
export function callerFile(skip: (...args: never[]) => unknown): string | undefined {
  const prepare = Error.prepareStackTrace;
  const holder: { stack?: unknown } = {};
  try {
    Error.prepareStackTrace = (_, sites) => sites[0]?.getFileName() ?? undefined;
    Error.captureStackTrace(holder, skip);
    const file = holder.stack;
    if (typeof file !== 'string') return undefined;
    const path = file.startsWith('file:') ? fileURLToPath(file.replace(/[?#].*$/, '')) : file;
    return existsSync(path) ? path : undefined;
  } finally {
    Error.prepareStackTrace = prepare;
  }
}
