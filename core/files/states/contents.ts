/**
 * Digests of files on disk, each with the stat key that vouches for it. One buffer serves all: nothing here keeps bytes.
 */
import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { type Digest, Sha256, sha256 } from '../../base/hash.ts';
import type { AbsPath } from '../../base/paths.ts';
import { isGone, lookThrough } from '../look.ts';
import type { FileClock } from './file-clock.ts';
import { isRacy, type StatKey, sameKey, statKey } from './stat-key.ts';

/** A digest and the key from before it was taken; `trusted` if an equal key will mean equal content. */
export interface Content {
  readonly key: StatKey;
  readonly digest: Digest;
  readonly trusted: boolean;
}

/** What stood at a place a moment ago. */
export interface Glimpse {
  readonly stats: Stats;
  /** The time by the clock that stamps files, before that. */
  readonly at: number;
}

/** A file that changes under each of so many readings is taken as last read, and not trusted. */
const READINGS = 4;
const CHUNK = 1 << 20;
let buffer: Buffer | undefined;

/**
 * Reads the file that `place` leads to. Undefined if there is no file, or none any more. Other system errors are thrown
 * as they are. Who has just looked at it says what was seen.
 */
export function readContent(place: AbsPath, clock: FileClock, seen?: Glimpse): Content | undefined {
  return settled(place, clock, ({ size }) => digestOf(place, size), seen);
}

/**
 * The same for who will look at the file once more before he relies on what it is now: a file that is changed while it is
 * read then has another key than the one given here, which no file will have again. So it is looked at only once, by who
 * says here what was seen.
 */
export function readSeen(place: AbsPath, clock: FileClock, seen: Glimpse): Content | undefined {
  const { stats, at } = seen;
  // Of a file that the system makes up while it is read the size says nothing.
  if (stats.size === 0 || stats.size > CHUNK) return readContent(place, clock, seen);
  const key = statKey(stats);
  const trusted = !isRacy(key, at) || clock.hasPassed?.(stats) === true;
  const read = opened(place, (file) => readAll(file, stats.size));
  return read?.length === stats.size ? { key, digest: read.digest, trusted } : readContent(place, clock);
}

/**
 * Does something with the content of the file that `place` leads to, again and again until the file did not change
 * meanwhile (at most four times). `read` gives the digest and the key it saw last, or undefined if the file is gone.
 */
export function settled(
  place: AbsPath,
  clock: FileClock,
  read: (before: Stats) => { readonly digest: Digest; readonly after: StatKey | undefined } | undefined,
  seen?: Glimpse,
): Content | undefined {
  for (let reading = 1; ; reading++) {
    const glimpse = reading === 1 ? seen : undefined;
    const at = glimpse?.at ?? clock();
    const before = glimpse?.stats ?? lookThrough(place);
    if (before === undefined || !before.isFile()) return undefined;
    const key = statKey(before);
    // Before it is read: what is changed later must be seen to be.
    const isOld = !isRacy(key, at) || clock.hasPassed?.(before) === true;
    const result = read(before);
    if (result === undefined) return undefined;
    const stable = result.after !== undefined && sameKey(result.after, before);
    if (stable || reading === READINGS) return { key, digest: result.digest, trusted: stable && isOld };
  }
}

function digestOf(place: AbsPath, size: number): { digest: Digest; after: StatKey | undefined } | undefined {
  return opened(place, (file) => {
    const { digest, length } = readAll(file, size);
    const after = fstatSync(file);
    // Of a file that the system makes up while it is read neither size nor times say anything.
    return { digest, after: after.size === length ? statKey(after) : undefined };
  });
}

/** Does something with the open file; undefined if it is gone. */
function opened<T>(place: AbsPath, read: (file: number) => T): T | undefined {
  let file: number | undefined;
  try {
    file = openSync(place, 'r');
    return read(file);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** What has the size it should is read to there. */
function readAll(file: number, size: number): { readonly digest: Digest; readonly length: number } {
  buffer ??= Buffer.allocUnsafeSlow(CHUNK);
  if (size > 0 && size <= CHUNK) {
    const length = fill(file, buffer, size);
    return { digest: sha256(buffer.subarray(0, length)), length };
  }
  const hash = new Sha256();
  let length = 0;
  for (let count = fill(file, buffer, CHUNK); count > 0; count = fill(file, buffer, CHUNK)) {
    hash.update(buffer.subarray(0, count));
    length += count;
  }
  return { digest: hash.digest(), length };
}

/** Reads `count` bytes, or what is left of the file. */
function fill(file: number, into: Buffer, count: number): number {
  let filled = 0;
  while (filled < count) {
    const read = readSync(file, into, filled, count - filled, null);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}
