/**
 * Values as JSON, for stores that people and other programs read. Keeps what JSON has: null, booleans, text, finite
 * numbers but -0, lists without holes and plain objects; everything else is refused.
 */
import { parseJson } from '../../base/json.ts';
import { described, type Fidelity, refuseUnfaithful } from '../faithful.ts';

const FIDELITY: Fidelity = {
  codec: 'json',
  sparse: false,
  key: (key) => (typeof key === 'symbol' ? 'is a symbol' : undefined),
  leaf: (value) => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
    if (typeof value !== 'number') return described(value);
    return Number.isFinite(value) && !Object.is(value, -0) ? undefined : `is ${Object.is(value, -0) ? '-0' : value}`;
  },
};

/** JSON in UTF-8. Throws `UNSTORABLE` with the path of what JSON has no form for. */
export function encodeJson(value: unknown): Uint8Array {
  refuseUnfaithful(value, FIDELITY);
  return Buffer.from(JSON.stringify(value));
}

/** Throws a `SyntaxError` for bytes that are not JSON. */
export function decodeJson(bytes: Uint8Array): unknown {
  return parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
}
