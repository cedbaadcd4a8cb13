import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../core/base/digest.ts';
import { registerClass } from '../../core/base/digestible.ts';
import { FlecheError } from '../../core/base/errors.ts';
import { Ref } from '../../core/base/ref.ts';
import { cache } from '../../core/call/context.ts';
import { D } from '../../core/call/d.ts';
import { fleche } from '../../core/call/memo/fleche.ts';
import { codeOfLater } from '../_thrown.ts';
import { countingCache, laterCache, memoryCache } from './_caches.ts';

const doubled: number[] = [];
const double = fleche(
  (x: number) => {
    doubled.push(x);
    return x * 2;
  },
  { name: 'double' },
);
const identity = fleche((x: unknown) => x, { name: 'identity' });
const identityLater = fleche(async (x: unknown) => x, { name: 'identityLater' });

test('a reference and the value it names are one argument', () => {
  cache(memoryCache(), () => {
    identity(100);
    doubled.length = 0;
    assert.is(double(D(digest(100))), 200);
    assert.is(double(D(100)), 200);
    assert.is(double(100), 200);
    assert.is(double.digest(D(100)), double.digest(100));
    assert.equal(doubled, [100]);
  });
});

test('a prefix is completed by the cache', () => {
  cache(memoryCache(), () => {
    identity(100);
    const prefix = digest(100).slice(0, 8);
    assert.is(double(D(prefix)), 200);
    assert.is(double(D(prefix.toUpperCase())), 200);
    assert.is(double.digest(D(prefix)), double.digest(100));
    assert.is(double.query({ x: D(prefix) }).only().result, 200);
  });
});

test('the value is what the body gets, wherever the reference stands', () => {
  class Box {
    readonly content: unknown;
    constructor(content: unknown) {
      this.content = content;
    }
  }
  registerClass('tests.Box', Box, { encode: ({ content }) => content, decode: (content) => new Box(content) });
  const shapes: ((inside: unknown) => unknown)[] = [
    (inside) => [1, inside],
    (inside) => ({ a: { b: inside } }),
    (inside) => Object.assign(Object.create(null), { ['__proto__']: 1, inside }),
    (inside) => new Map([['key', inside]]),
    (inside) => new Map([[inside, 'value']]),
    (inside) => new Set([inside]),
    (inside) => new Box(inside),
    (inside) => new Box([inside]),
    (inside) => Object.assign([inside], { named: inside }),
  ];
  for (const shape of shapes) {
    cache(memoryCache(), () => {
      identity({ big: 1 });
      const whole = shape({ big: 1 });
      const byRef = shape(D({ big: 1 }));
      const byPrefix = shape(D(digest({ big: 1 }).slice(0, 10)));
      assert.is(identity.digest(byRef), identity.digest(whole));
      assert.is(identity.digest(byPrefix), identity.digest(whole));
      assert.equal(identity(byPrefix), whole);
      assert.equal(identity(whole), whole);
      assert.equal(digest(identity.query().latest()?.result), digest(whole));
    });
  }
});

test('a sparse array keeps its holes', () => {
  cache(memoryCache(), () => {
    identity(7);
    // biome-ignore lint/suspicious/noSparseArray: what is tested
    const given = [, D(7), ,];
    const seen = identity(given) as unknown[];
    assert.is(seen.length, 3);
    assert.equal(Object.keys(seen), ['1']);
    assert.is(seen[1], 7);
  });
});

test('a chain of calls by reference loads no value in between', () => {
  const { cache: store, counts } = countingCache();
  const load = fleche((n: number) => Array.from({ length: n }, (_, i) => i), { name: 'load' });
  const clean = fleche((list: number[]) => list.filter((x) => x % 2 === 0), { name: 'clean' });
  const sum = fleche((list: number[]) => list.reduce((a, b) => a + b, 0), { name: 'sum' });
  cache(store, () => {
    assert.is(sum(clean(load(10))), 20);
    counts.read.length = 0;
    const ref = sum.ref(clean.ref(load.ref(10)));
    assert.equal(counts.read, []);
    assert.is(ref.digest, digest(20));
    assert.is(sum(clean.ref(load.ref(10))), 20);
    assert.is(counts.read.length, 1);
    assert.equal(counts.filed, ['load', 'clean', 'sum']);
  });
});

test('a reference to a result makes the call where there is none', async () => {
  cache(memoryCache(), () => {
    const ref = double.ref(4);
    assert.is(ref.digest, digest(8));
    assert.is(double(ref), 16);
  });
  await cache(laterCache(), async () => {
    const ref = await identityLater.ref([1, 2]);
    assert.equal(await identityLater({ list: ref }), { list: [1, 2] });
  });
});

test('references work on a cache that answers later', async () => {
  const store = memoryCache();
  cache(store, () => identity(100));
  await cache(laterCache(store), async () => {
    assert.equal(await identityLater([D(digest(100).slice(0, 6))]), [100]);
    assert.equal(await identityLater([D(100)]), [100]);
    assert.is(await codeOfLater(() => double(D(100))), 'CACHE_ASYNC');
  });
});

test('concurrent callers with a reference share one execution', async () => {
  let ran = 0;
  const store = memoryCache();
  cache(store, () => identity(100));
  const once = fleche(
    async (x: unknown) => {
      ran++;
      return x;
    },
    { name: 'once' },
  );
  await cache(laterCache(store), async () => {
    assert.equal(await Promise.all([once(D(100)), once(100), once(D(100))]), [100, 100, 100]);
  });
  assert.is(ran, 1);
});

test('a reference to what is not there is an error', async () => {
  await cache(memoryCache(), async () => {
    assert.is(await codeOfLater(() => double(D(12345))), 'DIGEST_UNKNOWN');
    assert.is(await codeOfLater(() => double(D('60079f79'))), 'DIGEST_UNKNOWN');
    assert.is(await codeOfLater(() => identityLater(D('60079f79'))), 'DIGEST_UNKNOWN');
  });
});

test('an ambiguous prefix is an error that says how many characters are needed', () => {
  cache(memoryCache(), () => {
    const digests = new Map<string, number>();
    for (let n = 0; ; n++) {
      const prefix = digest(n).slice(0, 4);
      const other = digests.get(prefix);
      digests.set(prefix, n);
      if (other === undefined) continue;
      identity(n);
      identity(other);
      assert.throws(
        () => double(D(prefix)),
        (error: unknown) =>
          error instanceof FlecheError &&
          error.code === 'DIGEST_AMBIGUOUS' &&
          /at least \d+ char/.test(error.hint ?? ''),
      );
      return;
    }
  });
});

test('D takes hexadecimal text for a digest, and anything else for a value', () => {
  assert.is(D('60079F79').prefix, '60079f79');
  assert.is(D('a'.repeat(64)).digest, 'a'.repeat(64));
  assert.is(D('a'.repeat(65)).digest, digest('a'.repeat(65)));
  assert.is(D('60079g79').digest, digest('60079g79'));
  assert.is(D('').digest, digest(''));
  assert.is(D(10).digest, digest(10));
  assert.is(D(null).digest, digest(null));
  assert.throws(
    () => D('cab'),
    (error: { readonly code?: string }) => error.code === 'DIGEST_TOO_SHORT',
  );
  assert.throws(
    () => D(Symbol('x')),
    (error: { readonly code?: string }) => error.code === 'INDIGESTIBLE',
  );
});

test('a cyclic argument beside a prefix is refused, not walked for ever', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic['a'] = cyclic;
  cyclic['b'] = [cyclic, cyclic];
  cache(memoryCache(), () => {
    assert.throws(
      () => identity([D('60079f79'), cyclic]),
      (error: { readonly code?: string }) => error.code === 'DIGEST_UNKNOWN',
    );
    assert.throws(
      () => identity(cyclic),
      (error: { readonly code?: string }) => error.code === 'INDIGESTIBLE',
    );
  });
});

test('what is called by reference is answered like what is called by value', () => {
  const leaf = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.boolean());
  const tree = fc.letrec((tie) => ({
    node: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie('node')), fc.dictionary(fc.string(), tie('node'))),
  })).node;
  const withRefs = (value: unknown, choose: () => boolean): unknown => {
    if (choose()) return new Ref(digest(value));
    if (Array.isArray(value)) return value.map((member) => withRefs(member, choose));
    if (typeof value !== 'object' || value === null) return value;
    const copy = Object.create(Object.getPrototypeOf(value)) as object;
    for (const [key, member] of Object.entries(value)) {
      Object.defineProperty(copy, key, {
        value: withRefs(member, choose),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return copy;
  };
  const keepAll = (value: unknown): void => {
    identity(value);
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(keepAll);
  };
  const echo = fleche((x: unknown) => ({ x }), { name: 'echo' });
  fc.assert(
    fc.property(tree, fc.infiniteStream(fc.boolean()), (value, coins) => {
      cache(memoryCache(), () => {
        keepAll(value);
        const referring = withRefs(value, () => coins.next().value as boolean);
        assert.is(echo.digest(referring), echo.digest(value));
        assert.equal(echo(referring), { x: value });
        assert.equal(echo(value), { x: value });
        assert.is(echo.query().count(), 1);
      });
    }),
  );
});

test.run();
