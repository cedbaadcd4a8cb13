import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../core/base/errors.ts';
import { asDigest, asKey, type Digest, type Key } from '../../core/base/hash.ts';
import type { CacheCore } from '../../core/call/caches/cache-core.ts';
import { expand, expandKey, expandValue, shrink } from '../../core/call/prefix.ts';
import { memoryCache } from './_caches.ts';

const full = (prefix: string): string => prefix.padEnd(64, '0');
const codeOf = (body: () => unknown): string => {
  try {
    body();
  } catch (error) {
    return error instanceof FlecheError ? `${error.code} ${error.hint}` : String(error);
  }
  return 'none';
};

/** A cache that has these keys and values, by their beginnings. */
function having(keys: readonly string[], values: readonly string[]): CacheCore {
  const beginning = <D extends Digest>(all: readonly D[], prefix: string, limit: number): readonly D[] =>
    all.filter((digest) => digest.startsWith(prefix)).slice(0, limit);
  const sortedKeys = keys.map((key): Key => asKey(full(key))).sort();
  const sortedValues = values.map((value) => asDigest(full(value))).sort();
  return Object.assign(memoryCache(), {
    keysMatching: (prefix: string, limit: number) => beginning(sortedKeys, prefix, limit),
    valuesMatching: (prefix: string, limit: number) => beginning(sortedValues, prefix, limit),
  });
}

test('a prefix stands for the one digest that begins with it', () => {
  const cache = having(['abcd1', 'ffff'], ['abcd2']);
  assert.is(expand(cache, 'ffff'), full('ffff'));
  assert.is(expand(cache, 'FFFF'), full('ffff'));
  assert.is(expand(cache, 'abcd1'), full('abcd1'));
  assert.is(expandKey(cache, 'abcd'), full('abcd1'));
  assert.is(expandValue(cache, 'abcd'), full('abcd2'));
});

test('a complete digest is not looked for', () => {
  assert.is(expand(having([], []), full('1234')), full('1234'));
});

test('what is too short, unknown or ambiguous is told apart', () => {
  const cache = having(['abcd123', 'abcd129', 'abcd5'], ['abcd7']);
  assert.is(
    codeOf(() => expand(cache, 'abc')),
    'DIGEST_TOO_SHORT Write at least 4 characters.',
  );
  assert.match(
    codeOf(() => expand(cache, '9999')),
    /^DIGEST_UNKNOWN/,
  );
  assert.is(
    codeOf(() => expand(cache, 'abcd')),
    'DIGEST_AMBIGUOUS Write at least 7 characters.',
  );
  assert.is(
    codeOf(() => expandKey(cache, 'abcd12')),
    'DIGEST_AMBIGUOUS Write at least 7 characters.',
  );
  assert.match(
    codeOf(() => expandValue(cache, 'ffff')),
    /^DIGEST_UNKNOWN/,
  );
});

test('a key that is a value too is one digest', () => {
  assert.is(expand(having(['abcd'], ['abcd']), 'abcd'), full('abcd'));
});

test('a shrunk digest is unique, no shorter than four, and expands to itself', () => {
  const beginnings = fc.uniqueArray(fc.string({ unit: fc.constantFrom('0', 'a'), minLength: 4, maxLength: 9 }), {
    minLength: 1,
    selector: full,
  });
  fc.assert(
    fc.property(beginnings, fc.nat(), (all, coin) => {
      const cache = having(
        all.filter((_, at) => (coin >> at) % 2 === 0),
        all.filter((_, at) => (coin >> at) % 2 === 1),
      );
      for (const digest of all.map(full)) {
        const short = shrink(cache, asDigest(digest)) as string;
        assert.ok(digest.startsWith(short) && short.length >= 4);
        assert.is(expand(cache, short), digest);
        if (short.length > 4)
          assert.match(
            codeOf(() => expand(cache, short.slice(0, -1))),
            /^DIGEST_AMBIGUOUS/,
          );
      }
    }),
  );
});

test.run();
