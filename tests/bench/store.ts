/**
 * What the stores cost, against a bare `lmdb` read or write in the same run: `node --import tsx tests/bench/store.ts`.
 * Medians of several rounds; the ratio is the figure to watch, since clocks and machines differ.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Digest, sha256 } from '../../core/base/hash.ts';
import { openLmdb } from '../../core/store/lmdb/lmdb.ts';
import { loadLmdb } from '../../core/store/lmdb/lmdb-load.ts';
import { MemoryCallStore, MemoryValueStore } from '../../core/store/memory.ts';
import type { CallRecord } from '../../core/store/record.ts';
import { aRecord } from '../store/_record.ts';

const COUNT = 2000;
const ROUNDS = 15;

interface Row {
  readonly what: string;
  /** µs per operation. */
  readonly cost: number;
  readonly base: number | undefined;
}

/** µs per call of `action`, which is called for 0 to `count` - 1; the median of the rounds. */
function measure(action: (index: number) => unknown, count = COUNT, rounds = ROUNDS, after = (): void => {}): number {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let index = 0; index < count; index++) action(round * count + index);
    times.push(Number(process.hrtime.bigint() - start) / count / 1000);
    after();
  }
  times.sort((a, b) => a - b);
  return times[rounds >> 1] ?? Number.NaN;
}

function blob(index: number, size: number): { readonly digest: Digest; readonly bytes: Uint8Array } {
  const bytes = Buffer.alloc(size, `${index} `);
  return { digest: sha256(bytes), bytes };
}

const folder = mkdtempSync(join(tmpdir(), 'fleche-bench-'));
const rows: Row[] = [];
const add = (what: string, cost: number, base?: number): number => {
  rows.push({ what, cost, base });
  return cost;
};
const small = Array.from({ length: COUNT }, (_, index) => blob(index, 100));
const middling = Array.from({ length: COUNT }, (_, index) => blob(index, 4000));
const records = Array.from({ length: COUNT }, (_, index) =>
  aRecord({ name: `f${index % 20}`, salt: `${index}`, filed: 1.7e12 + index }),
);
const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;

const bare = loadLmdb().open<Uint8Array, Uint8Array>({
  path: join(folder, 'bare'),
  encoding: 'binary',
  keyEncoding: 'binary',
  overlappingSync: false,
});
const table = bare.openDB({ name: 'values', encoding: 'binary', keyEncoding: 'binary' });
const keys = small.map(({ digest }) => Buffer.from(digest, 'hex'));
const absent = records.map((record) => Buffer.from(record.key, 'hex'));
bare.transactionSync(() => {
  for (const [index, key] of keys.entries()) void table.put(key, at(small, index).bytes);
});
const bareHit = add(
  'bare lmdb: get, 100 B',
  measure((index) => table.get(at(keys, index))),
);
const bareMiss = add(
  'bare lmdb: get, miss',
  measure((index) => table.get(at(absent, index))),
);
const bareSingle = add(
  'bare lmdb: putSync, 100 B',
  measure((index) => table.putSync(at(keys, index), Buffer.from(`${index}`)), 20),
);
const bareBatch = add(
  'bare lmdb: put, 1000 in a transaction',
  measure(
    (round) =>
      bare.transactionSync(() => {
        for (let index = 0; index < 1000; index++) void table.put(at(keys, index), Buffer.from(`${round} ${index}`));
      }),
    1,
  ) / 1000,
);

const memory = { values: new MemoryValueStore(), calls: new MemoryCallStore() };
add(
  'memory: put blob, 100 B',
  measure((index) => memory.values.put(at(small, index).digest, at(small, index).bytes)),
);
add(
  'memory: get blob, 100 B',
  measure((index) => memory.values.get(at(small, index).digest)),
  bareHit,
);
add(
  'memory: put record',
  measure((index) => memory.calls.put(at(records, index))),
);
add(
  'memory: get record',
  measure((index) => memory.calls.get(at(records, index).key)),
  bareHit,
);
add(
  'memory: find by name, 100 of 2000',
  measure((index) => [...memory.calls.find({ name: `f${index % 20}` })], 20),
);

const stores = openLmdb(join(folder, '.fleche'), { onTrouble: (message) => console.error(message) });
const { values, calls } = stores;
add(
  'lmdb: put blob into the overlay, 100 B',
  measure(
    (index) => values.put(at(small, index).digest, at(small, index).bytes),
    900,
    ROUNDS,
    () => stores.flush(),
  ),
);
add(
  'lmdb: put record into the overlay',
  measure(
    (index) => calls.put(at(records, index)),
    900,
    ROUNDS,
    () => stores.flush(),
  ),
);
for (const { digest, bytes } of [...small, ...middling]) values.put(digest, bytes);
for (const record of records) calls.put(record);
stores.flush();
add(
  'lmdb: get blob + verify, 100 B',
  measure((index) => values.get(at(small, index).digest)),
  bareHit,
);
add(
  'lmdb: get blob + verify, 4000 B',
  measure((index) => values.get(at(middling, index).digest)),
  bareHit,
);
add(
  'lmdb: has blob, 100 B',
  measure((index) => values.has(at(small, index).digest)),
  bareHit,
);
add(
  'lmdb: get blob, miss (and no file)',
  measure((index) => values.get(at(records, index).key)),
  bareMiss,
);
add(
  'lmdb: get record + decode',
  measure((index) => calls.get(at(records, index).key)),
  bareHit,
);
add(
  'lmdb: get record, miss',
  measure((index) => calls.get(at(small, index).digest as CallRecord['key'])),
  bareMiss,
);
add(
  'lmdb: find by name, 100 of 2000',
  measure((index) => [...calls.find({ name: `f${index % 20}` })], 20),
);
add(
  'lmdb: find by part, 1 of 2000',
  measure((index) => [...calls.find({ parts: { 'arg:x': sha256(`${index % COUNT}`) } })], 200),
);
let fresh = 0;
add(
  'lmdb: put + flush, blob of 100 B',
  measure(() => {
    const { digest, bytes } = blob(++fresh + 1e6, 100);
    values.put(digest, bytes);
    stores.flush();
  }, 20),
  bareSingle,
);
add(
  'lmdb: put + flush, blob and record',
  measure(() => {
    const { digest, bytes } = blob(++fresh + 1e6, 100);
    values.put(digest, bytes);
    calls.put(aRecord({ salt: `${fresh}`, filed: 1.7e12 + fresh }));
    stores.flush();
  }, 20),
  bareSingle,
);
add(
  'lmdb: put blob, 1000 in a commit',
  measure(() => {
    for (let index = 0; index < 999; index++) {
      const { digest, bytes } = blob(++fresh + 1e6, 100);
      values.put(digest, bytes);
    }
    stores.flush();
  }, 1) / 1000,
  bareBatch,
);
add(
  'lmdb: put record, 1000 in a commit',
  measure(() => {
    for (let index = 0; index < 999; index++) calls.put(aRecord({ salt: `${++fresh}`, filed: 1.7e12 + fresh }));
    stores.flush();
  }, 1) / 1000,
  bareBatch,
);
add(
  'lmdb: put blob of 100 KB (a file), no flush',
  measure(() => values.put(...large(++fresh)), 10),
);
add(
  'lmdb: put blob of 100 KB (a file), flushed',
  measure(() => {
    values.put(...large(++fresh));
    stores.flush();
  }, 10),
);
add(
  'lmdb: get blob of 100 KB (a file)',
  measure(() => values.get(large(fresh)[0]), 10),
);

function large(index: number): [Digest, Uint8Array] {
  const { digest, bytes } = blob(index + 2e6, 100_000);
  return [digest, bytes];
}

await stores.close();
await bare.close();
rmSync(folder, { recursive: true, force: true });

for (const { what, cost, base } of rows) {
  const ratio = base === undefined ? '' : `${(cost / base).toFixed(2)}x`;
  console.log(`${what.padEnd(46)}${cost.toFixed(2).padStart(10)} µs ${ratio.padStart(9)}`);
}
