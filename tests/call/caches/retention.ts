import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Digest, sha256 } from '../../../core/base/hash.ts';
import { expendable, type Weighed } from '../../../core/call/caches/retention.ts';
import { aKey, aRecord } from '../../store/_record.ts';

const NOW = 1_800_000_000_000;
const DAY = 24 * 60 * 60 * 1000;
const [big, small, shared] = ['big', 'small', 'shared'].map(sha256) as [Digest, Digest, Digest];
const sizes = new Map([
  [big, 1000],
  [small, 10],
  [shared, 500],
]);
const sizeOf = (blob: Digest): number => sizes.get(blob) ?? 0;

function weighed(salt: string, daysAgo: number, blobs: readonly Digest[], name = 'f'): Weighed {
  return { record: aRecord({ salt, name, filed: NOW - daysAgo * DAY }), blobs };
}

function keysOf(records: readonly { readonly key: string }[]): readonly string[] {
  return records.map(({ key }) => key);
}

test('without limits everything stays', () => {
  assert.equal(expendable([weighed('a', 1, [big]), weighed('b', 900, [small])], sizeOf, { now: NOW }), []);
});

test('what is older than the age goes, but for the newest of each function', () => {
  const records = [weighed('a', 1, []), weighed('b', 40, []), weighed('c', 50, [], 'other')];
  const gone = expendable(records, sizeOf, { now: NOW, maxAgeMs: 30 * DAY });
  assert.equal(keysOf(gone), [aKey('b')]);
});

test('the oldest go until the rest fits', () => {
  const records = [weighed('a', 1, [small]), weighed('b', 2, [big]), weighed('c', 3, [small])];
  assert.equal(keysOf(expendable(records, sizeOf, { now: NOW, maxBytes: 50 })), [aKey('b')]);
});

test('a value that several records name counts once', () => {
  const records = [weighed('a', 1, [shared]), weighed('b', 2, [shared]), weighed('c', 3, [shared])];
  assert.equal(expendable(records, sizeOf, { now: NOW, maxBytes: 500 }), []);
});

test.run();
