/**
 * How a values store's bytes stand for values. Every encoding says by its first byte which codec made it, so that any
 * blob can be decoded without knowing how the cache that filed it was configured, and one store can hold several kinds.
 * The codec of a cache decides only how new values are written.
 */
import { decode } from '../../base/decode.ts';
import { encode } from '../../base/encode.ts';
import { FlecheError, messageOf } from '../../base/errors.ts';
import { decodeJson, encodeJson } from './json-codec.ts';
import { decodeMsgpack, encodeMsgpack, MSGPACK_MARK } from './msgpack-codec.ts';
import { decodeV8, encodeV8 } from './v8-codec.ts';

export type CodecName = 'fleche' | 'v8' | 'json' | 'msgpack';

export interface ValueCodec {
  readonly name: CodecName;
  /** Throws `UNSTORABLE` with the path of the first member that `decodeValue` would not give back unchanged. */
  encode(value: unknown): Uint8Array;
}

const CODECS: Readonly<Record<CodecName, ValueCodec>> = {
  fleche: { name: 'fleche', encode },
  v8: { name: 'v8', encode: encodeV8 },
  json: { name: 'json', encode: encodeJson },
  msgpack: { name: 'msgpack', encode: encodeMsgpack },
};

/** `fleche`, the default, keeps every value that has a digest; the others keep less and are read by other programs. */
export function valueCodec(name: CodecName): ValueCodec {
  return CODECS[name];
}

export function isCodecName(name: string): name is CodecName {
  return Object.hasOwn(CODECS, name);
}

const V8_MARK = 0xff;

/**
 * The value of bytes that any of the codecs encoded. Throws `STORE_CORRUPT` when they are truncated, foreign or of an
 * unknown version, and `PEER_MISSING` when they are MessagePack and the package for it is not installed.
 */
export function decodeValue(bytes: Uint8Array): unknown {
  const read = decoderOf(bytes[0]);
  if (read === undefined) return decode(bytes);
  try {
    return read(bytes);
  } catch (cause) {
    if (cause instanceof FlecheError) throw cause;
    throw new FlecheError('STORE_CORRUPT', `not an encoded value: ${messageOf(cause)}`, { cause });
  }
}

/** JSON begins with a printable character; versions of fleche's own encoding are all below those. */
function decoderOf(first: number | undefined): ((bytes: Uint8Array) => unknown) | undefined {
  if (first === V8_MARK) return decodeV8;
  if (first === MSGPACK_MARK) return decodeMsgpack;
  return first !== undefined && first >= 0x20 && first < 0x7f ? decodeJson : undefined;
}
