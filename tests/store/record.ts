import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../core/base/hash.ts';
import { frozenRecord } from '../../core/store/frozen.ts';
import { type CallRecord, decodeRecord, encodeRecord } from '../../core/store/record.ts';
import { aRecord, CASES, someRecord } from './_record.ts';

test('a record at rest comes back as it was', () => {
  fc.assert(
    fc.property(someRecord, (record) => {
      const bytes = encodeRecord(record);
      assert.equal(decodeRecord(bytes), record);
      // Wherever in a larger buffer it lies.
      const within = Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(3)]);
      assert.equal(decodeRecord(within.subarray(3, 3 + bytes.length)), record);
    }),
    { numRuns: 20 * CASES },
  );
});

test('a frozen copy is equal, and frozen all through', () => {
  const isFrozen = (value: unknown): boolean =>
    typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));
  fc.assert(
    fc.property(someRecord, (record) => {
      const copy = frozenRecord(record);
      assert.equal(copy, record);
      assert.ok(isFrozen(copy));
    }),
    { numRuns: 20 * CASES },
  );
});

test('a frozen copy is what would come back from disk', () => {
  const odd = { nothing: undefined, none: [undefined], nan: Number.NaN, least: -0, endless: Infinity } as never;
  const record = aRecord({ metadata: { odd, proto: JSON.parse('{"__proto__": 1}') } });
  assert.equal(frozenRecord(record), decodeRecord(encodeRecord(record)));
});

test('metadata that is not plain JSON is refused when it is put', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  for (const wrong of [1n, () => 1, Symbol.iterator, cycle]) {
    assert.throws(
      () => frozenRecord(aRecord({ metadata: { user: { wrong: wrong as never } } })),
      (error: { code?: string }) => error.code === 'UNSTORABLE',
    );
  }
});

test('bytes cut off anywhere are no record', () => {
  const bytes = encodeRecord(aRecord());
  for (let length = 0; length < bytes.length; length++) assert.is(decodeRecord(bytes.subarray(0, length)), undefined);
  assert.is(decodeRecord(Buffer.concat([bytes, Buffer.alloc(1)])), undefined);
});

test('bytes with any one bit flipped are no record', () => {
  const bytes = Buffer.from(encodeRecord(aRecord()));
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 1; bit < 256; bit *= 2) {
      bytes.writeUInt8(bytes.readUInt8(at) ^ bit, at);
      assert.is(decodeRecord(bytes), undefined, `byte ${at}, bit ${bit}`);
      bytes.writeUInt8(bytes.readUInt8(at) ^ bit, at);
    }
  }
  assert.equal(decodeRecord(bytes), aRecord());
});

test('any bytes at all are a record or none, and never an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.is(decodeRecord(bytes), undefined);
    }),
    { numRuns: 20 * CASES },
  );
});

test('a checksum that fits does not make a record of something else', () => {
  const framed = (body: string): Buffer => {
    const bytes = Buffer.from(body);
    return Buffer.concat([Buffer.of(1), Buffer.from(sha256(bytes).slice(0, 16), 'hex'), bytes]);
  };
  const fields = JSON.parse(Buffer.from(encodeRecord(aRecord())).toString('utf8', 9)) as unknown[];
  assert.equal(decodeRecord(framed(JSON.stringify(fields))), aRecord());
  for (const body of ['', '{', 'null', '1', '[]', '{}', '"text"', '[1,2,3]']) {
    assert.is(decodeRecord(framed(body)), undefined, body);
  }
  // A digest that is a path must not get as far as a store that makes a file name of it.
  const failure = { message: 'failed', exitCode: null, signal: null, error: sha256('error') };
  const full = aRecord({ failure, outputs: sha256('outputs'), log: sha256('log') });
  const body = Buffer.from(encodeRecord(full)).toString('utf8', 9);
  const digests = body.match(/[0-9a-f]{64}/g) ?? [];
  assert.is(digests.length, 10);
  for (const digest of digests) {
    for (const other of ['../'.repeat(21).padEnd(64, 'x'), digest.slice(1), `${digest}0`, digest.toUpperCase()]) {
      assert.is(decodeRecord(framed(body.replace(digest, other))), undefined, other);
    }
    assert.is(decodeRecord(framed(body.replace(`"${digest}"`, '1'))), undefined);
  }
});

test('records of another version are none', () => {
  const bytes = Buffer.from(encodeRecord(aRecord()));
  for (const version of [0, 2, 255]) {
    bytes.writeUInt8(version, 0);
    assert.is(decodeRecord(bytes), undefined);
  }
});

test('the form at rest is the frozen one', () => {
  const file = new URL('../../fixtures/vectors/record-v1.json', import.meta.url);
  const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Record<string, Vector> };
  assert.ok(Object.keys(vectors).length >= 3);
  for (const [name, { record, bytes }] of Object.entries(vectors)) {
    assert.is(Buffer.from(encodeRecord(record)).toString('hex'), bytes, name);
    assert.equal(decodeRecord(Buffer.from(bytes, 'hex')), record, name);
  }
});

interface Vector {
  readonly record: CallRecord;
  readonly bytes: string;
}

test.run();
