/** A cache of a million calls of a hundred functions, and what it costs to ask it and to collect what it has left over. */
import { digest } from '../../core/base/digest.ts';
import { sha256 } from '../../core/base/hash.ts';
import { Cache } from '../../core/call/caches/cache.ts';
import { LocalCache } from '../../core/call/caches/local-cache.ts';
import { cache } from '../../core/call/context.ts';
import { fleche } from '../../core/call/memo/fleche.ts';
import { MemoryCallStore, MemoryValueStore } from '../../core/store/memory.ts';
import type { CallRecord } from '../../core/store/record.ts';

const COUNT = 1_000_000;
const FUNCTIONS = 100;
/** Values that calls have as arguments and results, and as many that none has. */
const VALUES = 10_000;
const ROUNDS = 7;

/** Fills a cache in `folder` and adds one line for each question, µs. */
export async function large(folder: string, add: (what: string, cost: number) => void): Promise<void> {
  const store = new LocalCache(folder);
  const start = performance.now();
  await fill(store);
  console.log(`filed ${COUNT} calls in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  const at = (index: number): number => (index * 7919) % COUNT;
  const ask = async (what: string, count: number, question: (index: number) => unknown): Promise<void> => {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now();
      for (let index = 0; index < count; index++) await question(round * count + index);
      times.push(((performance.now() - start) / count) * 1000);
    }
    add(`1 M calls: ${what}`, Math.min(...times));
  };
  await ask('query by name and argument', 100, (index) =>
    store.query({ name: `f${at(index) % FUNCTIONS}`, arguments: { x: at(index) } }).only(),
  );
  await ask('query by argument', 100, (index) => store.query({ arguments: { x: at(index) } }).only());
  await ask('the latest of a function', 100, (index) => store.query({ name: `f${index % FUNCTIONS}` }).latest());
  await ask('table of 1000 rows, arguments and results', 1, (index) =>
    store
      .query({ name: `f${index % FUNCTIONS}` })
      .take(1000)
      .table({ arguments: true, results: true }),
  );
  await ask('key from its first 12 characters', 100, (index) => store.load(sha256(`${at(index)}`).slice(0, 12)));
  const collecting = performance.now();
  const { removed, kept } = await store.gc({ grace: 0 });
  add(`1 M calls: gc, ${removed} of ${removed + kept} values removed`, (performance.now() - collecting) * 1000);
  await store.close();
}

async function fill(store: LocalCache): Promise<void> {
  const template = aRecord();
  const blobs = await Promise.all(Array.from({ length: VALUES }, (_, value) => store.keep([value], digest([value]))));
  for (let value = 0; value < VALUES; value++) await store.keep({ value }, digest({ value }));
  for (let index = 0; index < COUNT; index++) {
    const result = blobs[index % VALUES] ?? null;
    const parts = template.parts.map((part) =>
      part.name === 'arg:x' ? { ...part, digest: digest(index), blob: result?.blob ?? null } : part,
    );
    const key = sha256(`${index}`) as CallRecord['key'];
    store.file({ ...template, key, name: `f${index % FUNCTIONS}`, parts, result, filed: 1e12 + index });
    if (index % 5000 !== 0) continue;
    store.flush();
    await new Promise((resolve) => setImmediate(resolve));
  }
  store.flush();
}

/** The record of a call as a memoised function files it. */
function aRecord(): CallRecord {
  const called = fleche((x: number) => x * 2, { name: 'called' });
  return cache(new Cache(new MemoryValueStore(), new MemoryCallStore()), () => {
    called(1);
    return called.query().only().record;
  });
}
