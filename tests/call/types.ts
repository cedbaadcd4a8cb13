/**
 * What the compiler knows about memoised functions. The checks are made by `tsc`: a line under `@ts-expect-error` that
 * is no error is one. They are run too, so that what is said of types is also true of values.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Awaitable } from '../../core/base/awaitable.ts';
import type { Key } from '../../core/base/hash.ts';
import type { Ref } from '../../core/base/ref.ts';
import { cache } from '../../core/call/context.ts';
import { D } from '../../core/call/d.ts';
import { fleche, memoised } from '../../core/call/memo/fleche.ts';
import type { LazyCall } from '../../core/call/query/lazy-call.ts';
import { ANY } from '../../core/call/query/query-call.ts';
import { memoryCache } from './_caches.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only if the two types are the same. */
function same<A, B>(_: Same<A, B>): void {}

const scale = fleche((x: number, factor?: number, ...notes: string[]) => ({ value: x * (factor ?? 2), notes }), {
  name: 'scale',
  args: ['x', 'factor'],
});
const fetchText = fleche(async (url: string, retries?: number) => `${url} ${retries}`, {
  args: ['url', 'retries'],
  name: 'fetchText',
});
const unnamed = fleche(function unnamed(a: number, b: { readonly c: readonly string[] }) {
  return a + b.c.length;
});
/** Never runs `body`: it holds what does not compile, or would not run. */
const compileOnly = (_body: () => unknown): void => {};

test('the signature stays what it was', () => {
  const asBefore: (x: number, factor?: number, ...notes: string[]) => { value: number; notes: string[] } = scale;
  same<ReturnType<typeof scale.original>, { value: number; notes: string[] }>(true);
  cache(memoryCache(), () => {
    assert.is(asBefore(2).value, 4);
    const { value } = scale(2, 3, 'a');
    same<typeof value, number>(true);
    assert.is(value, 6);
  });
  compileOnly(() => {
    // @ts-expect-error the argument is a number
    scale('2');
    // @ts-expect-error an argument is missing
    scale();
    // @ts-expect-error too many arguments
    fetchText('a', 1, 2);
    // @ts-expect-error a promise is no string
    fetchText('a').length;
  });
});

test('a generic function stays generic', () => {
  const first = fleche(<T>(list: readonly T[]): T | undefined => list[0], { name: 'first' });
  cache(memoryCache(), () => {
    const found = first(['a', 'b']);
    same<typeof found, string | undefined>(true);
    assert.is(found, 'a');
  });
});

test('a recursive function can be written in one piece', () => {
  const depth = fleche((n: number): number => (n === 0 ? 0 : depth(n - 1) + 1), { name: 'depth' });
  cache(memoryCache(), () => assert.is(depth(3), 3));
});

test('a reference may stand for any argument, and inside one', () => {
  cache(memoryCache(), () => {
    unnamed(5, { c: ['x'] });
    assert.is(unnamed(D(5), { c: ['x'] }), 6);
    const ref = unnamed.ref(5, { c: ['x'] });
    same<typeof ref, Ref>(true);
    compileOnly(() => {
      unnamed(ref, D({ c: [] }));
      unnamed(1, { c: [D('a text')] });
      unnamed(1, { c: D(['a', 'b']) });
      // @ts-expect-error a reference stands for a value, not for a member's name
      unnamed(1, { d: D('x') });
    });
  });
});

test('helpers of a synchronous function answer at once, others perhaps later', () => {
  cache(memoryCache(), () => {
    const key = scale.digest(1);
    same<typeof key, Key>(true);
    const known = scale.contains(1);
    same<typeof known, boolean>(true);
    const later = fetchText.contains('a');
    same<typeof later, Awaitable<boolean>>(true);
    assert.equal([known, later], [false, false]);
    compileOnly(() => {
      const loaded = fetchText.load('a');
      same<typeof loaded, Promise<string>>(true);
      const { arguments: args } = scale.call(1);
      same<typeof args.x, number>(true);
      // @ts-expect-error there is no such argument
      args.y;
      scale.precache([1], { value: 2, notes: [] });
      // @ts-expect-error not what the function returns
      scale.precache([1], 2);
    });
  });
});

test('options know the arguments that are named', () => {
  compileOnly(() => {
    fleche((a: number, b: number) => a + b, { name: 'x', args: ['a', 'b'], ignore: ['b'], require: ['a'] });
    // @ts-expect-error there is no argument c
    fleche((a: number, b: number) => a + b, { name: 'x', args: ['a', 'b'], ignore: ['c'] });
    // @ts-expect-error no such option
    fleche((a: number) => a, { name: 'x', ttl: 5 });
    // @ts-expect-error not a way to identify code
    fleche((a: number) => a, { name: 'x', code: 'closure-ish' });
  });
});

test('queries know argument names and types, and results', () => {
  cache(memoryCache(), () => {
    scale(1);
    const call = scale.query({ x: 1, factor: ANY }).only();
    const { result } = call;
    same<typeof result, { value: number; notes: string[] }>(true);
    assert.is(result.value, 2);
    const x = call.arguments.get('x');
    same<typeof x, number>(true);
    const results = scale.query({ x: D(1) }).results();
    same<typeof results, readonly { value: number; notes: string[] }[]>(true);
    assert.is(results.length, 1);
    const groups = scale.query().groupBy('factor');
    same<typeof groups extends ReadonlyMap<infer K, unknown> ? K : never, number | undefined>(true);
    assert.is(
      scale
        .query()
        .sorted('x')
        .unique((call) => call.result.value)
        .count(),
      1,
    );
    compileOnly(() => {
      // @ts-expect-error there is no argument y
      scale.query({ y: 1 });
      // @ts-expect-error x is a number
      scale.query({ x: 'one' });
      // @ts-expect-error no such field
      scale.query({ x: 1 }, { tags: {} });
      // @ts-expect-error there is no argument y
      scale.query().sorted('y');
      // @ts-expect-error there is no argument y
      call.arguments.get('y');
      // @ts-expect-error results are objects
      call.result.length;
      // Where the compiler knows no names, any will do.
      unnamed.query({ a: 1, whatever: 2 });
      const found = fetchText.query().only();
      same<typeof found extends Awaitable<LazyCall<infer S>> ? S['result'] : never, string>(true);
      // @ts-expect-error it may be a promise
      found.name;
    });
  });
});

test('rows of a table have the columns that were asked for', () => {
  cache(memoryCache(), () => {
    scale(3);
    const [row] = scale.query().table({ arguments: ['x'], results: true });
    assert.is(row?.x, 3);
    assert.is(row?.result.value, 6);
    compileOnly(() => {
      if (row === undefined) return;
      same<typeof row.x, number>(true);
      same<typeof row.key, string>(true);
      same<typeof row.walltime, number | undefined>(true);
      same<typeof row.timestart, Date | undefined>(true);
      // @ts-expect-error not asked for
      row.factor;
      const [bare] = scale.query().table();
      // @ts-expect-error not asked for
      bare?.result;
      // @ts-expect-error not asked for
      bare?.x;
      // @ts-expect-error there is no argument y
      scale.query().table({ arguments: ['y'] });
      const rows = scale.query().table();
      // @ts-expect-error rows have no such column
      rows.filter((row) => row.whatever === 1);
    });
  });
});

test('a column whose name is taken has another one', () => {
  const named = fleche((name: string, result: number) => name.length + result, {
    name: 'named',
    args: ['name', 'result'],
  });
  cache(memoryCache(), () => {
    named('abc', 1);
    const [row] = named.query().table({ arguments: ['name', 'result'] });
    assert.equal([row?.a_name, row?.a_result, row?.name], ['abc', 1, 'named']);
    compileOnly(() => {
      // @ts-expect-error this is the argument, which is called a_result
      row?.result;
    });
  });
});

class Counter {
  @fleche({ ignore: ['this'] })
  next(this: Counter, x: number): number {
    return x + 1;
  }
  @fleche
  static async twice(x: number): Promise<number> {
    return x * 2;
  }
}

test('a decorated method keeps its type, and its helpers have it', async () => {
  await cache(memoryCache(), async () => {
    const counter = new Counter();
    same<typeof counter.next, (this: Counter, x: number) => number>(true);
    assert.is(counter.next(1), 2);
    assert.is(memoised(counter.next).contains(1), true);
    assert.is(await Counter.twice(2), 4);
    compileOnly(() => {
      // @ts-expect-error the argument is a number
      memoised(counter.next).digest('1');
      // @ts-expect-error the argument is a number
      counter.next('1');
    });
  });
});

test.run();
