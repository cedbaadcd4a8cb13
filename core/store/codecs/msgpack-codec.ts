/**
 * Values as MessagePack, through the optional peer package `msgpackr`: compact, and readable by programs in many
 * languages after the one byte in front. Keeps what JSON has, and undefined, NaN, the infinities, dates and Buffers;
 * everything else is refused, because MessagePack would bring it back as something else.
 */
import { types } from 'node:util';
import { described, type Fidelity, refuseUnfaithful } from '../faithful.ts';
import { requirePeer } from '../peer.ts';

/** A byte that MessagePack never uses: tells it from the other encodings. */
export const MSGPACK_MARK = 0xc1;

const FIDELITY: Fidelity = {
  codec: 'msgpack',
  sparse: false,
  key: (key) => {
    if (typeof key === 'symbol') return 'is a symbol';
    if (key === '__proto__') return 'would be changed';
    return key.isWellFormed() ? undefined : 'is not Unicode text';
  },
  leaf: (value) => {
    switch (typeof value) {
      case 'boolean':
      case 'undefined':
        return undefined;
      case 'number':
        return Object.is(value, -0) ? 'is -0' : undefined;
      case 'string':
        return value.isWellFormed() ? undefined : 'is not Unicode text';
      case 'object':
        return value === null || isBuffer(value) || isPlainDate(value) ? undefined : described(value);
      default:
        return described(value);
    }
  },
};

function isBuffer(value: object): boolean {
  return Object.getPrototypeOf(value) === Buffer.prototype;
}

/** Of an invalid date, or one with members, nothing sure can be said. */
function isPlainDate(value: object): boolean {
  return (
    Object.getPrototypeOf(value) === Date.prototype &&
    types.isDate(value) &&
    !Number.isNaN(value.getTime()) &&
    Reflect.ownKeys(value).length === 0
  );
}

interface Packr {
  pack(value: unknown): Buffer;
  unpack(bytes: Uint8Array): unknown;
}

let packr: Packr | undefined;

/** Objects as maps, not as records of msgpackr's own: the form that other programs know. */
function load(): Packr {
  if (packr !== undefined) return packr;
  const { Packr } = requirePeer('msgpackr', 'the codec "msgpack"') as {
    Packr: new (options: { useRecords: boolean; variableMapSize: boolean }) => Packr;
  };
  packr = new Packr({ useRecords: false, variableMapSize: true });
  return packr;
}

/** The mark, then MessagePack. Throws `UNSTORABLE` with the path of what would be changed, or `PEER_MISSING`. */
export function encodeMsgpack(value: unknown): Uint8Array {
  refuseUnfaithful(value, FIDELITY);
  const packed = load().pack(value);
  const bytes = Buffer.allocUnsafe(1 + packed.length);
  bytes[0] = MSGPACK_MARK;
  bytes.set(packed, 1);
  return bytes;
}

/** Throws an `Error` for bytes that are not MessagePack, and `PEER_MISSING`. */
export function decodeMsgpack(bytes: Uint8Array): unknown {
  // A copy: Buffers in the value are views on what they were read from.
  return load().unpack(Buffer.from(bytes.subarray(1)));
}
