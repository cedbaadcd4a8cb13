/**
 * What plugins look at on this machine: files, folders, names that are near a file, environment values. Contents are
 * read once for each state of a file within a process. Everything is said as of the moment of the question.
 */
import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { type Digest, digest, sha256 } from '../core/index.ts';

/** Two changes of a file within so many ms may leave it with one time stamp. */
const GRAIN = 50;
const ABSENT = digest('absent');
const NO_NAMES: readonly string[] = [];
/** What all modules of a folder share is looked at once in so many ms, or for a small share of the time if that takes long. */
const MOMENT = 50;
const SHARE = 1 / 200;
const LONGEST_MOMENT = 500;
/** More entries than this are no input of a module. */
const MOST_ENTRIES = 20_000;

interface Known {
  readonly stamp: string;
  readonly digest: Digest;
}

/** The working folder of the process. */
export function workingFolder(): string {
  return resolve('.');
}

/** An environment value; undefined if it is not set. */
export function environmentValue(name: string): string | undefined {
  return process.env[name];
}

/** The environment variables that begin with `prefix`, sorted by name. */
export function environmentValues(prefix: string): readonly (readonly [name: string, value: string | undefined])[] {
  const names = Object.keys(process.env).filter((name) => name.startsWith(prefix));
  return names.sort().map((name) => [name, process.env[name]]);
}

/** A digest of lists of texts, of one hash instead of one for each. */
export function textDigest(lists: readonly unknown[]): Digest {
  return sha256(JSON.stringify(lists));
}

/** ms since the epoch. */
export function now(): number {
  return Date.now();
}

const endings = new Set<() => void>();
let watching = false;

/** Has something done when the process ends, before stores that are open are closed. */
export function atExit(act: () => void): void {
  endings.add(act);
  if (watching) return;
  watching = true;
  process.prependListener('exit', () => {
    for (const end of endings) end();
  });
}

/** Takes back what was to be done then. */
export function notAtExit(act: () => void): void {
  endings.delete(act);
}

/** `path` as seen from `root`, with `/`; what lies on another drive stays absolute. */
export function relativeTo(root: string, path: string): string {
  if (sep === '/' && path.startsWith(`${root}/`) && !/\/\.{0,2}(?:\/|$)/.test(path)) return path.slice(root.length + 1);
  const found = relative(root, path);
  if (isAbsolute(found)) return found.split(sep).join('/');
  return found === '' ? '.' : found.split(sep).join('/');
}

/** The state of the file system, with a memory for contents. */
export class Machine {
  readonly #contents = new Map<string, Known>();
  readonly #names = new Map<string, { readonly stamp: string; readonly names: readonly string[] }>();
  /** With the time until which it counts. */
  readonly #recent = new Map<string, { readonly found: unknown; readonly until: number }>();

  /** SHA-256 of a file, a digest of everything in a folder, or of the fact that there is nothing. */
  content(path: string): Digest {
    return this.#content(path, { left: MOST_ENTRIES });
  }

  #content(path: string, budget: { left: number }): Digest {
    const stats = statOf(path);
    if (stats === undefined) return ABSENT;
    if (!stats.isDirectory()) return this.#file(path, stats);
    const names = this.#listing(path, stats);
    budget.left -= names.length;
    if (budget.left < 0) throw new Error(`${path} has too many files`);
    return textDigest(['folder', ...names.map((name) => [name, this.#content(`${path}${sep}${name}`, budget)])]);
  }

  #file(path: string, stats: Stats): Digest {
    const stamp = stampOf(stats);
    const known = this.#contents.get(path);
    if (known?.stamp === stamp) return known.digest;
    const found = sha256(readFileSync(path));
    if (isSettled(stats)) this.#contents.set(path, { stamp, digest: found });
    return found;
  }

  /** SHA-256 of a file; undefined if there is no file at this path. */
  fileContent(path: string): Digest | undefined {
    const stats = statOf(path);
    return stats?.isFile() === true ? this.#file(path, stats) : undefined;
  }

  /** Whether there is a file at this path. */
  hasFile(path: string): boolean {
    return statOf(path)?.isFile() === true;
  }

  /** The names in a folder and what kind each is of, or that there is no folder. */
  listing(path: string): Digest {
    const stats = statOf(path);
    if (stats?.isDirectory() !== true) return ABSENT;
    const names = this.#listing(path, stats);
    return textDigest(names.map((name) => [name, statOf(join(path, name))?.isDirectory() === true]));
  }

  /** The sorted names in a folder; none if there is no folder. The same list as long as the folder is as it was. */
  names(path: string): readonly string[] {
    const stats = statOf(path);
    return stats?.isDirectory() === true ? this.#listing(path, stats) : NO_NAMES;
  }

  #listing(path: string, stats: Stats): readonly string[] {
    const stamp = stampOf(stats);
    const known = this.#names.get(path);
    if (known?.stamp === stamp) return known.names;
    const names = readdirSync(path).sort();
    if (isSettled(stats)) this.#names.set(path, { stamp, names });
    return names;
  }

  /**
   * The names that an import of this file without its extension could lead to: what lies beside it under the same stem,
   * and for an index file, beside its folder.
   */
  namesakes(path: string): Digest {
    const folder = dirname(path);
    const stem = stemOf(basename(path));
    const beside = this.#withStem(folder, stem);
    const above = stem === 'index' ? this.#withStem(dirname(folder), basename(folder)) : [];
    return textDigest([beside, above]);
  }

  #withStem(folder: string, stem: string): readonly string[] {
    return this.names(folder).filter((name) => stemOf(name) === stem);
  }

  /** What was found a moment ago under a name that is unique in this process, or is found now. */
  recently<T>(name: string, find: () => T): T {
    const time = performance.now();
    const recent = this.#recent.get(name);
    if (recent !== undefined && time < recent.until) return recent.found as T;
    const found = find();
    const after = performance.now();
    const moment = Math.min(Math.max(MOMENT, (after - time) / SHARE), LONGEST_MOMENT);
    this.#recent.set(name, { found, until: after + moment });
    return found;
  }

  /** Forgets what was seen a moment ago. */
  renew(): void {
    this.#recent.clear();
  }

  /** Whether something at this path may have changed at or after `time`, ms since the epoch. */
  changedSince(path: string, time: number): boolean {
    const stats = statOf(path);
    return stats !== undefined && stats.ctimeMs > time - CLOCK_STEP;
  }
}

/** File systems stamp with a coarser clock than the process reads, ms. */
const CLOCK_STEP = 12;

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // A path through a file, or one that may not be read, leads to nothing.
    return undefined;
  }
}

function stampOf({ mtimeMs, ctimeMs, size, ino }: Stats): string {
  return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
}

/** Whether a further change would show in the time stamps. */
function isSettled({ mtimeMs, ctimeMs }: Stats): boolean {
  return Math.max(mtimeMs, ctimeMs) < now() - GRAIN;
}

/** A name up to its first dot, leading ones apart. */
function stemOf(name: string): string {
  const dot = name.indexOf('.', 1);
  return dot < 0 ? name : name.slice(0, dot);
}

/** The text of a file; undefined if it cannot be read. */
export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
