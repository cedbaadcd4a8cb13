/** What makes two keys of a shelf the same: their value, as digests see it. */
import { decode } from '../../../base/decode.ts';
import { digest } from '../../../base/digest.ts';
import { encode } from '../../../base/encode.ts';
import { FlecheError } from '../../../base/errors.ts';

/**
 * Equal for two keys exactly when their digests are. Strings and numbers, which most keys are, are their own identity
 * and cost no hash. Throws `INDIGESTIBLE`.
 */
export function identityOf(key: unknown): string {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'number') return Object.is(key, -0) ? 'n-0' : `n${key}`;
  return digest(key, 'key');
}

/** An equal value that nobody else can change; one without an encoding is given back as it is. */
export function copyOf<T>(value: T): T {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return value;
  try {
    // The codec gives back an equal value of the same type.
    return decode(encode(value)) as T;
  } catch (error) {
    if (error instanceof FlecheError && error.code === 'UNSTORABLE') return value;
    throw error;
  }
}
