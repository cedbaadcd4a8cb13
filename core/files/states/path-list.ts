/**
 * A list of what is remembered of paths, in memory or packed into bytes. Of a packed list only those states become
 * objects that are asked for one by one: an unchanged workspace needs none of them. A packed list is read back on the
 * machine that wrote it: numbers are in its byte order. Bytes of another version or length read as none; that they are
 * the bytes that were put is for the store to see to. Knows nothing of disks.
 */
import type { Stats } from 'node:fs';
import type { Digest } from '../../base/hash.ts';
import { placeAmong } from '../../base/order.ts';
import type { RelPath } from '../../base/paths.ts';
import type { PathKind, PathState } from './path-states.ts';
import { sameKey } from './stat-key.ts';

export interface PathList extends Iterable<PathState> {
  readonly length: number;
  /** Of a place from 0 to `length` - 1, like the places below. */
  path(at: number): RelPath;
  kind(at: number): PathKind;
  /** The same object whenever it is asked for. */
  get(at: number): PathState;
  /** Whether `stats` are of the file at this place and vouch for its content; false for what is no file. */
  isSame(at: number, stats: Stats): boolean;
}

export function listOf(states: readonly PathState[]): PathList {
  return new ArrayList(states);
}

class ArrayList implements PathList {
  readonly #states: readonly PathState[];

  constructor(states: readonly PathState[]) {
    this.#states = states;
  }

  get length(): number {
    return this.#states.length;
  }

  get(at: number): PathState {
    const state = this.#states[at];
    if (state === undefined) throw new RangeError(`no state ${at}`);
    return state;
  }

  path(at: number): RelPath {
    return this.get(at).path;
  }

  kind(at: number): PathKind {
    return this.get(at).kind;
  }

  isSame(at: number, stats: Stats): boolean {
    const { kind, trusted, key } = this.get(at);
    return kind === 'file' && trusted && key !== null && sameKey(key, stats);
  }

  [Symbol.iterator](): Iterator<PathState> {
    return this.#states[Symbol.iterator]();
  }
}

/** The place of a path in a list that is sorted by path, or -1. */
export function placeIn(list: PathList, path: RelPath): number {
  return placeAmong(list.length, (at) => list.path(at), path);
}

/** A packed list, in parts that share what they were packed into, and the remark it was packed with. */
interface PackedStates {
  readonly length: number;
  /** The states from one place up to, but without, another. */
  part(from: number, to: number): PathList;
  readonly remark: Uint8Array;
}

const KINDS: readonly PathKind[] = ['file', 'link', 'dir', 'absent'];
/** Read in the other byte order this is another number. */
const FORMAT = 0xf1_ec_00_02;
const NUMBERS = 5;
const KIND = 3;
const HAS_TARGET = 4;
const HAS_KEY = 8;
const HAS_DIGEST = 16;
const TRUSTED = 32;
/** The flags of a file whose content a key vouches for. */
const VOUCHED = HAS_KEY | HAS_DIGEST | TRUSTED;
const HEADER_END = 16;

/**
 * Layout: format, count, size of the remark, size of the text (4 × uint32); stat keys (5 doubles each); kind and flags
 * (1 byte each); digests (32 bytes each); text in UTF-8: all paths, then those targets that are not empty, each ended by
 * NUL; remark.
 */
export function packStates(states: readonly PathState[], remark: Uint8Array): Uint8Array {
  let text = '';
  for (const { path } of states) text += `${path}\0`;
  for (const { target } of states) if (target !== '') text += `${target}\0`;
  const count = states.length;
  const { flagsAt, digestsAt, textAt } = layoutOf(count);
  const textLength = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(textAt + textLength + remark.length).fill(0, 0, textAt);
  new Uint32Array(bytes.buffer, bytes.byteOffset, 4).set([FORMAT, count, remark.length, textLength]);
  const numbers = new Float64Array(bytes.buffer, bytes.byteOffset + HEADER_END, count * NUMBERS);
  let at = 0;
  for (const { kind, key, digest, trusted, target } of states) {
    if (key !== null) numbers.set([key.size, key.mtime, key.ctime, key.ino, key.mode], at * NUMBERS);
    if (digest !== null) bytes.write(digest, digestsAt + at * 32, 'hex');
    bytes[flagsAt + at] =
      KINDS.indexOf(kind) |
      (target === '' ? 0 : HAS_TARGET) |
      (key === null ? 0 : HAS_KEY) |
      (digest === null ? 0 : HAS_DIGEST) |
      (trusted ? TRUSTED : 0);
    at++;
  }
  bytes.write(text, textAt, 'utf8');
  bytes.set(remark, textAt + textLength);
  return bytes;
}

function layoutOf(count: number): { readonly flagsAt: number; readonly digestsAt: number; readonly textAt: number } {
  const flagsAt = HEADER_END + count * NUMBERS * 8;
  return { flagsAt, digestsAt: flagsAt + count, textAt: flagsAt + count * 33 };
}

/** The list that was packed, or undefined for bytes that are no such list. The bytes must stay as they are. */
export function unpackStates(packed: Uint8Array): PackedStates | undefined {
  // Numbers must be aligned, and the bytes of a store may be a view on anything.
  const aligned = packed.byteOffset % 8 === 0 ? packed : new Uint8Array(packed);
  const bytes = Buffer.from(aligned.buffer, aligned.byteOffset, aligned.length);
  if (bytes.length < HEADER_END) return undefined;
  const [format, count = 0, remarkLength = 0, textLength = 0] = new Uint32Array(bytes.buffer, bytes.byteOffset, 4);
  const textEnd = layoutOf(count).textAt + textLength;
  if (format !== FORMAT || bytes.length !== textEnd + remarkLength) return undefined;
  const pack = new Pack(bytes, count, textEnd);
  return {
    length: count,
    part: (from, to) => new PackedList(pack, from, to),
    remark: bytes.subarray(textEnd),
  };
}

class Pack {
  readonly bytes: Buffer;
  readonly numbers: Float64Array;
  /** The paths, then the targets. */
  readonly texts: readonly string[];
  readonly flagsAt: number;
  readonly #count: number;
  readonly #digestsAt: number;
  readonly #states: (PathState | undefined)[] = [];
  #targets: ReadonlyMap<number, string> | undefined;

  constructor(bytes: Buffer, count: number, textEnd: number) {
    const { flagsAt, digestsAt, textAt } = layoutOf(count);
    this.bytes = bytes;
    this.numbers = new Float64Array(bytes.buffer, bytes.byteOffset + HEADER_END, count * NUMBERS);
    this.texts = bytes.toString('utf8', textAt, textEnd).split('\0');
    this.flagsAt = flagsAt;
    this.#count = count;
    this.#digestsAt = digestsAt;
  }

  state(at: number): PathState {
    const known = this.#states[at];
    if (known !== undefined) return known;
    const { bytes, numbers } = this;
    const flags = bytes[this.flagsAt + at] ?? 0;
    const [size = 0, mtime = 0, ctime = 0, ino = 0, mode = 0] = numbers.subarray(at * NUMBERS, (at + 1) * NUMBERS);
    const digestAt = this.#digestsAt + at * 32;
    const state: PathState = {
      path: (this.texts[at] ?? '') as RelPath,
      kind: KINDS[flags & KIND] ?? 'absent',
      key: flags & HAS_KEY ? { size, mtime, ctime, ino, mode } : null,
      digest: flags & HAS_DIGEST ? (bytes.toString('hex', digestAt, digestAt + 32) as Digest) : null,
      trusted: (flags & TRUSTED) !== 0,
      target: flags & HAS_TARGET ? this.#target(at) : '',
    };
    this.#states[at] = state;
    return state;
  }

  #target(at: number): string {
    if (this.#targets === undefined) {
      const targets = new Map<number, string>();
      for (let at = 0; at < this.#count; at++) {
        const text = this.texts[this.#count + targets.size];
        if ((this.bytes[this.flagsAt + at] ?? 0) & HAS_TARGET && text !== undefined) targets.set(at, text);
      }
      this.#targets = targets;
    }
    return this.#targets.get(at) ?? '';
  }
}

class PackedList implements PathList {
  readonly length: number;
  readonly #pack: Pack;
  readonly #from: number;

  constructor(pack: Pack, from: number, to: number) {
    this.#pack = pack;
    this.#from = from;
    this.length = to - from;
  }

  get(at: number): PathState {
    return this.#pack.state(this.#from + at);
  }

  path(at: number): RelPath {
    return (this.#pack.texts[this.#from + at] ?? '') as RelPath;
  }

  #flags(at: number): number {
    return this.#pack.bytes[this.#pack.flagsAt + this.#from + at] ?? 0;
  }

  kind(at: number): PathKind {
    return KINDS[this.#flags(at) & KIND] ?? 'absent';
  }

  isSame(at: number, stats: Stats): boolean {
    const { numbers } = this.#pack;
    const flags = this.#flags(at);
    const first = (this.#from + at) * NUMBERS;
    return (
      (flags & KIND) === 0 &&
      (flags & VOUCHED) === VOUCHED &&
      numbers[first + 1] === stats.mtimeMs &&
      numbers[first + 2] === stats.ctimeMs &&
      numbers[first] === stats.size &&
      numbers[first + 3] === stats.ino &&
      numbers[first + 4] === stats.mode
    );
  }

  *[Symbol.iterator](): Generator<PathState, void, undefined> {
    for (let at = 0; at < this.length; at++) yield this.get(at);
  }
}
