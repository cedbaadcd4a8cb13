/** SHA-256, the only hash in the project: collision resistance is what makes a shared cache safe. */
import { createHash, hash } from 'node:crypto';
import { FlecheError } from './errors.ts';

declare const digestBrand: unique symbol;
/** SHA-256 of content: 64 lower-case hex characters. */
export type Digest = string & { readonly [digestBrand]: 'Digest' };

declare const keyBrand: unique symbol;
/** Digest of a fingerprint: what a call record is filed under. */
export type Key = Digest & { readonly [keyBrand]: 'Key' };

const DIGEST = /^[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return text.length === 64 && DIGEST.test(text);
}

/** Brands a 64-character lower-case hex string. Throws `DIGEST_UNKNOWN` for anything else. */
export function asDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new FlecheError('DIGEST_UNKNOWN', `"${text}" is not a digest`, {
    hint: 'A digest is 64 lower-case hexadecimal characters.',
  });
}

/** Brands a digest as a key. */
export function asKey(text: string): Key {
  return asDigest(text) as Key;
}

/** SHA-256 of bytes, or of the UTF-8 form of a string. */
export function sha256(data: string | Uint8Array): Digest {
  return hash('sha256', data, 'hex') as Digest;
}

/**
 * Length-prefixed text, so that no two lists of names can be concatenated to the same input. Lone surrogates would
 * collapse in UTF-8, so such text is framed in its escaped form.
 */
export function frame(text: string): string {
  if (text.isWellFormed()) return `${text.length}:${text}`;
  const escaped = JSON.stringify(text);
  return `~${escaped.length}:${escaped}`;
}

/** SHA-256 of content that arrives in pieces. */
export class Sha256 {
  readonly #hash = createHash('sha256');

  update(data: string | Uint8Array): this {
    this.#hash.update(data);
    return this;
  }

  digest(): Digest {
    return this.#hash.digest('hex') as Digest;
  }
}
