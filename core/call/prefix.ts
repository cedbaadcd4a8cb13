/** Short digests: completing a prefix, and finding the shortest one that is still unique. For people, not for storage. */
import { type Awaitable, chain } from '../base/awaitable.ts';
import { FlecheError } from '../base/errors.ts';
import { type Digest, isDigest, type Key } from '../base/hash.ts';
import { byCodeUnit } from '../base/order.ts';
import type { SyncValueStore } from '../store/values.ts';
import type { CacheCore } from './caches/cache-core.ts';

/** The least number of characters a prefix may have. */
export const SHORTEST = 4;

/** Whether a text could be a digest or the beginning of one, so that a name with a typo is not looked up as such. */
export function mayBeDigest(text: string): boolean {
  return text.length >= SHORTEST && /^[0-9a-f]+$/i.test(text);
}

/**
 * The one digest that begins with `prefix`, among keys and values of the cache. A complete digest is returned as it is.
 * Throws `DIGEST_TOO_SHORT`, `DIGEST_UNKNOWN`, or `DIGEST_AMBIGUOUS` with the number of characters needed.
 */
export function expand(cache: CacheCore, prefix: string): Awaitable<Digest> {
  return complete(prefix, (prefix, limit) =>
    chain(cache.keysMatching(prefix, limit), (keys) =>
      chain(cache.valuesMatching(prefix, limit), (values) =>
        [...new Set<Digest>([...keys, ...values])].sort(byCodeUnit),
      ),
    ),
  );
}

/** As `expand`, among everything that a local store holds, files, logs and lists too: it takes a listing of them all. */
export function expandStored(values: SyncValueStore, prefix: string): Awaitable<Digest> {
  return complete(prefix, (prefix, limit) => {
    const found = new Set(values.matching(prefix, limit));
    for (const { digest } of values.list()) if (digest.startsWith(prefix)) found.add(digest);
    return [...found].sort(byCodeUnit).slice(0, limit);
  });
}

/** As `expand`, among values only: what a `Ref` argument means. */
export function expandValue(cache: CacheCore, prefix: string): Awaitable<Digest> {
  return complete(prefix, (prefix, limit) => cache.valuesMatching(prefix, limit));
}

/** As `expand`, among keys only. */
export function expandKey(cache: CacheCore, prefix: string): Awaitable<Key> {
  return complete(prefix, (prefix, limit) => cache.keysMatching(prefix, limit)) as Awaitable<Key>;
}

/** More than this many candidates say no more than the first few. */
const CANDIDATES = 16;

function complete(
  text: string,
  matching: (prefix: string, limit: number) => Awaitable<readonly Digest[]>,
): Awaitable<Digest> {
  const prefix = text.toLowerCase();
  if (isDigest(prefix)) return prefix;
  if (prefix.length < SHORTEST) {
    throw new FlecheError('DIGEST_TOO_SHORT', `"${prefix}" is too short for a digest prefix`, {
      hint: `Write at least ${SHORTEST} characters.`,
    });
  }
  return chain(matching(prefix, CANDIDATES), (candidates) => {
    const [first, ...others] = candidates;
    if (first === undefined) {
      throw new FlecheError('DIGEST_UNKNOWN', `nothing in the cache has a digest that begins with ${prefix}`, {
        hint: 'Make the value again, or use the cache that has it.',
      });
    }
    if (others.length === 0) return first;
    const needed = Math.max(...others.map((other, at) => sharedLength(candidates[at] ?? first, other))) + 1;
    throw new FlecheError('DIGEST_AMBIGUOUS', `${prefix} is the beginning of ${many(candidates.length)} digests`, {
      hint: `Write at least ${needed} characters.`,
    });
  });
}

function many(count: number): string {
  return count < CANDIDATES ? String(count) : `${count} or more`;
}

/** The shortest unique prefix of a digest in the cache, at least four characters. It can stop being unique later. */
export function shrink(cache: CacheCore, digest: Digest): Awaitable<string> {
  const neighbours = (limit: number): Awaitable<readonly Digest[]> =>
    chain(cache.keysMatching(digest.slice(0, SHORTEST), limit), (keys) =>
      chain(cache.valuesMatching(digest.slice(0, SHORTEST), limit), (values) => [...keys, ...values]),
    );
  return chain(neighbours(Number.MAX_SAFE_INTEGER), (all) => {
    const shared = all.filter((other) => other !== digest).map((other) => sharedLength(digest, other));
    return digest.slice(0, Math.max(SHORTEST, ...shared.map((length) => length + 1)));
  });
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}
