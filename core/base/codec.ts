/**
 * How values are written down. Unlike a digest, an encoding keeps insertion order, so that a value read back is
 * indistinguishable from the one stored. One format on every runtime: the first byte is the format version, then comes
 * one tagged value. Every value that can be digested can be encoded, except instances whose class has no codec.
 * Shared references come back as separate equal copies; an error's stack is not kept.
 */
import { types } from 'node:util';
import { classCodecNamed, classCodecOf, MAX_DEPTH } from './digestible.ts';
import { FlecheError, messageOf } from './errors.ts';
import { type Digest, isDigest } from './hash.ts';
import { Ref } from './ref.ts';

const VERSION = 1;

/** One byte each. Frozen with the format version: new kinds get new numbers, old numbers are never reused. */
const TAG = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  int: 4,
  double: 5,
  latin1: 6,
  utf8: 7,
  utf16: 8,
  bigint: 9,
  array: 10,
  sparse: 11,
  object: 12,
  bare: 13,
  map: 14,
  set: 15,
  date: 16,
  regexp: 17,
  url: 18,
  error: 19,
  buffer: 20,
  view: 21,
  symbol: 22,
  ref: 23,
  instance: 24,
  extras: 25,
} as const;

// biome-ignore format: one table, in the order of their numbers on disk
const VIEWS = [
  'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array', 'Buffer', 'DataView', 'Float16Array',
];
const ERRORS = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
] as const;
/** Members of an error that are not enumerable; one that is, because it was assigned, is written like any other member. */
const ERROR_MEMBERS = ['message', 'name', 'cause', 'errors'] as const;

/** The bytes of a value. Throws `UNSTORABLE` for what has no encoding; such a value could not be digested either. */
export function encode(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.byte(VERSION);
  write(writer, value);
  return writer.finish();
}

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
  return new FlecheError('STORE_CORRUPT', `not an encoded value: ${why}`, { cause });
}

/** A buffer that grows by doubling; integers are LEB128, doubles little-endian. */
class Writer {
  #bytes: Buffer = Buffer.allocUnsafe(256);
  #length = 0;
  /** How many objects are being written, one inside the other. */
  depth = 0;

  /**
   * Makes room for `count` bytes and returns where they begin. It may replace the buffer: call it before the buffer is
   * mentioned, never inside an expression that began with `this.#bytes`.
   */
  #reserve(count: number): number {
    const start = this.#length;
    const end = start + count;
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    this.#length = end;
    return start;
  }

  byte(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  count(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  double(value: number): void {
    const at = this.#reserve(8);
    this.#bytes.writeDoubleLE(value, at);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  hex(digest: Digest): void {
    const at = this.#reserve(32);
    this.#bytes.write(digest, at, 'hex');
  }

  text(text: string): void {
    if (!text.isWellFormed()) {
      this.byte(TAG.utf16);
      this.count(text.length);
      const at = this.#reserve(text.length * 2);
      this.#bytes.write(text, at, 'utf16le');
      return;
    }
    const size = Buffer.byteLength(text);
    this.byte(size === text.length ? TAG.latin1 : TAG.utf8);
    this.count(size);
    const at = this.#reserve(size);
    this.#bytes.write(text, at, size === text.length ? 'latin1' : 'utf8');
  }

  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset, this.#length);
  }
}

function write(out: Writer, value: unknown): void {
  switch (typeof value) {
    case 'string':
      return out.text(value);
    case 'number':
      return writeNumber(out, value);
    case 'boolean':
      return out.byte(value ? TAG.true : TAG.false);
    case 'undefined':
      return out.byte(TAG.undefined);
    case 'bigint':
      out.byte(TAG.bigint);
      return out.text(value.toString(36));
    case 'symbol': {
      const registered = Symbol.keyFor(value);
      if (registered === undefined) throw unstorable('a symbol outside the registry');
      out.byte(TAG.symbol);
      return out.text(registered);
    }
    case 'function':
      throw unstorable('a function');
    case 'object':
      if (value === null) return out.byte(TAG.null);
      if (out.depth === MAX_DEPTH)
        throw unstorable(`a value that contains itself or is nested more than ${MAX_DEPTH} levels deep`);
      out.depth++;
      writeObject(out, value);
      out.depth--;
  }
}

function writeNumber(out: Writer, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0) && Math.abs(value) < 2 ** 50) {
    out.byte(TAG.int);
    return out.count(value < 0 ? -value * 2 - 1 : value * 2);
  }
  out.byte(TAG.double);
  out.double(value);
}

function unstorable(what: string): FlecheError {
  return new FlecheError('UNSTORABLE', `${what} cannot be stored`, {
    hint: 'Return plain data, or register the class with a codec (registerClass).',
  });
}

function writeObject(out: Writer, value: object): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    out.byte(prototype === null ? TAG.bare : TAG.object);
    return writeMembers(out, value, ownKeys(value));
  }
  if (prototype === Array.prototype && Array.isArray(value)) return writeArray(out, value);
  if (value instanceof Ref) {
    if (value.digest === undefined) throw unstorable('a digest prefix');
    out.byte(TAG.ref);
    return out.hex(value.digest);
  }
  const codec = classCodecOf(prototype);
  if (codec !== undefined) {
    out.byte(TAG.instance);
    out.text(codec.name);
    return write(out, codec.encode(value));
  }
  if (ArrayBuffer.isView(value)) return writeView(out, value, prototype);
  const extras = ownKeys(value);
  if (extras.length > 0) out.byte(TAG.extras);
  writeBuiltIn(out, value, prototype);
  if (extras.length > 0) writeMembers(out, value, extras);
}

function ownKeys(value: object): (string | symbol)[] {
  const symbols = Object.getOwnPropertySymbols(value);
  if (symbols.length === 0) return Object.keys(value);
  return [...Object.keys(value), ...symbols.filter((key) => Object.prototype.propertyIsEnumerable.call(value, key))];
}

function writeMembers(out: Writer, value: object, keys: readonly (string | symbol)[]): void {
  out.count(keys.length);
  for (const key of keys) {
    write(out, key);
    write(out, (value as Record<string | symbol, unknown>)[key]);
  }
}

function writeArray(out: Writer, value: readonly unknown[]): void {
  const keys = ownKeys(value);
  const dense =
    keys.length === value.length && (value.length === 0 || keys[value.length - 1] === String(value.length - 1));
  out.byte(dense ? TAG.array : TAG.sparse);
  out.count(value.length);
  if (dense) for (const element of value) write(out, element);
  else writeMembers(out, value, keys);
}

function writeView(out: Writer, value: ArrayBufferView, prototype: unknown): void {
  const name = Buffer.isBuffer(value) ? 'Buffer' : (prototype as { constructor: { name: string } }).constructor.name;
  const kind = VIEWS.indexOf(name);
  if (kind < 0) throw unstorable(`an instance of ${name}`);
  out.byte(TAG.view);
  out.byte(kind);
  out.count(value.byteLength);
  out.raw(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}

function writeBuiltIn(out: Writer, value: object, prototype: unknown): void {
  if (prototype === Map.prototype && types.isMap(value)) {
    out.byte(TAG.map);
    out.count(value.size);
    for (const [key, member] of value) {
      write(out, key);
      write(out, member);
    }
  } else if (prototype === Set.prototype && types.isSet(value)) {
    out.byte(TAG.set);
    out.count(value.size);
    for (const member of value) write(out, member);
  } else if (prototype === Date.prototype && types.isDate(value)) {
    out.byte(TAG.date);
    out.double(value.getTime());
  } else if (prototype === RegExp.prototype && types.isRegExp(value)) {
    out.byte(TAG.regexp);
    out.text(value.source);
    out.text(value.flags);
    out.count(value.lastIndex);
  } else if (prototype === ArrayBuffer.prototype && types.isArrayBuffer(value)) {
    out.byte(TAG.buffer);
    out.count(value.byteLength);
    out.raw(new Uint8Array(value));
  } else if (typeof URL !== 'undefined' && prototype === URL.prototype) {
    out.byte(TAG.url);
    out.text((value as URL).href);
  } else if (types.isNativeError(value)) {
    writeError(out, value, prototype);
  } else {
    const type = (prototype as { constructor?: { name?: string } }).constructor?.name;
    throw unstorable(`an instance of ${type ?? 'an unnamed class'}`);
  }
}

function writeError(out: Writer, value: Error, prototype: unknown): void {
  const kind = ERRORS.findIndex((type) => type.prototype === prototype);
  if (kind < 0) throw unstorable(`an instance of ${value.name}`);
  const own = ERROR_MEMBERS.filter(
    (key) => Object.hasOwn(value, key) && !Object.prototype.propertyIsEnumerable.call(value, key),
  );
  out.byte(TAG.error);
  out.byte(kind);
  out.byte(own.reduce((flags, key) => flags | (1 << ERROR_MEMBERS.indexOf(key)), 0));
  for (const key of own) write(out, (value as unknown as Record<string, unknown>)[key]);
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
