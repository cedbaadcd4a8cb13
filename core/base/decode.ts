/** Reads back what `encode` wrote. Bytes are not trusted: what is no encoding is refused, wherever it goes wrong. */
import { ERROR_MEMBERS, ERRORS, TAG, VERSION, VIEWS } from './codec-format.ts';
import { classCodecNamed } from './digestible.ts';
import { FlecheError, messageOf } from './errors.ts';
import { isDigest } from './hash.ts';
import { Ref } from './ref.ts';

/** The value of some bytes. Throws `STORE_CORRUPT` when they are truncated, foreign or of an unknown version. */
export function decode(bytes: Uint8Array): unknown {
  try {
    const reader = new Reader(bytes);
    if (reader.byte() !== VERSION) throw corrupt('unknown format version');
    const value = read(reader);
    if (!reader.atEnd) throw corrupt('bytes after the end');
    return value;
  } catch (error) {
    throw error instanceof FlecheError ? error : corrupt(messageOf(error), error);
  }
}

function corrupt(why: string, cause?: unknown): FlecheError {
  return new FlecheError('STORE_CORRUPT', `not an encoded value: ${why}`, {
    hint: 'It is damaged, or of another version; its call makes it anew.',
    cause,
  });
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Moves on by `count` bytes and returns where they begin. */
  #take(count: number): number {
    const start = this.#at;
    this.#at = start + count;
    if (!(this.#at <= this.#bytes.length)) throw corrupt('truncated');
    return start;
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  count(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (scale > 2 ** 53) throw corrupt('a number out of range');
    }
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  /** A copy, aligned for every kind of view. */
  raw(count: number): ArrayBuffer {
    const start = this.#take(count);
    const copy = new ArrayBuffer(count);
    new Uint8Array(copy).set(this.#bytes.subarray(start, start + count));
    return copy;
  }

  hex(): string {
    const start = this.#take(32);
    return this.#bytes.toString('hex', start, start + 32);
  }

  text(tag: number): string {
    if (tag !== TAG.latin1 && tag !== TAG.utf8 && tag !== TAG.utf16) throw corrupt('text expected');
    const units = this.count();
    const size = tag === TAG.utf16 ? units * 2 : units;
    const start = this.#take(size);
    const encoding = tag === TAG.latin1 ? 'latin1' : tag === TAG.utf8 ? 'utf8' : 'utf16le';
    return this.#bytes.toString(encoding, start, start + size);
  }
}

function readText(from: Reader): string {
  return from.text(from.byte());
}

function read(from: Reader): unknown {
  const tag = from.byte();
  switch (tag) {
    case TAG.undefined:
      return undefined;
    case TAG.null:
      return null;
    case TAG.false:
      return false;
    case TAG.true:
      return true;
    case TAG.int: {
      const folded = from.count();
      return folded % 2 === 1 ? -(folded + 1) / 2 : folded / 2;
    }
    case TAG.double:
      return from.double();
    case TAG.latin1:
    case TAG.utf8:
    case TAG.utf16:
      return from.text(tag);
    case TAG.bigint:
      return parseBigInt36(readText(from));
    case TAG.symbol:
      return Symbol.for(readText(from));
    case TAG.array: {
      const length = from.count();
      const array: unknown[] = [];
      for (let i = 0; i < length; i++) array.push(read(from));
      return array;
    }
    case TAG.sparse: {
      const array: unknown[] = [];
      array.length = from.count();
      return readMembers(from, array);
    }
    case TAG.object:
      return readMembers(from, {});
    case TAG.bare:
      return readMembers(from, Object.create(null));
    case TAG.ref: {
      const digest = from.hex();
      if (!isDigest(digest)) throw corrupt('a digest expected');
      return new Ref(digest);
    }
    case TAG.view:
      return readView(from);
    case TAG.extras: {
      const value = read(from);
      if (typeof value !== 'object' || value === null) throw corrupt('members of a scalar');
      return readExtras(from, value);
    }
    case TAG.instance: {
      const name = readText(from);
      const codec = classCodecNamed(name);
      if (codec === undefined) throw corrupt(`no class is registered as "${name}"`);
      return codec.decode(read(from));
    }
    default:
      return readBuiltIn(from, tag);
  }
}

function parseBigInt36(text: string): bigint {
  const negative = text.startsWith('-');
  let value = 0n;
  for (let at = negative ? 1 : 0; at < text.length; at += 10) {
    const digits = text.slice(at, at + 10);
    const part = Number.parseInt(digits, 36);
    if (Number.isNaN(part)) throw corrupt('a bigint expected');
    value = value * 36n ** BigInt(digits.length) + BigInt(part);
  }
  return negative ? -value : value;
}

function readMembers<T extends object>(from: Reader, target: T): T {
  for (let count = from.count(); count > 0; count--) {
    const key = read(from);
    if (typeof key !== 'string' && typeof key !== 'symbol') throw corrupt('a member name expected');
    const value = read(from);
    if (key === '__proto__') {
      define(target, key, value, true);
    } else {
      (target as Record<string | symbol, unknown>)[key] = value;
    }
  }
  return target;
}

function define(target: object, key: string | symbol, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, configurable: true, writable: true });
}

/** Members of an object that is more than its members: they are defined, for it may have accessors of these names. */
function readExtras(from: Reader, target: object): object {
  for (let count = from.count(); count > 0; count--) {
    const key = read(from);
    if (typeof key !== 'string' && typeof key !== 'symbol') throw corrupt('a member name expected');
    define(target, key, read(from), true);
  }
  return target;
}

function readView(from: Reader): ArrayBufferView {
  const name = VIEWS[from.byte()];
  const buffer = from.raw(from.count());
  if (name === 'Buffer') return Buffer.from(buffer);
  const type: unknown = name === undefined ? undefined : (globalThis as Record<string, unknown>)[name];
  if (typeof type !== 'function') throw corrupt('an unknown kind of typed array');
  return new (type as new (buffer: ArrayBuffer) => ArrayBufferView)(buffer);
}

function readBuiltIn(from: Reader, tag: number): object {
  switch (tag) {
    case TAG.map: {
      const map = new Map<unknown, unknown>();
      for (let count = from.count(); count > 0; count--) {
        const key = read(from);
        map.set(key, read(from));
      }
      return map;
    }
    case TAG.set: {
      const set = new Set<unknown>();
      for (let count = from.count(); count > 0; count--) set.add(read(from));
      return set;
    }
    case TAG.date:
      return new Date(from.double());
    case TAG.regexp: {
      const source = readText(from);
      const regexp = new RegExp(source, readText(from));
      regexp.lastIndex = from.count();
      return regexp;
    }
    case TAG.buffer:
      return from.raw(from.count());
    case TAG.url:
      return new URL(readText(from));
    case TAG.error:
      return readError(from);
    default:
      throw corrupt(`unknown tag ${tag}`);
  }
}

function readError(from: Reader): Error {
  const type = ERRORS[from.byte()];
  if (type === undefined) throw corrupt('an unknown kind of error');
  const flags = from.byte();
  const value = type === AggregateError ? new AggregateError([]) : new (type as ErrorConstructor)();
  if (type === AggregateError) Reflect.deleteProperty(value, 'errors');
  for (const [bit, key] of ERROR_MEMBERS.entries()) {
    if ((flags & (1 << bit)) !== 0) define(value, key, read(from), false);
  }
  const { name, message }: { name: unknown; message: unknown } = value;
  define(value, 'stack', typeof name === 'string' && typeof message === 'string' ? `${name}: ${message}` : '', false);
  return value;
}
