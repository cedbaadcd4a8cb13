import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../core/base/digest.ts';
import { DIGEST, MAX_DEPTH, registerClass } from '../../core/base/digestible.ts';
import { FlecheError } from '../../core/base/errors.ts';
import { isDigest, sha256 } from '../../core/base/hash.ts';
import { Ref } from '../../core/base/ref.ts';
import { build, CASES, NESTINGS, pairs, recipes, sameValue } from './_values.ts';
import { vectorFile } from './_vectors.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** The message with which a value is refused; fails if it is not. */
function refusal(value: unknown, name?: string): string {
  try {
    digest(value, name);
  } catch (error) {
    assert.instance(error, FlecheError);
    assert.is((error as FlecheError).code, 'INDIGESTIBLE');
    return (error as FlecheError).message;
  }
  throw new Error('was not refused');
}

test('two values have one digest exactly when they are deeply and strictly equal', () => {
  fc.assert(
    fc.property(pairs, ([one, other]) => {
      const a = build(one);
      const b = build(other, (list) => [...list].reverse());
      assert.is(digest(a) === digest(b), sameValue(a, b));
    }),
    { numRuns: CASES },
  );
});

test('a digest does not depend on the order of members', () => {
  fc.assert(
    fc.property(recipes, fc.infiniteStream(fc.nat()), (recipe, numbers) => {
      const shuffled = <T>(list: readonly T[]): readonly T[] =>
        list
          .map((item) => [numbers.next().value, item] as const)
          .sort(([a], [b]) => a - b)
          .map(([, item]) => item);
      const value = digest(build(recipe));
      assert.ok(isDigest(value));
      assert.is(digest(build(recipe, shuffled)), value);
    }),
  );
});

test('values that look alike have different digests', () => {
  const arrayBuffer = new ArrayBuffer(8);
  const values: unknown[] = [
    undefined, null, true, false, 'true', 'null', '', 0, -0, 0n, '0', NaN, 'NaN', Infinity, '1', 1, 1n, [1], ['1'], { 0: 1 },
    [], {}, Object.create(null), [undefined], new Array(1), [null], [[]], [undefined, undefined], new Array(2),
    { a: undefined }, { a: null }, Object.assign([], { a: 1 }), { a: 1 }, Object.assign(Object.create(null), { a: 1 }),
    new Map(), new Set(), new Map([['a', 1]]), new Set(['a', 1]), new Set([['a', 1]]), [['a', 1]], ['a', 1], new Map([[1, 'a']]),
    new Date(0), new Date(NaN), new Date(0).toISOString(), /a/, /a/g, 'a', '/a/', new URL('a:b'), 'a:b', Symbol.for('a'), Symbol.for('b'),
    new Error('a'), new TypeError('a'), new Error('a', { cause: undefined }), new Error('a', { cause: 1 }), Object.assign(new Error('a'), { cause: 1 }),
    new AggregateError([], 'a'), new AggregateError([1], 'a'), arrayBuffer, new Uint8Array(arrayBuffer), Buffer.from(arrayBuffer),
    new Int8Array(arrayBuffer), new BigInt64Array(arrayBuffer), new Float64Array(arrayBuffer), new DataView(arrayBuffer), new Float64Array([-0]),
    'é', 'e\u0301', '\ud800', '\udc00', '\ufffd', '"\\ud800"', { [Symbol.for('a')]: 1 }, { 'Symbol(a)': 1 }, JSON.parse('{"__proto__":1}'),
    ['ab', 'c'], ['a', 'bc'], ['abc'], { ab: 'c' }, { a: 'bc' }, { a: { b: 1 } }, { a: { b: 1 }, c: {} }, 1e21, '1e21', 2 ** 53, 2 ** 53 - 1,
  ]; // biome-ignore format: one table
  const seen = new Map<string, unknown>();
  for (const value of values) {
    assert.not.ok(seen.has(digest(value)), inspect([seen.get(digest(value)), value]));
    seen.set(digest(value), value);
  }
});

test('what is equal although it was made otherwise has one digest', () => {
  const pool = Buffer.from('--ab--');
  const same: [unknown, unknown][] = [
    [NaN, Number('x')],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [new Map([[0, 1]]), new Map([[-0, 1]])],
    [new Set([{ a: 1 }, { b: 1 }]), new Set([{ b: 1 }, { a: 1 }])],
    [new Map([[[1], 'a'], [[1], 'b']]), new Map([[[1], 'b'], [[1], 'a']])], // biome-ignore format: short
    [pool.subarray(2, 4), Buffer.from('ab')],
    [new Uint8Array([0, 1, 2]).subarray(1), Uint8Array.from([1, 2])],
    [new Date('2020-01-01T00:00:00Z'), new Date('2020-01-01T01:00:00+01:00')],
    [new URL('http://H:80/a/../b'), new URL('http://h/b')],
    [new Date(NaN), new Date('x')],
    [Object.defineProperty({ a: 1 }, 'hidden', { value: 1 }), { a: 1 }],
    [{ get a() { return 1; } }, { a: 1 }], // biome-ignore format: short
  ];
  for (const [a, b] of same) assert.is(digest(a), digest(b));
});

test('an error is digested without its stack', () => {
  const make = (): Error => new Error('a');
  assert.is(digest(make()), digest(new Error('a')));
});

class Unmarked {
  readonly x = 1;
}

const refused: [name: string, value: unknown, message: RegExp][] = [
  ['socket', new Socket(), /is an instance of Socket$/],
  ['stream', new PassThrough(), /is an instance of PassThrough$/],
  ['promise', Promise.resolve(1), /is an instance of Promise$/],
  ['weakMap', new WeakMap(), /is an instance of WeakMap$/],
  ['weakSet', new WeakSet(), /is an instance of WeakSet$/],
  ['weakRef', new WeakRef({}), /is an instance of WeakRef$/],
  ['proxy', new Proxy({}, {}), /is a proxy$/],
  ['bareProxy', new Proxy(Object.create(null), {}), /is a proxy$/],
  ['arrayProxy', new Proxy([], {}), /is a proxy$/],
  ['generator', (function* () {})(), /is an instance of /],
  ['iterator', [][Symbol.iterator](), /is an instance of /],
  ['unmarked', new Unmarked(), /is an instance of Unmarked$/],
  ['unnamed', new (class {})(), /is an instance of an unnamed class$/],
  ['arraySubclass', new (class List extends Array {})(), /is an instance of List$/],
  ['mapSubclass', new (class Index extends Map {})(), /is an instance of Index$/],
  ['viewSubclass', new (class Bytes extends Uint8Array {})(1), /is an instance of Bytes$/],
  ['errorSubclass', new (class Odd extends Error {})(), /is an instance of Odd$/],
  ['boxed', Object(1), /is an instance of Number$/],
  ['lambda', () => 1, /is a function without an identity/],
  ['klass', class {}, /is a function without an identity/],
  ['symbol', Symbol('a'), /is a symbol outside the registry$/],
  ['wellKnown', Symbol.iterator, /is a symbol outside the registry$/],
  ['shared', new SharedArrayBuffer(1), /is an instance of SharedArrayBuffer$/],
  ['params', new URLSearchParams(), /is an instance of URLSearchParams$/],
  ['math', Math, /is no plain object, but \[object Math\]$/],
  ['prefix', new Ref('abcd'), /is the prefix "abcd"/],
  // biome-ignore lint/complexity/noArguments: what is refused
  ['args', (function (..._: unknown[]) { return arguments; })(1), /is no plain object, but \[object Arguments\]$/], // biome-ignore format: short
];

for (const [name, value, message] of refused) {
  test(`refused with its path: ${name}`, () => {
    assert.match(refusal(value), message);
    assert.ok(
      refusal({ [name]: value }, 'args[0]').startsWith(`args[0].${name} is `),
      refusal({ [name]: value }, 'args[0]'),
    );
  });
}

test('the path of a refused member leads through every kind of container', () => {
  const socket = new Socket();
  const start = (value: unknown): string => refusal(value, 'args[0]').split(' is ')[0] ?? '';
  assert.is(start(socket), 'args[0]');
  assert.is(start({ a: [0, { 'b c': socket }] }), 'args[0].a[1]["b c"]');
  assert.is(start({ [Symbol.for('s')]: socket }), 'args[0][Symbol(s)]');
  assert.is(start({ [Symbol('s')]: 1 }), 'args[0][Symbol(s)]');
  assert.is(start(new Map([['key', socket]])), 'args[0].get("key")');
  assert.is(start(new Map([[7, socket]])), 'args[0].get(7)');
  assert.is(start(new Map<unknown, unknown>([[1, 1], [socket, 1]])), 'args[0].keys()[1]'); // biome-ignore format: short
  assert.is(start(new Map([[{}, socket]])), 'args[0].values()[0]');
  assert.is(start(new Set<unknown>([1, socket])), 'args[0].values()[1]');
  assert.is(start(new Error('a', { cause: { socket } })), 'args[0].cause.socket');
  assert.is(start(new AggregateError([socket])), 'args[0].errors[0]');
  assert.is(start(Object.assign(new Date(), { socket })), 'args[0].socket');
  assert.is(start(Object.assign([1], { socket })), 'args[0].socket');
});

test('a structure that contains itself is refused where it does', () => {
  const ring: Record<string, unknown> = { list: [] };
  (ring['list'] as unknown[]).push({ up: ring });
  assert.is(refusal(ring, 'args[0]'), 'args[0].list[0].up contains itself');
  assert.is(refusal({ a: { b: ring } }, 'args[0]'), 'args[0].a.b.list[0].up contains itself');
  const set = new Set<unknown>();
  set.add(set);
  assert.is(refusal(set), 'value.values()[0] contains itself');
  const error = new Error('a');
  error.cause = error;
  assert.is(refusal(error), 'value.cause contains itself');
});

test('one object in two places is no cycle', () => {
  const shared = { a: 1 };
  assert.is(digest([shared, shared]), digest([{ a: 1 }, { a: 1 }]));
});

test('depth has a limit, which is reached without exhausting the stack', () => {
  for (const wrap of NESTINGS) {
    let value: unknown = 0;
    for (let depth = 0; depth < MAX_DEPTH; depth++) value = wrap(value);
    assert.ok(isDigest(digest(value)));
    const message = refusal(wrap(value));
    assert.match(message, /is nested more than 400 levels deep$/);
    assert.ok(message.length < 300, message);
    for (let depth = 0; depth < 20_000; depth++) value = wrap(value);
    assert.match(refusal(value), /is nested more than 400 levels deep$/);
  }
});

test('a long text is digested in pieces, to the same digest', () => {
  const text = 'ä'.repeat(2 ** 24 + 1);
  assert.is(digest(text), sha256(`f1s${text}`));
});

test('an array whose digests are together longer than the longest string is digested', () => {
  assert.ok(isDigest(digest(new Array(8_500_000).fill(7))));
});

test('a reference has the digest of what it names, wherever it stands', () => {
  const value = { deep: ['value'] };
  const ref = new Ref(digest(value));
  assert.is(digest(ref), digest(value));
  assert.is(digest([{ a: ref }, new Map([['k', ref]])]), digest([{ a: value }, new Map([['k', value]])]));
});

test('a class opts in by a method, under its name', () => {
  class Point {
    readonly #at: number[];
    constructor(...at: number[]) {
      this.#at = at;
    }
    [DIGEST](): unknown {
      return this.#at;
    }
  }
  const size = { Point: class Point extends Object { [DIGEST]() { return [1, 2]; } } }; // biome-ignore format: short
  assert.is(digest(new Point(1, 2)), digest(new Point(1, 2)));
  assert.is.not(digest(new Point(1, 2)), digest(new Point(2, 1)));
  assert.is.not(digest(new Point(1, 2)), digest([1, 2]));
  assert.is(digest(new Point(1, 2)), digest(new size.Point()));
});

test('a class opts in by registration, under the name given', () => {
  class Celsius {
    readonly degrees: number;
    constructor(degrees: number) {
      this.degrees = degrees;
    }
  }
  const codec = { encode: (at: Celsius) => at.degrees, decode: (plain: unknown) => new Celsius(Number(plain)) };
  registerClass('test.Celsius', Celsius, codec);
  assert.is(digest(new Celsius(20)), digest(new Celsius(20)));
  assert.is.not(digest(new Celsius(20)), digest(new Celsius(21)));
  assert.is.not(digest(new Celsius(20)), digest(20));
  registerClass('test.Celsius', Celsius, codec);
  assert.throws(
    () => registerClass('test.Celsius', Unmarked, { encode: () => 1, decode: () => new Unmarked() }),
    (error: FlecheError) => error.code === 'DUPLICATE_NAME',
  );
});

test('a function takes part by its identity', () => {
  const one = Object.assign(() => 1, { [DIGEST]: () => 'one' });
  const same = Object.assign(() => 2, { [DIGEST]: () => 'one' });
  const other = Object.assign(() => 1, { [DIGEST]: () => 'other' });
  assert.is(digest(one), digest(same));
  assert.is.not(digest(one), digest(other));
  assert.is.not(digest(one), digest('one'));
});

test('an error thrown by a member is not taken for a refusal', () => {
  const value = { get a(): number { throw new RangeError('mine'); } }; // biome-ignore format: short
  assert.throws(
    () => digest(value),
    (error: Error) => error instanceof RangeError && error.message === 'mine',
  );
});

test('the golden vectors of version 1 do not move', () => {
  assert.fixture(vectorFile('digest'), readFileSync(`${ROOT}/fixtures/vectors/digest-v1.json`, 'utf8'));
});

test('time zone and locale have no part in a digest', () => {
  const env = { ...process.env, TZ: 'Pacific/Chatham', LC_ALL: 'sv_SE.UTF-8', LANG: 'tr_TR.UTF-8' };
  const there = execFileSync(process.execPath, ['--import', 'tsx', 'tests/base/_vectors.ts', 'digest'], {
    cwd: ROOT,
    env,
    encoding: 'utf8',
  });
  assert.is(there, vectorFile('digest'));
});

test.run();
