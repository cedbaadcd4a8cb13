import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../core/base/digest.ts';
import { FlecheError } from '../../../core/base/errors.ts';
import type { BaseCache } from '../../../core/call/caches/base-cache.ts';
import { Cache } from '../../../core/call/caches/cache.ts';
import { cache, tags } from '../../../core/call/context.ts';
import { D } from '../../../core/call/d.ts';
import { fleche } from '../../../core/call/memo/fleche.ts';
import { LazyCall } from '../../../core/call/query/lazy-call.ts';
import { ANY, QueryCall, type QueryTemplate } from '../../../core/call/query/query-call.ts';
import type { CallTerms } from '../../../core/store/calls.ts';
import { MemoryCallStore, MemoryValueStore } from '../../../core/store/memory.ts';
import { laterCache, memoryCache } from '../_caches.ts';

const power = fleche((base: number, exponent: number) => base ** exponent, {
  name: 'power',
  args: ['base', 'exponent'],
});
const label = fleche((value: unknown, options?: { readonly unit?: string | null }) => `${value} ${options?.unit}`, {
  name: 'label',
  args: ['value', 'options'],
});
const isCoded =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof FlecheError && error.code === code;

/** A cache with powers of 2 and 3, the latter tagged. */
function filled(): Cache {
  const store = memoryCache();
  cache(store, () => {
    for (let exponent = 0; exponent < 4; exponent++) power(2, exponent);
    tags({ project: 'threes', level: 1 }, () => {
      for (let exponent = 0; exponent < 4; exponent++) power(3, exponent);
    });
  });
  return store;
}

const exponents = (calls: Iterable<LazyCall>): unknown[] => [...calls].map((call) => call.arguments.get('exponent'));

test('calls are found by any of their arguments, newest first', () => {
  cache(filled(), () => {
    assert.is(power.query().count(), 8);
    assert.equal(exponents(power.query({ base: 2 })), [3, 2, 1, 0]);
    assert.is(power.query({ base: 3, exponent: 2 }).only().result, 9);
    assert.is(power.query({ base: 4 }).empty(), true);
  });
});

test('an argument that is left out matches anything, null matches null, undefined undefined', () => {
  cache(memoryCache(), () => {
    label(null, { unit: 'm' });
    label(1);
    label(1, { unit: null });
    assert.is(label.query().count(), 3);
    assert.is(label.query({ value: null }).count(), 1);
    assert.is(label.query({ options: undefined }).count(), 1);
    assert.is(label.query({ options: { unit: null } }).count(), 1);
    assert.is(label.query({ value: 1 }).count(), 2);
  });
});

test('a reference in a template means the value it names', () => {
  cache(filled(), () => {
    assert.is(power.query({ base: D(3) }).count(), 4);
    assert.is(power.query({ base: D(digest(3).slice(0, 12)) }).count(), 4);
    assert.is(
      power
        .query({}, { result: D(27) })
        .only()
        .arguments.get('exponent'),
      3,
    );
    assert.is(power.query({ base: D('60079f79ab') }).empty(), true);
  });
});

test('an argument that a function does not have is an error', () => {
  const partial = fleche((x: number, _log: () => void) => x, { name: 'partial', ignore: ['_log'] });
  cache(memoryCache(), () => {
    assert.throws(() => partial.query({ y: 1 }), isCoded('USAGE'));
    assert.throws(() => partial.query({ _log: 1 }), isCoded('USAGE'));
    assert.throws(() => cache().query({ arguments: {}, args: {} } as QueryTemplate), isCoded('USAGE'));
    assert.throws(() => [...partial.query({ x: Symbol('x') })], isCoded('INDIGESTIBLE'));
  });
});

test('a cache is asked for name, module, version, kind, arguments, result, metadata and time', () => {
  const store = filled();
  cache(store, () => label('x'));
  const count = (template: QueryTemplate): unknown => store.query(template).count();
  assert.is(count({}), 9);
  assert.is(count({ name: 'power' }), 8);
  assert.is(count({ name: 'pow' }), 0);
  assert.is(count({ module: 'tests/call/query/query.ts' }), 9);
  assert.is(count({ module: null }), 0);
  assert.is(count({ kind: 'function' }), 9);
  assert.is(count({ kind: 'task' }), 0);
  assert.is(count({ version: null }), 9);
  assert.is(count({ version: 1 }), 0);
  assert.is(count({ arguments: { base: ANY } }), 8);
  assert.is(count({ arguments: { base: ANY, exponent: 0 } }), 2);
  assert.is(count({ arguments: { value: ANY } }), 1);
  assert.is(count({ result: 1 }), 2);
  assert.is(count({ result: undefined }), 0);
  assert.is(count({ metadata: { tags: {} } }), 4);
  assert.is(count({ metadata: { tags: { project: 'threes' } } }), 4);
  assert.is(count({ metadata: { tags: { project: 'threes', level: 2 } } }), 0);
  assert.is(count({ metadata: { tags: { level: ANY } } }), 4);
  assert.is(count({ metadata: { tags: { project: null } } }), 0);
  assert.is(count({ metadata: { runtime: { walltime: ANY } } }), 9);
  assert.is(count({ metadata: { elsewhere: {} } }), 0);
  const third = [...store.query()][2]?.record.filed ?? 0;
  assert.is(count({ since: third }), 3);
  assert.is(count({ until: third }), 6);
  assert.is(count({ since: new Date(0), until: new Date(third + 1000) }), 9);
  assert.is(store.query(new QueryCall({ name: 'label' })).count(), 1);
});

test('metadata of any shape is compared as a value', () => {
  const store = memoryCache();
  cache(store, () => tags({ list: [1, { a: 2 }] }, () => power(1, 1)));
  assert.is(store.query({ metadata: { tags: { list: [1, { a: 2 }] } } }).count(), 1);
  assert.is(store.query({ metadata: { tags: { list: [1, { a: 3 }] } } }).count(), 0);
});

test('versions are apart for the function, and together for the cache', () => {
  const body = (x: number): number => x;
  const old = fleche(body, { name: 'versioned', version: 1 });
  const present = fleche(body, { name: 'versioned', version: 2 });
  const store = memoryCache();
  cache(store, () => {
    old(1);
    present(1);
    assert.is(present.query().count(), 1);
    assert.is(store.query({ name: 'versioned' }).count(), 2);
  });
});

test('failed calls are there for those who ask', () => {
  const failing = fleche(
    (x: number): number => {
      if (x > 1) throw new Error(`too much: ${x}`);
      return x;
    },
    { name: 'failingSometimes' },
  );
  cache(memoryCache(), () => {
    failing(1);
    assert.throws(() => failing(2));
    assert.is(failing.query().count(), 1);
    assert.is(failing.query({}, { outcome: 'failure' }).only().failure?.message, 'too much: 2');
    assert.is(failing.query({}, { outcome: 'any' }).count(), 2);
    assert.throws(() => failing.query({}, { outcome: 'any' }).results(), isCoded('CALL_UNKNOWN'));
    assert.equal(failing.query({}, { outcome: 'any' }).table().column('failure'), ['too much: 2', undefined]);
  });
});

/** A calls store that notes the terms it is asked for. */
function askingStore(): { readonly cache: BaseCache; readonly asked: CallTerms[] } {
  const asked: CallTerms[] = [];
  class Asked extends MemoryCallStore {
    override find(terms: CallTerms) {
      asked.push(terms);
      return super.find(terms);
    }
  }
  return { cache: new Cache(new MemoryValueStore(), new Asked()), asked };
}

test('what has an index is asked of the store', () => {
  const { cache: store, asked } = askingStore();
  cache(store, () => {
    [...power.query({ base: 2 }, { result: 8, metadata: { tags: { project: 'x', list: [1] } }, since: 5, until: 6 })];
  });
  assert.equal(asked, [
    {
      kind: 'function',
      name: 'power',
      module: 'tests/call/query/query.ts',
      parts: { 'arg:base': digest(2), version: digest(null) },
      result: digest(8),
      tags: { project: 'x' },
      since: 5,
      until: 6,
    },
  ]);
});

test('a query is asked when it is read, and anew each time', () => {
  const { cache: store, asked } = askingStore();
  cache(store, () => {
    const query = power.query({ base: 2 }).filter(() => true);
    assert.is(asked.length, 0);
    assert.is(query.count(), 0);
    power(2, 2);
    assert.is(query.count(), 1);
    assert.is([...query].length, 1);
    assert.is([...query].length, 1);
    assert.is(asked.length, 4);
  });
});

test('the values of a call are loaded when they are looked at', () => {
  cache(filled(), () => {
    const call = power.query({ base: 3, exponent: 3 }).only();
    assert.instance(call, LazyCall);
    assert.is(call.name, 'power');
    assert.is(call.module, 'tests/call/query/query.ts');
    assert.is(call.result, 27);
    assert.is(call.resultDigest, digest(27));
    assert.is(call.ref.digest, digest(27));
    assert.equal(call.arguments.names, ['base', 'exponent']);
    assert.is(call.arguments.digest('base'), digest(3));
    assert.is(call.arguments.digest('other'), undefined);
    assert.is(call.arguments.has('other'), false);
    assert.throws(() => call.arguments.get('other' as 'base'), isCoded('CALL_UNKNOWN'));
    const { key, arguments: args, result, metadata } = call.fetch();
    assert.is(key, power.digest(3, 3));
    assert.equal(args, { base: 3, exponent: 3 });
    assert.is(result, 27);
    assert.equal(metadata['tags'], { project: 'threes', level: 1 });
  });
});

test('filter, skip and take work step by step, and stop as soon as they can', () => {
  cache(filled(), () => {
    let looked = 0;
    const odd = power.query().filter((call) => {
      looked++;
      return Number(call.arguments.get('exponent')) % 2 === 1;
    });
    assert.equal(exponents(odd.skip(1).take(2)), [1, 3]);
    assert.is(looked, 5);
    assert.equal(exponents(odd), [3, 1, 3, 1]);
    assert.is(odd.take(0).count(), 0);
    assert.is(odd.skip(9).count(), 0);
  });
});

test('a query that is left early closes its listing', () => {
  let closed = 0;
  class Closing extends MemoryCallStore {
    override *find(terms: CallTerms) {
      try {
        yield* super.find(terms);
      } finally {
        closed++;
      }
    }
  }
  cache(new Cache(new MemoryValueStore(), new Closing()), () => {
    for (let i = 0; i < 3; i++) power(i, 1);
    for (const _ of power.query()) break;
    assert.is(closed, 1);
    power.query().any();
    assert.is(closed, 2);
    assert.throws(() =>
      power
        .query()
        .filter(() => {
          throw new Error('x');
        })
        .count(),
    );
    assert.is(closed, 3);
  });
});

test('unique keeps the first of each key', () => {
  cache(filled(), () => {
    assert.equal(
      [...power.query().unique('base')].map((call) => call.result),
      [27, 8],
    );
    assert.is(
      power
        .query()
        .unique((call) => [call.result])
        .count(),
      7,
    );
  });
});

test('sorted orders by time, by an argument or by a function, and is stable', () => {
  cache(filled(), () => {
    const results = (calls: Iterable<LazyCall>): unknown[] => [...calls].map((call) => call.result);
    assert.equal(results(power.query({ base: 2 }).sorted()), [1, 2, 4, 8]);
    assert.equal(results(power.query({ base: 2 }).sorted('exponent', { descending: true })), [8, 4, 2, 1]);
    assert.equal(
      results(
        power
          .query()
          .sorted((call) => -Number(call.result))
          .take(3),
      ),
      [27, 9, 8],
    );
    assert.equal(results(power.query().sorted('exponent').take(2)), [1, 1]);
    assert.is(power.query().sorted('exponent').take(1).only().arguments.get('base'), 3);
  });
});

test('only wants exactly one', () => {
  cache(filled(), () => {
    assert.is(power.query({ base: 2, exponent: 1 }).only().result, 2);
    assert.throws(() => power.query({ base: 2 }).only(), isCoded('CALL_AMBIGUOUS'));
    assert.throws(() => power.query({ base: 9 }).only(), isCoded('CALL_UNKNOWN'));
  });
});

test('latest and oldest go by when a call was filed', () => {
  cache(filled(), () => {
    assert.is(power.query().latest()?.result, 27);
    assert.is(power.query().oldest()?.result, 1);
    assert.is(power.query().sorted('exponent').latest()?.result, 27);
    assert.is(
      power
        .query()
        .sorted('exponent')
        .filter((call) => call.arguments.get('base') === 2)
        .latest()?.result,
      8,
    );
    assert.is(power.query({ base: 9 }).latest(), undefined);
    assert.is(power.query({ base: 9 }).oldest(), undefined);
  });
});

test('groups are listings of their own, as of now', () => {
  cache(filled(), () => {
    const groups = power.query().groupBy('base');
    assert.equal([...groups.keys()], [3, 2]);
    power(2, 9);
    assert.equal(exponents(groups.get(2) ?? []), [3, 2, 1, 0]);
    assert.is(groups.get(2)?.latest()?.result, 8);
    const byParity = power.query().groupBy((call) => ({ even: Number(call.result) % 2 === 0 }));
    assert.equal(
      [...byParity].map(([key, calls]) => [key, calls.count()]),
      [
        [{ even: true }, 4],
        [{ even: false }, 5],
      ],
    );
  });
});

test('results are loaded in the order of the calls', () => {
  cache(filled(), () => assert.equal(power.query({ base: 2 }).results(), [8, 4, 2, 1]));
});

test('any, empty and count agree', () => {
  cache(filled(), () => {
    assert.equal([power.query().any(), power.query().empty()], [true, false]);
    assert.equal([power.query({ base: 9 }).any(), power.query({ base: 9 }).empty()], [false, true]);
  });
});

test('evict removes what the query finds', () => {
  cache(filled(), () => {
    assert.is(power.query({ base: 2 }).skip(1).evict(), 3);
    assert.equal(exponents(power.query({ base: 2 })), [3]);
    assert.is(power.query().count(), 5);
  });
});

test('transfer copies what the query finds, or moves it', async () => {
  const [from, to] = [filled(), memoryCache()];
  const copied = await from.query({ name: 'power', arguments: { base: 3 } }).transfer(to);
  assert.equal(copied, { copied: 4, skipped: 0, failed: 0 });
  assert.is(to.query().count(), 4);
  cache(to, () => assert.is(power(3, 3), 27));
  const moved = await from.query().transfer(to, { pop: true });
  assert.equal(moved, { copied: 4, skipped: 4, failed: 0 });
  assert.is(from.query().count(), 4);
});

test('all of it works on a cache that answers later', async () => {
  const store = laterCache(filled());
  const twos = store.query({ arguments: { base: D(digest(2).slice(0, 12)) } });
  const seen: unknown[] = [];
  for await (const call of twos) seen.push(await call.result);
  assert.equal(seen, [8, 4, 2, 1]);
  assert.is(await twos.count(), 4);
  assert.is((await twos.filter(async (call) => (await call.result) === 4).only()).name, 'power');
  assert.equal(await twos.sorted('exponent').results(), [1, 2, 4, 8]);
  assert.equal(await twos.unique('base').results(), [8]);
  assert.equal([...(await twos.groupBy('exponent')).keys()], [3, 2, 1, 0]);
  assert.equal(await twos.skip(1).take(2).results(), [4, 2]);
  assert.is(await (await twos.latest())?.result, 8);
  assert.equal((await twos.table({ arguments: ['base'], results: true })).column('result'), [8, 4, 2, 1]);
  assert.equal((await (await twos.take(1).only()).fetch()).arguments, { base: 2, exponent: 3 });
  assert.is(await twos.evict(), 4);
  assert.is(await twos.any(), false);
  assert.throws(() => [...store.query()], isCoded('CACHE_ASYNC'));
  assert.throws(() => cache(store, () => power.query().count()), isCoded('CACHE_ASYNC'));
});

test('a step that waits makes a listing that answers at once answer later', async () => {
  await cache(filled(), async () => {
    const slow = cache()
      .query({ name: 'power' })
      .filter(async (call) => {
        await null;
        return call.result === 9;
      });
    assert.is((await slow.only()).name, 'power');
    assert.throws(() => [...slow], isCoded('CACHE_ASYNC'));
    const seen: unknown[] = [];
    for await (const call of slow) seen.push(call.result);
    assert.equal(seen, [9]);
  });
});

test('a key or the beginning of one leads to its call', async () => {
  const store = filled();
  const key = cache(store, () => power.digest(3, 2));
  assert.is((await store.load(key)).result, 9);
  assert.is((await store.load(key.slice(0, 16))).result, 9);
  assert.is((await store.load(String(await store.shrink(key)))).key, key);
  assert.throws(() => store.load('0'.repeat(64)), isCoded('CALL_UNKNOWN'));
  assert.throws(() => store.load('abc'), isCoded('DIGEST_TOO_SHORT'));
});

test('a template matches what it says, and nothing else', () => {
  const small = fc.integer({ min: 0, max: 2 });
  const value = fc.oneof(small, fc.constantFrom(null, undefined, 'a'));
  const made = fc.array(fc.record({ a: value, b: value, tag: fc.option(small) }), { maxLength: 8 });
  const asked = fc.record(
    { a: value, b: fc.oneof(value, fc.constant(ANY)), result: value, tag: small },
    { requiredKeys: [] },
  );
  const pick = fleche((a: unknown, b: unknown) => (b === undefined ? a : b), { name: 'pick', args: ['a', 'b'] });
  fc.assert(
    fc.property(made, asked, (calls, template) => {
      const store = memoryCache();
      const filed = new Map<string, { readonly a: unknown; readonly b: unknown; readonly tag: number | null }>();
      cache(store, () => {
        for (const { a, b, tag } of calls) {
          const id = pick.digest(a, b);
          if (!filed.has(id)) filed.set(id, { a, b, tag });
          if (tag === null) pick(a, b);
          else tags({ tag }, () => pick(a, b));
        }
      });
      const { a, b, result, tag, ...none } = template;
      assert.equal(none, {});
      const expected = [...filed.values()].filter(
        (call) =>
          (!('a' in template) || isDeepStrictEqual(call.a, a)) &&
          (!('b' in template) || b === ANY || isDeepStrictEqual(call.b, b)) &&
          (!('result' in template) || isDeepStrictEqual(call.b === undefined ? call.a : call.b, result)) &&
          (!('tag' in template) || call.tag === tag),
      );
      const found = store.query({
        arguments: { ...('a' in template && { a }), ...('b' in template && { b }) },
        ...('result' in template && { result }),
        ...(tag !== undefined && { metadata: { tags: { tag } } }),
      });
      assert.is(found.count(), expected.length);
    }),
  );
});

test.run();
