/**
 * Bytes with a signature that says for what place they were made: so what is valid somewhere else, or is another kind of
 * thing, is as good as forged here.
 *
 *     <header, a line>
 *     <name of the signer's key> <signature in base64>\n        or  - -\n
 *     the payload
 */
import { frame, type Key, sha256 } from '../../base/hash.ts';
import type { Signature, Signer, Verdict, Verifier } from './signing.ts';

/** What something is shared under. */
export interface Place {
  readonly key: Key;
  readonly namespace: string;
}

/** Why an answer is not believed. */
export type Distrust = 'unsigned' | 'unknown key' | 'forged' | 'not decodable';

/** `signer`: the name of the key that signed it; null if nobody was asked to. */
export type Opened = { readonly payload: Buffer; readonly signer: string | null } | { readonly distrust: Distrust };

const UNSIGNED = '- -';
const DISTRUST: Readonly<Record<Exclude<Verdict, 'good'>, Distrust>> = { unknown: 'unknown key', forged: 'forged' };

/** `header` is the same for all of one kind, and ends with a newline. */
export function enclose(header: string, place: Place, payload: Uint8Array, signer: Signer | undefined): Uint8Array {
  const signature = signer?.sign(message(header, place, payload));
  const name =
    signature === undefined ? UNSIGNED : `${signature.key} ${Buffer.from(signature.bytes).toString('base64')}`;
  return Buffer.concat([Buffer.from(`${header}${name}\n`), payload]);
}

/** `verifier`: whose signatures count; undefined where unsigned things are taken too. */
export async function disclose(
  header: string,
  place: Place,
  bytes: Uint8Array,
  verifier: Verifier | undefined,
): Promise<Opened> {
  const parts = split(header, bytes);
  if ('distrust' in parts) return parts;
  const { payload, signature } = parts;
  if (verifier === undefined) return { payload, signer: null };
  if (signature === undefined) return { distrust: 'unsigned' };
  const verdict = await verifier.verify(message(header, place, payload), signature);
  return verdict === 'good' ? { payload, signer: signature.key } : { distrust: DISTRUST[verdict] };
}

/** The same for bytes that somebody vouches for who has verified the signature: all that is asked is whose it is. */
export function discloseVouched(header: string, bytes: Uint8Array, verifier: Verifier | undefined): Opened {
  const parts = split(header, bytes);
  if ('distrust' in parts) return parts;
  const { payload, signature } = parts;
  if (verifier === undefined) return { payload, signer: null };
  if (signature === undefined) return { distrust: 'unsigned' };
  return verifier.knows(signature.key) ? { payload, signer: signature.key } : { distrust: 'unknown key' };
}

interface Parts {
  readonly payload: Buffer;
  readonly signature: Signature | undefined;
}

function split(header: string, bytes: Uint8Array): Parts | { readonly distrust: Distrust } {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = whole.indexOf('\n', header.length);
  if (whole.toString('latin1', 0, header.length) !== header || end < 0) return { distrust: 'not decodable' };
  return { signature: readSignature(whole.toString('latin1', header.length, end)), payload: whole.subarray(end + 1) };
}

function message(header: string, { key, namespace }: Place, payload: Uint8Array): Uint8Array {
  return Buffer.from(`${header}${frame(namespace)}${key}${sha256(payload)}`);
}

function readSignature(line: string): Signature | undefined {
  const [, key, base64] = /^([0-9a-f]{16}) ([A-Za-z0-9+/]{86}==)$/.exec(line) ?? [];
  return key === undefined || base64 === undefined ? undefined : { key, bytes: Buffer.from(base64, 'base64') };
}
