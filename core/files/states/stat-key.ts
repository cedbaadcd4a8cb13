/**
 * What tells, without reading a file, that it is still the one that was read. The key is taken before the reading, so a
 * file that changes meanwhile has another key afterwards. Knows nothing of contents.
 */
import type { Stats } from 'node:fs';

/** Times in ms since the epoch, as fine as a double holds them (a quarter of a microsecond). */
export interface StatKey {
  readonly size: number;
  readonly mtime: number;
  readonly ctime: number;
  readonly ino: number;
  readonly mode: number;
}

/** Kernels stamp files by a clock that ticks every 1 to 10 ms. */
const GRAIN = 20;
/** FAT counts in steps of 2 s, some network and older file systems in seconds. */
const COARSE_GRAIN = 2000;

export function statKey(stats: Stats): StatKey {
  return { size: stats.size, mtime: stats.mtimeMs, ctime: stats.ctimeMs, ino: stats.ino, mode: stats.mode };
}

/** Whether `stats` are of the file the key was taken of, unchanged as far as its times can tell. */
export function sameKey(key: StatKey, stats: Stats): boolean {
  return (
    key.mtime === stats.mtimeMs &&
    key.ctime === stats.ctimeMs &&
    key.size === stats.size &&
    key.ino === stats.ino &&
    key.mode === stats.mode
  );
}

/**
 * Whether the file might still be written within the tick of its own time stamps, so that its next version could have
 * the same key. `at` is when the key was taken, or any moment before that. A time in the future is always racy.
 */
export function isRacy(key: StatKey, at: number): boolean {
  const wholeSeconds = key.mtime % 1000 === 0 && key.ctime % 1000 === 0;
  return Math.max(key.mtime, key.ctime) >= at - (wholeSeconds ? COARSE_GRAIN : GRAIN);
}

/** Whether the owner may execute the file. */
export function isExecutable(key: StatKey): boolean {
  return (key.mode & 0o100) !== 0;
}
