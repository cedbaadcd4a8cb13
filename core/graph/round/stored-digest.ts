/** Digests of stored values as people write them: their first characters. */
import { FlecheError } from '../../base/errors.ts';
import type { Digest } from '../../base/hash.ts';
import type { SyncValueStore } from '../../store/values.ts';
import type { Task } from '../tasks/task.ts';

/** The value that is meant, and where it is. Throws `DIGEST_UNKNOWN`, `DIGEST_AMBIGUOUS`. */
export function storedDigest(
  prefix: string,
  values: SyncValueStore,
  { at }: Task,
): { readonly value: Digest; readonly blob: Digest } {
  const [value, other] = values.matching(prefix, 2);
  if (other !== undefined) {
    throw new FlecheError('DIGEST_AMBIGUOUS', `more than one stored value has a digest that begins with ${prefix}`, {
      at,
      hint: 'Write more characters of the digest.',
    });
  }
  const blob = value === undefined ? undefined : values.target(value);
  if (value !== undefined && blob !== undefined) return { value, blob };
  throw new FlecheError('DIGEST_UNKNOWN', `no stored value has a digest that begins with ${prefix}`, {
    at,
    hint: 'The cache may have been cleaned since; make the value again or pass it itself.',
  });
}
