/**
 * Signatures of shared records: Ed25519, so that who reads needs nothing with which he could write. A key is named by the
 * beginning of its own SHA-256. Several public keys may be valid at a time, which is how keys are replaced: the new one
 * is added to the readers, then the writers change, then the old one is removed.
 *
 *     openssl genpkey -algorithm ed25519 -out key.pem       the private key, for the environment of trusted jobs
 *     openssl pkey -in key.pem -pubout                      the public key, for the configuration
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { FlecheError } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';

export interface Signature {
  /** The name of the key that made it. */
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** `unknown`: made with a key that is none of ours. `forged`: not of these bytes. */
export type Verdict = 'good' | 'unknown' | 'forged';

const NAME_LENGTH = 16;

/** Signs. The key itself cannot be got out again. */
export class Signer {
  readonly #key: KeyObject;
  /** The name of the key. */
  readonly key: string;

  /** A private key as PEM, or the base64 between its lines. Throws `CONFIG_INVALID`, never with the key in it. */
  constructor(text: string) {
    this.#key = parsed('private', text);
    this.key = nameOf(createPublicKey(this.#key));
  }

  sign(message: Uint8Array): Signature {
    return { key: this.key, bytes: sign(null, message, this.#key) };
  }
}

/** Knows whose signatures count. */
export class Verifier {
  readonly #keys: ReadonlyMap<string, KeyObject>;

  /** Public keys as PEM, or the base64 between its lines. Throws `CONFIG_INVALID`. */
  constructor(texts: readonly string[]) {
    this.#keys = new Map(texts.map((text) => parsed('public', text)).map((key) => [nameOf(key), key]));
  }

  /** Whether signatures of the key of this name count. */
  knows(key: string): boolean {
    return this.#keys.has(key);
  }

  /** In another thread: it takes longer than all else that is done with a small record. */
  verify(message: Uint8Array, { key, bytes }: Signature): Promise<Verdict> {
    const known = this.#keys.get(key);
    if (known === undefined) return Promise.resolve('unknown');
    return new Promise((resolve, reject) => {
      verify(null, message, known, bytes, (error, isGood) => {
        if (error === null) resolve(isGood ? 'good' : 'forged');
        else reject(error);
      });
    });
  }
}

function parsed(kind: 'private' | 'public', text: string): KeyObject {
  const base64 = text.replace(/-----[A-Z ]+-----/g, '').replace(/\s+/g, '');
  try {
    const key = Buffer.from(base64, 'base64');
    const found =
      kind === 'private'
        ? createPrivateKey({ key, format: 'der', type: 'pkcs8' })
        : createPublicKey({ key, format: 'der', type: 'spki' });
    if (found.asymmetricKeyType === 'ed25519') return found;
  } catch {
    // What the parser says could show parts of a private key.
  }
  throw new FlecheError('CONFIG_INVALID', `this is not a ${kind} Ed25519 key`, {
    hint:
      kind === 'private'
        ? 'Make one with: openssl genpkey -algorithm ed25519'
        : 'Write what this prints, between its first and last line: openssl pkey -in key.pem -pubout',
  });
}

function nameOf(key: KeyObject): string {
  return sha256(key.export({ format: 'der', type: 'spki' })).slice(0, NAME_LENGTH);
}
