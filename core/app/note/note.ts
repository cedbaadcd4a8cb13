/**
 * A note that a run with nothing to do leaves: what it was asked, all that it looked at to come to its end, and what it
 * printed. Who is asked the same and sees the same when he looks again would come to the same end. The form at rest, and
 * nothing else: knows no disks, and does not know whether a note still holds.
 *
 * At rest: a line with the SHA-256 of all that follows; a line of JSON (`Head`); stat keys, 5 doubles each, in the order of
 * this machine; paths and other texts in UTF-8, each ended by NUL. The keys of what changed last come first.
 */
import { sha256 } from '../../base/hash.ts';
import type { StatKey } from '../../files/states/stat-key.ts';

/** What the file system was asked, and what it answered. Paths are as they were given to it. */
export interface Looks {
  /** What stood at paths themselves; undefined for nothing. */
  readonly itself: ReadonlyMap<string, StatKey | undefined>;
  /** What paths led to when links were followed. A file that was read, and a folder that was listed, are among these. */
  readonly through: ReadonlyMap<string, StatKey | undefined>;
  /** Whether paths led anywhere. */
  readonly presence: ReadonlyMap<string, boolean>;
  /** Texts of links. */
  readonly links: ReadonlyMap<string, string>;
  /** Where paths led in the end. */
  readonly ends: ReadonlyMap<string, string>;
}

export interface Head {
  /** Digest of the question (`question.ts`), and the environment variables it is of; null for all there are. */
  readonly question: string;
  readonly names: readonly string[] | null;
  readonly root: string;
  /** The data file of the cache, and the moment of it that was looked at (`store/lmdb/lmdb-moment.ts`). */
  readonly database: string;
  readonly moment: string;
  /** Where it is noted how runs went, and what is noted of this one. */
  readonly runs: string;
  readonly cached: number;
  readonly saved: number;
  /** What was printed before and after the time it took, and whether that is written as a number of ms. */
  readonly before: string;
  readonly after: string;
  readonly isNumber: boolean;
}

/** A note as it is read: its looks are lists in `texts`, as long as `counts` says, the first two with a key each. */
export interface PackedNote {
  readonly head: Head;
  readonly counts: Counts;
  readonly keys: Float64Array;
  readonly texts: readonly string[];
}

/** Paths with keys, without and with following links; the same of paths where nothing was; then the rest of `Looks`. */
export interface Counts {
  readonly itself: number;
  readonly through: number;
  readonly noneItself: number;
  readonly noneThrough: number;
  readonly absent: number;
  readonly present: number;
  readonly links: number;
  readonly ends: number;
}

/** Numbers of a key. */
export const NUMBERS = 5;
/** Stands before a path that is not below the root. */
const ELSEWHERE = '\u0001';

export function packNote(head: Head, looks: Looks): Buffer {
  const itself = keyed(looks.itself);
  const through = keyed(looks.through);
  const lists = {
    itself: itself.map(([path]) => path),
    through: through.map(([path]) => path),
    noneItself: without(looks.itself),
    noneThrough: without(looks.through),
    absent: [...looks.presence].flatMap(([path, isThere]) => (isThere ? [] : [path])),
    present: [...looks.presence].flatMap(([path, isThere]) => (isThere ? [path] : [])),
    links: [...looks.links.keys()],
    ends: [...looks.ends.keys()],
  };
  const counts = Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list.length]));
  const numbers = [...itself, ...through].flatMap(([, { size, mtime, ctime, ino, mode }]) => [
    size,
    mtime,
    ctime,
    ino,
    mode,
  ]);
  const paths = Object.values(lists).flatMap((list) => list.map((path) => shortened(path, head.root)));
  const texts = [...paths, ...looks.links.values(), ...looks.ends.values()];
  const rest = Buffer.concat([
    Buffer.from(`${JSON.stringify({ ...head, counts })}\n`),
    Buffer.from(Float64Array.from(numbers).buffer),
    Buffer.from(texts.map((text) => `${text}\0`).join('')),
  ]);
  return Buffer.concat([Buffer.from(`${sha256(rest)}\n`), rest]);
}

type Keyed = readonly [path: string, key: StatKey];

/** What changed last is likely to change next. */
function keyed(found: Looks['itself']): readonly Keyed[] {
  const known = [...found].flatMap(([path, key]): readonly Keyed[] => (key === undefined ? [] : [[path, key]]));
  return known.sort(([, a], [, b]) => b.ctime - a.ctime);
}

function without(found: Looks['itself']): readonly string[] {
  return [...found].flatMap(([path, key]) => (key === undefined ? [path] : []));
}

function shortened(path: string, root: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : ELSEWHERE + path;
}

/** The path that a text of a note stands for. */
export function pathIn(root: string, text: string): string {
  return text.startsWith(ELSEWHERE) ? text.slice(1) : `${root}/${text}`;
}

const DIGEST_LENGTH = 64;

/** Undefined for bytes that are no whole note. */
export function unpackNote(bytes: Buffer): PackedNote | undefined {
  const rest = bytes.subarray(DIGEST_LENGTH + 1);
  if (bytes.toString('latin1', 0, DIGEST_LENGTH + 1) !== `${sha256(rest)}\n`) return undefined;
  const end = rest.indexOf('\n');
  const { counts, ...head } = JSON.parse(rest.toString('utf8', 0, end)) as Head & { readonly counts: Counts };
  const keys = new Float64Array((counts.itself + counts.through) * NUMBERS);
  const textAt = end + 1 + keys.byteLength;
  new Uint8Array(keys.buffer).set(rest.subarray(end + 1, textAt));
  return { head, counts, keys, texts: rest.toString('utf8', textAt).split('\0') };
}
