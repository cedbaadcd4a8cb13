/** A reference to a stored value by its digest: an argument that is passed without being loaded. */
import { FlecheError } from './errors.ts';
import { type Digest, isDigest } from './hash.ts';

const PREFIX = /^[0-9a-f]{1,64}$/i;

/**
 * Stands for the value it names: it has that value's digest, and a memoised function that receives it runs with the
 * value itself. A prefix of at least four characters will do where a cache can complete it.
 */
export class Ref {
  /** Lower-case hex, 64 characters when complete. */
  readonly prefix: string;

  constructor(prefix: string) {
    if (!PREFIX.test(prefix)) {
      throw new FlecheError('DIGEST_UNKNOWN', `"${prefix}" is neither a digest nor the beginning of one`, {
        hint: 'A digest is 64 hexadecimal characters; a prefix of at least 4 will do.',
      });
    }
    this.prefix = prefix.toLowerCase();
  }

  /** The complete digest, or undefined while this is only a prefix. */
  get digest(): Digest | undefined {
    return isDigest(this.prefix) ? this.prefix : undefined;
  }

  toString(): string {
    return this.prefix;
  }

  toJSON(): string {
    return this.prefix;
  }
}
