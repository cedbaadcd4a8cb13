/**
 * Values in V8's own format: what `structuredClone` copies, shared references included. Readable by this and
 * later versions of Node only. Refuses what V8 would bring back as something else: null-prototype objects, URLs, class
 * instances, errors (their stacks name this machine's files) and members beside the content of dates, maps and the like.
 */
import { types } from 'node:util';
import { DefaultDeserializer, serialize } from 'node:v8';
import { described, type Fidelity, refuseUnfaithful } from '../faithful.ts';

/** The kinds of view that V8's format numbers; Float16Array came later than the oldest supported Node. */
const VIEWS: ReadonlySet<unknown> = new Set(
  [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    DataView,
    Buffer,
  ].map((type) => type.prototype),
);

const FIDELITY: Fidelity = {
  codec: 'v8',
  sparse: true,
  key: (key) => (typeof key === 'symbol' ? 'is a symbol' : undefined),
  leaf: (value, member) => {
    if (typeof value === 'symbol' || typeof value === 'function') return described(value);
    if (typeof value !== 'object' || value === null) return undefined;
    const prototype: unknown = Object.getPrototypeOf(value);
    if (VIEWS.has(prototype) && ArrayBuffer.isView(value)) return undefined;
    if (!isBuiltIn(value, prototype)) return described(value);
    if (Reflect.ownKeys(value).some((key) => key !== 'lastIndex')) return `${described(value)} with members of its own`;
    if (types.isMap(value)) {
      for (const [key, entry] of value) {
        member('.keys()', key);
        member(typeof key === 'string' ? `.get(${JSON.stringify(key)})` : `.get(…)`, entry);
      }
    } else if (types.isSet(value)) {
      for (const entry of value) member('.values()', entry);
    }
    return undefined;
  },
};

function isBuiltIn(value: object, prototype: unknown): boolean {
  switch (prototype) {
    case Map.prototype:
      return types.isMap(value);
    case Set.prototype:
      return types.isSet(value);
    case Date.prototype:
      return types.isDate(value);
    case RegExp.prototype:
      return types.isRegExp(value) && value.lastIndex === 0;
    case ArrayBuffer.prototype:
      return types.isArrayBuffer(value);
    default:
      return false;
  }
}

/** Throws `UNSTORABLE` with the path of what V8's format would change. */
export function encodeV8(value: unknown): Uint8Array {
  refuseUnfaithful(value, FIDELITY);
  return serialize(value);
}

/** Throws an `Error` for bytes that are not in V8's format, or in that of a later version. */
export function decodeV8(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  reader.readHeader();
  return reader.readValue();
}

/** Gives every view memory of its own: by default a view would share that of the encoded bytes. */
class Reader extends DefaultDeserializer {
  _readHostObject(): ArrayBufferView {
    const view = inherited.call(this);
    const memory = new ArrayBuffer(view.byteLength);
    new Uint8Array(memory).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    if (Buffer.isBuffer(view)) return Buffer.from(memory);
    const type = view.constructor as new (memory: ArrayBuffer) => ArrayBufferView;
    return new type(memory);
  }
}

/** Documented, but missing from the type of the class. */
const inherited = (DefaultDeserializer.prototype as unknown as { _readHostObject: (this: Reader) => ArrayBufferView })
  ._readHostObject;
