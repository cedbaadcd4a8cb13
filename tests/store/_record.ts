/** Records for the tests of the stores. */
import fc from 'fast-check';
import { asKey, type Digest, type Key, sha256 } from '../../core/base/hash.ts';
import type { CallTerms } from '../../core/store/calls.ts';
import type { CallRecord, Json, Part } from '../../core/store/record.ts';

/** How many cases a property test takes. */
export const CASES: number = process.env['FLECHE_TEST_PROFILE'] === 'nightly' ? 2_000 : 60;

/** A small record of a function; `salt` decides its key, its argument and its result. */
export function aRecord(fields: Partial<CallRecord> & { readonly salt?: string } = {}): CallRecord {
  const { salt = 'a', ...given } = fields;
  return {
    key: aKey(salt),
    kind: 'function',
    name: 'f',
    module: 'src/f.ts',
    parts: [
      { name: 'identity', kind: 'identity', digest: sha256('identity'), blob: null },
      { name: 'code', kind: 'code', digest: sha256('code'), blob: null },
      { name: 'arg:x', kind: 'argument', digest: sha256(salt), blob: resultBlob(salt) },
    ],
    failure: null,
    result: { digest: sha256(`result ${salt}`), blob: resultBlob(salt) },
    promised: false,
    outputs: null,
    log: null,
    metadata: { runtime: { ms: 1.5 } },
    filed: 1_700_000_000_000,
    ...given,
  };
}

export function aKey(salt: string): Key {
  return asKey(sha256(`key ${salt}`));
}

export function resultBytes(salt: string): Uint8Array {
  return Buffer.from(`result of ${salt}`);
}

export function resultBlob(salt: string): Digest {
  return sha256(resultBytes(salt));
}

/** Few of everything, so that records share terms, times and keys. */
const few = <T>(...choices: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...choices);
const fewDigests: fc.Arbitrary<Digest> = few('1', '2', '3').map((text) => sha256(text));
const tagValue = few<string | number | boolean | null>('v', '1', 1, true, null);
const partName = few('arg:x', 'needs:a', 'inputs', 'env:E', 'both');

const parts: fc.Arbitrary<readonly Part[]> = fc.uniqueArray(
  fc
    .record({ name: partName, digest: fewDigests, blob: fc.option(fewDigests), indexed: fc.boolean() })
    .map(({ indexed, ...part }): Part => ({ ...part, kind: kindOf(part.name, indexed) })),
  { selector: (part) => part.name, maxLength: 4 },
);

function kindOf(name: string, indexed: boolean): Part['kind'] {
  if (name === 'arg:x') return 'argument';
  if (name === 'needs:a') return 'upstream';
  if (name === 'inputs') return 'files';
  return name === 'both' && indexed ? 'files' : 'env';
}

export const someKey: fc.Arbitrary<Key> = few('a', 'b', 'c', 'd', 'e', 'f').map(aKey);

/** Any record that a call can have. */
export const someRecord: fc.Arbitrary<CallRecord> = fc
  .record({
    key: someKey,
    kind: few<CallRecord['kind']>('function', 'task', 'transform'),
    name: fc.oneof(few('f', 'g'), fc.string({ unit: 'binary' })),
    module: fc.oneof(few<string | null>('m', 'n', null), fc.string()),
    parts,
    failure: fc.option(
      fc.record({
        message: fc.string({ unit: 'binary' }),
        exitCode: fc.option(fc.nat(255)),
        signal: fc.option(few('SIGKILL')),
      }),
    ),
    result: fc.option(fc.record({ digest: fewDigests, blob: fewDigests })),
    promised: fc.boolean(),
    outputs: fc.option(fewDigests),
    log: fc.option(fewDigests),
    metadata: fc.record({
      tags: fc.dictionary(few('t', 'u'), tagValue),
      other: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue() as fc.Arbitrary<Json>),
    }),
    filed: fc.oneof(few(0, 1, 2), few(-1, 0.5, 1_700_000_000_000, 1_700_000_000_000.25)),
  })
  // Without what JSON does not keep: fast-check likes objects without a prototype.
  .map((record) => JSON.parse(JSON.stringify(record)) as CallRecord);

/** Any question about such records. */
export const someTerms: fc.Arbitrary<CallTerms> = fc.record(
  {
    kind: few<CallRecord['kind']>('function', 'task', 'transform'),
    name: few('f', 'g'),
    module: few('m', 'n'),
    parts: fc.dictionary(partName, fewDigests, { minKeys: 1, maxKeys: 2 }),
    uses: fewDigests,
    result: fewDigests,
    tags: fc.dictionary(few('t', 'u'), tagValue, { minKeys: 1, maxKeys: 2 }),
    since: few(-2, 0, 0.5, 1, 1_700_000_000_000),
    until: few(0, 1, 2, 1_700_000_000_000.25),
  },
  { requiredKeys: [] },
);
