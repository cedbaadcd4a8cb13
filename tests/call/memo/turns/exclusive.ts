import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encode } from '../../../../core/base/encode.ts';
import { FlecheError } from '../../../../core/base/errors.ts';
import { asKey, type Digest, sha256 } from '../../../../core/base/hash.ts';
import type { Exclusion } from '../../../../core/call/caches/cache-core.ts';
import { LocalCache } from '../../../../core/call/caches/local-cache.ts';
import { cache } from '../../../../core/call/context.ts';
import { fleche } from '../../../../core/call/memo/fleche.ts';
import { type Filed, handoverText } from '../../../../core/call/memo/turns/handover.ts';
import type { LazyCall } from '../../../../core/call/query/lazy-call.ts';
import type { Lease } from '../../../../core/store/leases.ts';
import { bundled } from '../../../_bundled.ts';
import { memoryCache } from '../../_caches.ts';
import { SharedCache } from '../../_shared.ts';
import { warningsOf } from '../../_warnings.ts';

const WORKER = bundled(resolve(import.meta.dirname, '_exclusive-worker.ts'));

interface Worker {
  readonly child: ChildProcess;
  /** Resolves when it waits for another process. */
  readonly waits: Promise<void>;
  /** What it printed last, when it has ended. */
  readonly answer: Promise<string>;
}

function start(root: string, ...args: readonly string[]): Worker {
  const child = spawn(process.execPath, [WORKER, root, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const waits = new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk;
      if (output.includes('waits\n')) resolve();
    });
  });
  const answer = new Promise<string>((done) => {
    child.on('close', () => done(output.trim().split('\n').at(-1) ?? ''));
  });
  return { child, waits, answer };
}

const runs = (root: string): number => readFileSync(join(root, 'runs'), 'utf8').split('\n').length - 1;
/** When a worker has begun to run the function. */
function begun(root: string): Promise<void> {
  return new Promise((done) => {
    const seen = (): void => {
      if (!existsSync(join(root, 'runs')) || runs(root) === 0) return;
      watcher.close();
      done();
    };
    const watcher = watch(root, seen);
    seen();
  });
}

const folder = (): string => mkdtempSync(join(tmpdir(), 'fleche-'));

/** One process that makes the call and two that wait for it. */
async function oneAndTwo(root: string, ...args: readonly string[]): Promise<readonly Worker[]> {
  const first = start(root, ...args);
  await begun(root);
  const others = [start(root, ...args), start(root, ...args)];
  await Promise.all(others.map(({ waits }) => waits));
  return [first, ...others];
}

for (const kind of ['sync', 'async']) {
  test(`point 5: processes that ask at the same time share one execution (${kind})`, async () => {
    const root = folder();
    const workers = await oneAndTwo(root, kind, 'go');
    writeFileSync(join(root, 'go'), '');
    assert.equal(await Promise.all(workers.map(({ answer }) => answer)), ['42', '42', '42']);
    assert.is(runs(root), 1);
    rmSync(root, { recursive: true });
  });

  test(`point 1: a holder that is killed hangs nobody (${kind})`, async () => {
    const root = folder();
    const first = start(root, kind, 'go');
    await begun(root);
    const second = start(root, kind, '1');
    await second.waits;
    const killed = performance.now();
    first.child.kill('SIGKILL');
    assert.is(await second.answer, '42');
    assert.ok(performance.now() - killed < 2000);
    assert.is(runs(root), 2);
    rmSync(root, { recursive: true });
  });

  test(`point 2: who waits for a call that fails gets the error (${kind})`, async () => {
    const root = folder();
    const workers = await oneAndTwo(root, kind, 'go', 'fails');
    writeFileSync(join(root, 'go'), '');
    const answers = await Promise.all(workers.map(({ answer }) => answer));
    assert.equal(answers, ['RangeError: failed 21', 'RangeError: failed 21', 'RangeError: failed 21']);
    assert.is(runs(root), 1);
    rmSync(root, { recursive: true });
  });
}

test('a lease is given back whatever the call does', async () => {
  const root = folder();
  const store = new LocalCache(root);
  const held: number[] = [];
  const leased = fleche(
    (what: string): unknown => {
      held.push(store.exclusion?.leases.list().length ?? -1);
      if (what === 'throws') throw new Error(what);
      return what === 'rejects' ? Promise.reject(new Error(what)) : what;
    },
    { name: 'leased' },
  );
  await cache(store, async () => {
    assert.is(leased('returns'), 'returns');
    assert.throws(() => leased('throws'));
    await Promise.resolve(leased('rejects')).then(
      () => assert.unreachable(),
      () => {},
    );
    assert.equal(held, [1, 1, 1]);
    assert.equal(store.exclusion?.leases.list(), []);
  });
  await store.close();
  rmSync(root, { recursive: true });
});

const leaseName = (name: string, key: string): string => `call ["tests/call/memo/turns/exclusive.ts","${name}"] ${key}`;

let ran = 0;
/** Counts how often it is run. */
function twice(x: number): number {
  ran++;
  return x * 2;
}

/** What another process would file and hand over for a call of this function. */
function madeElsewhere(f: (x: number) => unknown, x: number, at?: number): Filed {
  const elsewhere = memoryCache();
  const { record } = cache(elsewhere, () => {
    try {
      f(x);
    } catch {
      // Its failure is what is wanted.
    }
    return elsewhere.query({ outcome: 'any' }).latest() as LazyCall;
  });
  const blob = record.result?.blob;
  const bytes = blob === undefined ? null : ((elsewhere.values.get(blob) as Uint8Array | undefined) ?? null);
  return { record: at === undefined ? record : { ...record, filed: at }, bytes };
}

test('an answer is handed over before it is committed', () => {
  ran = 0;
  const quick = fleche((x: number) => twice(x), { name: 'quick' });
  const store = new SharedCache();
  cache(store, () => {
    const lease = store.take(leaseName('quick', quick.digest(1)));
    const filed = madeElsewhere(quick, 1);
    ran = 0;
    store.seenBy('another process').release(lease, handoverText(filed));
    assert.is(quick(1), 2);
    assert.is(ran, 0);
    // It stays for whoever comes next, and is not filed by those who only take it.
    assert.is(store.notes.size, 1);
    assert.is(quick.contains(1), false);
    assert.is(quick(2), 4);
    assert.is(ran, 1);
    assert.is(store.notes.size, 1);
  });
  assert.is(store.leases.size, 0);
});

test('what was handed over is judged by its age, and gives way to what is newer', () => {
  let ran = 0;
  const clock = { now: 1_000_000 };
  const aging = fleche((x: number) => x + ++ran, { name: 'aging', staleAfter: 1000, now: () => clock.now });
  const store = new SharedCache();
  cache(store, () => {
    const name = leaseName('aging', aging.digest(1));
    const filed = madeElsewhere(aging, 1);
    store.seenBy('one').release(store.take(name, 'one'), handoverText(filed));
    clock.now += 2000;
    assert.is(aging(1), 3);
    store.seenBy('one').release(store.take(name, 'one'), handoverText(filed));
    clock.now += 500;
    assert.is(aging(1), 3);
  });
});

test('what somebody filed between the look and the lease is found', async () => {
  ran = 0;
  const sync = fleche((x: number) => twice(x), { name: 'sync' });
  const later = fleche(async (x: number) => twice(x), { name: 'later' });
  const store = new SharedCache();
  await cache(store, async () => {
    const filed = madeElsewhere(sync, 1);
    const filedLater = { ...filed, record: { ...filed.record, key: await later.digest(1), promised: true } };
    ran = 0;
    for (const [{ record, bytes }, call] of [
      [filed, () => sync(1)],
      [filedLater, () => later(1)],
    ] as const) {
      store.onRefresh.push(() => {
        store.values.put(record.result?.blob as Digest, bytes as Uint8Array);
        store.calls.put(record);
      });
      assert.is(await call(), 2);
    }
    assert.is(ran, 0);
    assert.is(store.leases.size, 0);
  });
});

test('who waits gets an error equal to that of the other process', async () => {
  const fail = (x: number): number => {
    throw Object.assign(new RangeError(`no ${x}`, { cause: new TypeError('why') }), { code: 'E_NO', list: [1, 2] });
  };
  const sync = fleche(fail, { name: 'failing' });
  const later = fleche(async (x: number) => fail(x), { name: 'failingLater' });
  const store = new SharedCache();
  const thrown = await later.original(1).catch((error: unknown) => error);
  await cache(store, async () => {
    const filed = madeElsewhere(sync, 1, Date.now() + 5000);
    const bytes = encode(thrown);
    const failure = { message: 'no 1', exitCode: null, signal: null, error: sha256(bytes) };
    const names = [leaseName('failing', sync.digest(1)), leaseName('failingLater', await later.digest(1))];
    for (const [at, call] of [sync, later].entries()) {
      const lease = store.take(names[at] ?? '');
      const key = asKey(names[at]?.slice(-64) ?? '');
      const text = handoverText({ record: { ...filed.record, key, failure, promised: at === 1 }, bytes });
      setImmediate(() => store.seenBy('another process').release(lease, text));
      // Blocking this thread would keep the pretended process from going on.
      if (at === 0) store.onRefresh.push(() => {});
      const waiting = at === 0 ? waitedFor(store, () => (call as typeof sync)(1), lease, text) : call(1);
      const error = await Promise.resolve(waiting).catch((error: unknown) => error);
      assert.ok(isDeepStrictEqual(error, thrown), String(error));
    }
    assert.is(sync.stats().metrics.coalesced, 1);
    assert.is((await later.stats()).metrics.coalesced, 1);
  });
});

/** Lets the pretended holder finish at this thread's second look at the lease. */
function waitedFor(store: SharedCache, call: () => unknown, lease: Lease, text: Uint8Array): unknown {
  const get = store.leases.get.bind(store.leases);
  let looks = 0;
  store.leases.get = (name) => {
    if (name === lease.name && ++looks === 3) store.seenBy('another process').release(lease, text);
    return get(name);
  };
  try {
    return call();
  } catch (error) {
    return Promise.reject(error);
  } finally {
    store.leases.get = get;
  }
}

test("a failure from before is nobody's answer", () => {
  let ran = 0;
  const recovering = fleche(
    (x: number) => {
      if (++ran === 1) throw new Error('only once');
      return x;
    },
    { name: 'recovering' },
  );
  const store = new SharedCache();
  cache(store, () => {
    const filed = madeElsewhere(recovering, 1, Date.now() - 1000);
    store.seenBy('one').release(store.take(leaseName('recovering', recovering.digest(1)), 'one'), handoverText(filed));
    assert.is(recovering(1), 1);
  });
});

test('nobody waits longer than wanted', async () => {
  let ran = 0;
  const options = { waitTimeout: 20 };
  const impatient = fleche((x: number) => ++ran + x, { ...options, name: 'impatient' });
  const impatientLater = fleche(async (x: number) => ++ran + x, { ...options, name: 'impatientLater' });
  const store = new SharedCache();
  await cache(store, async () => {
    store.take(leaseName('impatient', impatient.digest(1)));
    store.take(leaseName('impatientLater', await impatientLater.digest(1)));
    assert.is(impatient(1), 2);
    assert.is(await impatientLater(1), 3);
    assert.is(store.leases.size, 2);
    assert.is(impatient.stats().calculating, 1);
    assert.is(impatient.stats().metrics.waitTimeouts, 1);
    assert.is(impatient.clearBeingCalculated(), 1);
    assert.is(store.leases.size, 1);
  });
});

test('who waited too long makes the call, takes what is on file however old, or is told', async () => {
  const clock = { now: 1_000_000 };
  let ran = 0;
  const waiting = (onWaitTimeout: 'compute' | 'stale' | 'throw') =>
    fleche(async (x: number) => ++ran * 10 + x, {
      name: `waiting ${onWaitTimeout}`,
      staleAfter: 1000,
      waitTimeout: 1,
      onWaitTimeout,
      now: () => (clock.now += 0.5),
    });
  const store = new SharedCache();
  await cache(store, async () => {
    for (const kind of ['compute', 'stale', 'throw'] as const) {
      const f = waiting(kind);
      ran = 0;
      assert.is(await f(1), 11);
      clock.now += 2000;
      const lease = store.take(leaseName(`waiting ${kind}`, await f.digest(1)));
      const answer = await f(1).catch((error: unknown) => error);
      if (kind === 'compute') assert.is(answer, 21);
      else if (kind === 'stale') assert.is(answer, 11);
      else assert.is(answer instanceof FlecheError && answer.code, 'WAIT_TIMEOUT');
      if (kind === 'stale') assert.is(await f.with({ maxAge: 100 })(1), 21);
      store.seenBy('another process').release(lease);
    }
  });
});

test('waiting for this very process ends too', async () => {
  const ends: (() => void)[] = [];
  let ran = 0;
  const slow = fleche(
    async (x: number) => {
      if (++ran === 1) await new Promise<void>((end) => ends.push(end));
      return x * 10 + ran;
    },
    { name: 'slow', waitTimeout: 5 },
  );
  await cache(memoryCache(), async () => {
    const first = slow(1);
    assert.is(await slow(1), 12);
    ends[0]?.();
    assert.is(await first, 12);
    const { waitTimeouts, misses, coalesced } = (await slow.stats()).metrics;
    assert.equal([waitTimeouts, misses, coalesced], [1, 2, 0]);
  });
});

test('nobody waits for itself', async () => {
  const again = fleche(
    (x: number): unknown =>
      x === 0 ? 'done' : new Promise((resolve) => setImmediate(() => resolve(again.rerun(x - 1)))),
    { name: 'again' },
  );
  const store = new SharedCache();
  await cache(store, async () => {
    const first = again(1);
    const second = again.rerun(1);
    assert.equal(await Promise.all([first, second]), ['done', 'done']);
    assert.is(store.leases.size, 0);
  });
});

test('a thread that others may be waiting for does not block', async () => {
  const ends: (() => void)[] = [];
  const later = fleche(async (x: number) => new Promise((end) => ends.push(() => end(x))), { name: 'floating' });
  const sync = fleche((x: number) => x * 2, { name: 'blocking' });
  const store = new SharedCache();
  await cache(store, async () => {
    const pending = later(1);
    store.take(leaseName('blocking', sync.digest(1)));
    assert.is(sync(1), 2);
    ends[0]?.();
    assert.is(await pending, 1);
  });
});

test('callers in one process wait for another one together', async () => {
  ran = 0;
  const joint = fleche(async (x: number) => twice(x), { name: 'joint' });
  const store = new SharedCache();
  await cache(store, async () => {
    const lease = store.take(leaseName('joint', await joint.digest(1)));
    const calls = [joint(1), joint(1), joint(1)];
    store.seenBy('another process').release(lease);
    assert.equal(await Promise.all(calls), [2, 2, 2]);
    assert.is(ran, 1);
    assert.is(store.leases.size, 0);
  });
});

test('trouble with leases costs double work and one warning, also for strict functions', async () => {
  class BrokenCache extends SharedCache {
    override get exclusion(): Exclusion {
      const broken = (): never => {
        throw new Error('the leases are broken');
      };
      const leases = { ...super.exclusion.leases, acquire: broken, holder: broken, release: broken, list: broken };
      return { ...super.exclusion, leases: Object.assign(Object.create(super.exclusion.leases), leases) };
    }
  }
  ran = 0;
  const sturdy = fleche((x: number) => twice(x), { name: 'sturdy', strict: true });
  const sturdyLater = fleche(async (x: number) => twice(x), { name: 'sturdyLater', strict: true });
  const warnings = await warningsOf(() =>
    cache(new BrokenCache(), async () => {
      for (const x of [1, 2, 1, 2]) {
        assert.is(sturdy(x), x * 2);
        assert.is(await sturdyLater(x), x * 2);
      }
    }),
  );
  assert.is(ran, 4);
  assert.is(warnings.length, 2);
  assert.match(warnings[0] ?? '', /the leases are broken/);
});

test('a lease that cannot be given back is no trouble of the caller', () => {
  const given = fleche((x: number) => x, { name: 'given' });
  const store = new SharedCache();
  cache(store, () => {
    const original = fleche(
      (x: number) => {
        store.leases.clear();
        return given(x);
      },
      { name: 'robbed' },
    );
    assert.is(original(1), 1);
    assert.is(original(1), 1);
    assert.is(store.notes.size, 0);
  });
});

test('a cache that no other process sees needs no leases', () => {
  const alone = fleche((x: number) => x, { name: 'alone' });
  cache(memoryCache(), () => {
    assert.is(alone(1), 1);
    assert.is(alone(1), 1);
  });
});

test.run();
