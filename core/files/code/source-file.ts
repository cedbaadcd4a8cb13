/** The file a function is written in: where it is, what it is called in keys, and its content. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Digest, sha256 } from '../../base/hash.ts';
import { type AbsPath, type RelPath, toRel } from '../../base/paths.ts';

/** Digest of a file's bytes. */
export function fileDigest(file: string): Digest {
  return sha256(readFileSync(file));
}

const ROOT_MARKS = ['fleche.config.toml', '.git', 'package.json'];

/**
 * The root of the project that a file (absolute) belongs to: the nearest folder upward with a configuration, a repository
 * or a manifest; its own folder where there is none.
 */
export function projectRoot(file: string): AbsPath {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (ROOT_MARKS.some((mark) => existsSync(join(folder, mark)))) return folder as AbsPath;
    if (dirname(folder) === folder) return dirname(file) as AbsPath;
  }
}

/** Module path relative to the project root. */
export function modulePath(file: string): RelPath {
  return toRel(projectRoot(file), file);
}

/** Where a call stands. */
export interface SourceSite {
  /** Absolute path of the file. */
  readonly file: string;
  /** How the runtime names the loaded module: another name for the same file means that it was loaded anew. */
  readonly id: string;
}

/** What compilers may put between a decorator and the place where it is written. */
const COMPILER_HELPERS = /[\\/]tslib[\\/]/;
const FRAMES = 5;

/** The place that called the function which `skip` is; undefined in a REPL or evaluated code. */
export function callerSite(skip: (...args: never[]) => unknown): SourceSite | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = FRAMES;
    Error.prepareStackTrace = (_, sites) =>
      sites.map((site) => site.getFileName() ?? '').find((name) => !COMPILER_HELPERS.test(name));
    Error.captureStackTrace(holder, skip);
    const id = holder.stack;
    if (typeof id !== 'string') return undefined;
    const file = id.startsWith('file:') ? fileURLToPath(id.replace(/[?#].*$/, '')) : id;
    return existsSync(file) ? { file, id } : undefined;
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
