/** What makes two keys of a shelf the same: their value, as digests see it. */
import { decode, encode } from '../../base/codec.ts';
import { digest } from '../../base/digest.ts';
import { FlecheError } from '../../base/errors.ts';

/**
 * Equal for two keys exactly when their digests are. Strings and numbers, which most keys are, are their own identity
 * and cost no hash. Throws `INDIGESTIBLE`.
 */
export function identityOf(key: unknown): string {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'number') return Object.is(key, -0) ? 'n-0' : `n${key}`;
  return digest(key, 'key');
}

/** A key that nobody can change from outside; one without an encoding is kept as it is. */
export function ownKey<K>(key: K): K {
  if ((typeof key !== 'object' || key === null) && typeof key !== 'function') return key;
  try {
    // An equal value of the same type is what the codec promises.
    return decode(encode(key)) as K;
  } catch (error) {
    if (error instanceof FlecheError && error.code === 'UNSTORABLE') return key;
    throw error;
  }
}
