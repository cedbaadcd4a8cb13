/** `D(…)`: a stored value by its digest, in place of the value itself. */
import { digest } from '../base/digest.ts';
import { FlecheError } from '../base/errors.ts';
import { Ref } from '../base/ref.ts';
import { SHORTEST } from './prefix.ts';

const HEX = /^[0-9a-f]{1,64}$/i;

/**
 * A reference to pass to a memoised function where the value itself would go. Text of at most 64 hexadecimal characters
 * is a digest or the beginning of one; anything else, text included, is a value whose digest is meant. So a digest with
 * a typo that makes it no hexadecimal number (`D('60079g79')`) means that very text, which is in no cache, and one whose
 * typo is a number (`D('60079f70')`) means another value: both end in `DIGEST_UNKNOWN` when the call is made. To refer
 * to a value that is text like `'cafe'`, write `new Ref(digest('cafe'))`.
 * Throws `DIGEST_TOO_SHORT` for less than four hexadecimal characters, `INDIGESTIBLE` for a value without a digest.
 */
export function D(value: unknown): Ref {
  if (typeof value !== 'string' || !HEX.test(value)) return new Ref(digest(value));
  if (value.length >= SHORTEST) return new Ref(value);
  throw new FlecheError('DIGEST_TOO_SHORT', `"${value}" is too short for a digest prefix`, {
    hint: `Write at least ${SHORTEST} characters; to refer to this very text, write new Ref(digest('${value}')).`,
  });
}
