/**
 * What memoised functions cost: `node --import tsx tests/bench/functions.ts [--large] [--peers]`. Printed beside the
 * figures published for the Python library of the same name, and beside peers measured in the same run: a bare `lmdb`
 * read, a plain map, and with `--peers` npm packages that are installed into a temporary folder. `--large` asks a cache
 * of a million calls, which takes a few minutes to fill. The best of several rounds counts: what else the machine does
 * can only add to it. What is cold is the cache; the two lines about a process say what its first calls cost beside.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { digest } from '../../core/base/digest.ts';
import { sha256 } from '../../core/base/hash.ts';
import { Cache } from '../../core/call/caches/cache.ts';
import { LocalCache } from '../../core/call/caches/local-cache.ts';
import { cache } from '../../core/call/context.ts';
import { fleche } from '../../core/call/memo/fleche.ts';
import { loadLmdb } from '../../core/store/lmdb/lmdb-load.ts';
import { MemoryCallStore, MemoryValueStore } from '../../core/store/memory.ts';
import { large } from './_large.ts';

const ROUNDS = 15;

interface Row {
  readonly what: string;
  /** µs. */
  readonly cost: number;
  /** What the Python library is published to take, µs. */
  readonly reference: number | undefined;
}
const rows: Row[] = [];
const add = (what: string, cost: number, reference?: number): void => {
  rows.push({ what, cost, reference });
};
/** µs per call of `action`, which is called for 0, 1, 2, … */
function measure(action: (index: number) => unknown, count = 2000, rounds = ROUNDS): number {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let index = 0; index < count; index++) action(round * count + index);
    times.push(Number(process.hrtime.bigint() - start) / count / 1000);
  }
  return Math.min(...times);
}

async function measureLater(action: (index: number) => unknown, count = 500, rounds = ROUNDS): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let index = 0; index < count; index++) await action(index);
    times.push(Number(process.hrtime.bigint() - start) / count / 1000);
  }
  return Math.min(...times);
}

const folder = mkdtempSync(join(tmpdir(), 'fleche-bench-'));
const memoryCache = (): Cache => new Cache(new MemoryValueStore(), new MemoryCallStore());
const local = new LocalCache(join(folder, 'cache'));
const KEYS = 1000;

// The first calls of a process, of the built package: settings are looked for, and no code is compiled.
const FIRST_CALLS = `
const { Cache, MemoryCallStore, MemoryValueStore, cache, fleche } = await import(process.argv[1]);
const memory = () => new Cache(new MemoryValueStore(), new MemoryCallStore());
const timed = (work) => {
  const start = process.hrtime.bigint();
  cache(memory(), work);
  return Number(process.hrtime.bigint() - start) / 1000;
};
const one = fleche((x) => x, { name: 'one' });
const fib = fleche((n) => (n < 2 ? n : fib(n - 1) + fib(n - 2)), { name: 'fib' });
console.log(JSON.stringify([timed(() => one(1)), timed(() => fib(20))]));`;
const index = new URL('../../dist/index.js', import.meta.url).href;
const firsts = Array.from({ length: 7 }, () => {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', FIRST_CALLS, index], {
    encoding: 'utf8',
  });
  return JSON.parse(stdout) as readonly [number, number];
});
add('process: first call of all', Math.min(...firsts.map(([one]) => one)));
add('process: fib(20) cold, right after it', Math.min(...firsts.map(([, fib]) => fib)), 6700);

// Digests, of values that differ each time.
const list = (length: number) => (index: number) => Array.from({ length }, (_, at) => index * length + at);
const lists = Array.from({ length: 200 }, (_, index) => list(100)(index));
const longLists = Array.from({ length: 50 }, (_, index) => list(500)(index));
const objects = Array.from({ length: 200 }, (_, index) => ({
  name: `n${index}`,
  size: index,
  flags: [true, false],
  at: null,
}));
const text = 'x'.repeat(500);
const pick = <T>(from: readonly T[], index: number): T => from[index % from.length] as T;
add(
  'digest: small integer',
  measure((index) => digest(index % KEYS)),
  2.3,
);
add(
  'digest: integer',
  measure((index) => digest(index + KEYS)),
  2.3,
);
add(
  'digest: text, 10 characters',
  measure((index) => digest(`text ${index % 9999}`)),
  2.1,
);
add(
  'digest: text, 500 characters',
  measure((index) => digest(text + index)),
  2.9,
);
add(
  'digest: list of 100 integers',
  measure((index) => digest(pick(lists, index)), 200),
  470,
);
add(
  'digest: list of 500 integers',
  measure((index) => digest(pick(longLists, index)), 50),
);
add(
  'digest: small object',
  measure((index) => digest(pick(objects, index)), 1000),
  18,
);

// Functions.
const trivial = fleche((x: number) => x * 2, { name: 'trivial' });
const fib = fleche((n: number): number => (n < 2 ? n : fib(n - 1) + fib(n - 2)), { name: 'fib' });
const three = fleche((x: number, text: string, { scale }: { scale: number }) => x * scale + text.length, {
  name: 'three',
});
const later = fleche(async (x: number) => x * 2, { name: 'later' });
const bytes = fleche((x: number) => new Float64Array(10_000).fill(x), { name: 'bytes' });

add(
  'fib(20) cold, memory',
  measure(() => cache(memoryCache(), () => fib(20)), 20),
  6700,
);

const kinds = [
  { name: 'memory', store: memoryCache(), hit: 190, contains: 140, miss: 310 },
  { name: 'LMDB', store: local, hit: 1200, contains: 460, miss: 3500 },
];
for (const { name, store, hit, contains, miss } of kinds) {
  await cache(store, async () => {
    for (let index = 0; index < KEYS; index++) trivial(index);
    for (let index = 0; index < KEYS; index++) three(index, 'text', { scale: 2 });
    for (let index = 0; index < 500; index++) await later(index);
    for (let index = 0; index < 20; index++) bytes(index);
    store.flush();
    add(
      `${name}: hit`,
      measure((index) => trivial(index % KEYS)),
      hit,
    );
    add(
      `${name}: hit, three arguments`,
      measure((index) => three(index % KEYS, 'text', { scale: 2 })),
      hit,
    );
    add(`${name}: hit, asynchronous`, await measureLater((index) => later(index)), hit);
    add(
      `${name}: hit, 80 KB`,
      measure((index) => bytes(index % 20), 20),
      name === 'memory' ? 210 : 1200,
    );
    add(
      `${name}: contains`,
      measure((index) => trivial.contains(index % KEYS)),
      contains,
    );
    let next = KEYS;
    add(
      `${name}: miss overhead, flushed every 100`,
      measure(() => {
        for (let index = 0; index < 100; index++) trivial(next++);
        store.flush();
      }, 5) / 100,
      miss,
    );
  });
}

// Peers, in this very run.
const bare = loadLmdb().open<Uint8Array, Uint8Array>({
  path: join(folder, 'bare'),
  encoding: 'binary',
  keyEncoding: 'binary',
});
const keys = Array.from({ length: KEYS }, (_, index) => Buffer.from(sha256(`${index}`), 'hex'));
bare.transactionSync(() => {
  for (const key of keys) void bare.put(key, Buffer.alloc(100));
});
add(
  'peer: bare lmdb, read 100 B',
  measure((index) => bare.get(pick(keys, index))),
);
const map = new Map<string, number>();
const mapped = (...args: number[]): number => {
  const key = JSON.stringify(args);
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = (args[0] ?? 0) * 2;
  map.set(key, made);
  return made;
};
add(
  'peer: map under JSON text, hit',
  measure((index) => mapped(index % KEYS)),
);
if (process.argv.includes('--peers')) await peers(join(folder, 'peers'));
await bare.close();
if (process.argv.includes('--large')) await large(join(folder, 'large'), add);

console.log(`${'what'.padEnd(44)}${'µs'.padStart(10)}${'Python µs'.padStart(12)}${'ratio'.padStart(9)}`);
for (const { what, cost, reference } of rows) {
  const beside =
    reference === undefined ? '' : `${String(reference).padStart(12)}${(reference / cost).toFixed(1).padStart(8)}x`;
  console.log(`${what.padEnd(44)}${cost.toFixed(cost < 100 ? 2 : 0).padStart(10)}${beside}`);
}
await local.close();
rmSync(folder, { recursive: true });

/** Packages of the same kind. One that cannot be installed or does not run here is left out. */
async function peers(target: string): Promise<void> {
  const npm = spawnSync(
    'npm',
    ['install', '--prefix', target, '--no-audit', '--no-fund', 'memoize-fs', 'p-memoize', 'cacache'],
    {
      encoding: 'utf8',
    },
  );
  if (npm.status !== 0) return console.log(`peers could not be installed:\n${npm.stderr}`);
  const load = (path: string): Promise<Record<string, unknown>> =>
    import(pathToFileURL(join(target, 'node_modules', path)).href);
  type Wrap = (fn: (x: number) => Promise<number>) => Promise<(x: number) => Promise<number>>;
  const body = async (x: number): Promise<number> => x * 2;
  const trials: readonly [string, () => Promise<(index: number) => unknown>][] = [
    ['p-memoize, hit in memory', async () => ((await load('p-memoize/dist/index.js'))['default'] as Wrap)(body)],
    [
      'memoize-fs, hit on disk',
      async () => {
        const make = (await load('memoize-fs/dist/index.js'))['default'] as (options: object) => { fn: Wrap };
        return make({ cachePath: join(target, 'memoize-fs') }).fn(body);
      },
    ],
    [
      'cacache, get by key on disk',
      async () => {
        const cacache = (await load('cacache/lib/index.js'))['default'] as Record<
          'put' | 'get',
          (...args: unknown[]) => Promise<unknown>
        >;
        for (let index = 0; index < 100; index++)
          await cacache.put(join(target, 'cacache'), `${index}`, `${index * 2}`);
        return (index) => cacache.get(join(target, 'cacache'), `${index}`);
      },
    ],
  ];
  for (const [name, make] of trials) {
    try {
      const hit = await make();
      for (let index = 0; index < 100; index++) await hit(index);
      add(`peer: ${name}`, await measureLater(hit, 100, 7));
    } catch (error) {
      console.log(`peer ${name} does not run here: ${error}`);
    }
  }
}
