/** Writes values down; `codec-format.ts` says how. */
import { types } from 'node:util';
import { ERROR_MEMBERS, ERRORS, TAG, VERSION, VIEWS } from './codec-format.ts';
import { classCodecOf, MAX_DEPTH } from './digestible.ts';
import { FlecheError } from './errors.ts';
import type { Digest } from './hash.ts';
import { Ref } from './ref.ts';

/** The bytes of a value. Throws `UNSTORABLE` for what has no encoding; such a value could not be digested either. */
export function encode(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.byte(VERSION);
  write(writer, value);
  return writer.finish();
}

/** The bytes of an array whose elements are given by theirs. */
export function encodedList(elements: readonly Uint8Array[]): Uint8Array {
  const writer = new Writer();
  writer.byte(VERSION);
  writer.byte(TAG.array);
  writer.count(elements.length);
  for (const element of elements) writer.raw(element.subarray(1));
  return writer.finish();
}

const USUAL = 64 * 1024;
/** What the next writer begins with, unless another one has it: most values fit. */
let spare: Buffer | undefined;

/** A buffer that grows by doubling; integers are LEB128, doubles little-endian. */
class Writer {
  #bytes: Buffer = spare ?? Buffer.allocUnsafeSlow(USUAL);
  #length = 0;
  /** How many objects are being written, one inside the other. */
  depth = 0;

  constructor() {
    spare = undefined;
  }

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
      spare ??= this.#bytes;
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

  /** The bytes written. The writer is not to be used afterwards. */
  finish(): Uint8Array {
    const bytes = this.#bytes;
    if (bytes.length > USUAL) return new Uint8Array(bytes.buffer, bytes.byteOffset, this.#length);
    const own = Buffer.allocUnsafe(this.#length);
    own.set(bytes.subarray(0, this.#length));
    spare = bytes;
    return new Uint8Array(own.buffer, own.byteOffset, this.#length);
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
