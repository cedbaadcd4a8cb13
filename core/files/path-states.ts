/**
 * What is remembered of paths on disk, and how a list of it is packed into bytes. A packed list is read back on the
 * machine that wrote it: numbers are in its byte order. Bytes of another version or length read as none; that they are
 * the bytes that were put is for the store to see to. Knows nothing of disks.
 */
import type { Digest } from '../base/hash.ts';
import type { RelPath } from '../base/paths.ts';
import type { StatKey } from './stat-key.ts';

/** `dir` is a folder that was read, or an empty one; `absent` is a path where nothing stood. */
export type PathKind = 'file' | 'link' | 'dir' | 'absent';

export interface PathState {
  readonly path: RelPath;
  readonly kind: PathKind;
  /** As it was before `digest` was taken, of a link that of what it leads to; null if nothing was taken. */
  readonly key: StatKey | null;
  /** Of a file's content, of what a link leads to, of the names in a folder; null if unknown. */
  readonly digest: Digest | null;
  /** Whether an equal key means equal content. */
  readonly trusted: boolean;
  /** Text of a link, else empty. */
  readonly target: string;
}

/** The state of a path of which no more is known than what stands there. */
export function stateOf(path: RelPath, kind: PathKind, target = ''): PathState {
  return { path, kind, key: null, digest: null, trusted: false, target };
}

/** `now`, or `before` if it says the same, so that what did not change can be told by identity. */
export function kept(before: PathState | undefined, now: PathState): PathState {
  const same =
    before !== undefined &&
    before.kind === now.kind &&
    before.digest === now.digest &&
    before.trusted === now.trusted &&
    before.target === now.target &&
    isEqualKey(before.key, now.key);
  return same ? before : now;
}

function isEqualKey(a: StatKey | null, b: StatKey | null): boolean {
  if (a === null || b === null) return a === b;
  return a.size === b.size && a.mtime === b.mtime && a.ctime === b.ctime && a.ino === b.ino && a.mode === b.mode;
}

/** A packed list and the remark it was packed with. */
export interface PackedStates {
  readonly states: readonly PathState[];
  /** A whole number from 0 to 2^32 - 1, for the owner of the list. */
  readonly remark: number;
}

const KINDS: readonly PathKind[] = ['file', 'link', 'dir', 'absent'];
/** Read in the other byte order this is another number. */
const FORMAT = 0xf1_ec_00_01;
const NUMBERS = 5;
const HAS_KEY = 8;
const HAS_DIGEST = 16;
const TRUSTED = 32;
const HEADER_END = 16;

/**
 * Layout: format, count, remark, size of the text (4 × uint32); stat keys (5 doubles each); kind and flags (1 byte each);
 * digests (32 bytes each); text: path and target of each, ended by NUL, in UTF-8.
 */
export function packStates(states: readonly PathState[], remark: number): Uint8Array {
  let text = '';
  for (const state of states) text += `${state.path}\0${state.target}\0`;
  const count = states.length;
  const flagsAt = HEADER_END + count * NUMBERS * 8;
  const digestsAt = flagsAt + count;
  const textAt = digestsAt + count * 32;
  const bytes = Buffer.alloc(textAt + Buffer.byteLength(text));
  new Uint32Array(bytes.buffer, bytes.byteOffset, 4).set([FORMAT, count, remark, bytes.length - textAt]);
  const numbers = new Float64Array(bytes.buffer, bytes.byteOffset + HEADER_END, count * NUMBERS);
  for (const [at, { kind, key, digest, trusted }] of states.entries()) {
    if (key !== null) numbers.set([key.size, key.mtime, key.ctime, key.ino, key.mode], at * NUMBERS);
    if (digest !== null) bytes.write(digest, digestsAt + at * 32, 'hex');
    bytes[flagsAt + at] =
      KINDS.indexOf(kind) | (key === null ? 0 : HAS_KEY) | (digest === null ? 0 : HAS_DIGEST) | (trusted ? TRUSTED : 0);
  }
  bytes.write(text, textAt, 'utf8');
  return bytes;
}

/** The list that was packed, or undefined for bytes that are no such list. */
export function unpackStates(packed: Uint8Array): PackedStates | undefined {
  // A copy, because the numbers must be aligned and the bytes of a store may be a view on anything.
  const bytes = Buffer.from(new Uint8Array(packed).buffer);
  if (bytes.length < HEADER_END) return undefined;
  const [format, count = 0, remark = 0, textLength = 0] = new Uint32Array(bytes.buffer, 0, 4);
  const flagsAt = HEADER_END + count * NUMBERS * 8;
  const digestsAt = flagsAt + count;
  const textAt = digestsAt + count * 32;
  if (format !== FORMAT || bytes.length !== textAt + textLength) return undefined;
  const numbers = new Float64Array(bytes.buffer, HEADER_END, count * NUMBERS);
  const digests = bytes.toString('hex', digestsAt, textAt);
  const texts = bytes.toString('utf8', textAt).split('\0');
  const states: PathState[] = [];
  for (let at = 0; at < count; at++) {
    const flags = bytes[flagsAt + at] ?? 0;
    states.push({
      path: (texts[at * 2] ?? '') as RelPath,
      kind: KINDS[flags & 3] ?? 'absent',
      key: flags & HAS_KEY ? keyAt(numbers, at * NUMBERS) : null,
      digest: flags & HAS_DIGEST ? (digests.slice(at * 64, at * 64 + 64) as Digest) : null,
      trusted: (flags & TRUSTED) !== 0,
      target: texts[at * 2 + 1] ?? '',
    });
  }
  return { states, remark };
}

function keyAt(numbers: Float64Array, at: number): StatKey {
  const [size = 0, mtime = 0, ctime = 0, ino = 0, mode = 0] = numbers.subarray(at, at + NUMBERS);
  return { size, mtime, ctime, ino, mode };
}
