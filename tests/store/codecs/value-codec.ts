import { inspect } from 'node:util';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../core/base/digest.ts';
import { FlecheError } from '../../../core/base/errors.ts';
import { Ref } from '../../../core/base/ref.ts';
import { type CodecName, decodeValue, isCodecName, valueCodec } from '../../../core/store/codecs/value-codec.ts';

const NAMES: readonly CodecName[] = ['fleche', 'v8', 'json', 'msgpack'];
const through = (name: CodecName, value: unknown): unknown => decodeValue(valueCodec(name).encode(value));

/** Equal as values, with the same order of members and entries. */
function same(actual: unknown, expected: unknown, message?: string): void {
  const options = { depth: null, maxArrayLength: null, maxStringLength: null, breakLength: Number.POSITIVE_INFINITY };
  assert.is(inspect(actual, options), inspect(expected, options), message);
  assert.is(digest(actual), digest(expected), message);
}

function refusal(name: CodecName, value: unknown): FlecheError | undefined {
  try {
    valueCodec(name).encode(value);
    return undefined;
  } catch (error) {
    if (error instanceof FlecheError && error.code === 'UNSTORABLE') return error;
    throw error;
  }
}

const anyValue = fc.anything({
  key: fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'toJSON', '0', '10', '')),
  values: [
    fc.boolean(),
    fc.double(),
    fc.maxSafeInteger(),
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(null, undefined, -0, 0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 63), 1e21),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(/a\/b/giu, new URL('http://a/?b'), Symbol.for('s')),
  ],
  maxDepth: 3,
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  withSparseArray: true,
  withBoxedValues: true,
});

for (const name of NAMES) {
  test(`${name}: a value comes back the same or is refused, never changed`, () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        if (refusal(name, value) === undefined) same(through(name, value), value);
      }),
      { numRuns: 2000 },
    );
  });

  test(`${name}: JSON comes back`, () => {
    const json = fc
      .jsonValue({ noUnicodeString: false })
      .filter((value) => !inspect(value, { depth: null }).includes('-0'));
    fc.assert(
      fc.property(json, (value) => {
        if (JSON.stringify(value).includes('"__proto__"')) return;
        same(through(name, value), value);
      }),
    );
  });

  test(`${name}: a value that contains itself is refused`, () => {
    const value: Record<string, unknown> = {};
    value['self'] = [value];
    assert.ok(refusal(name, value));
  });

  test(`${name}: bytes cut short or changed are an error with a code, or another value`, () => {
    const bytes = valueCodec(name).encode({ list: ['text', 1, 2.5, null], more: { a: true } });
    for (let length = 1; length < bytes.length; length++) {
      assert.throws(
        () => decodeValue(bytes.subarray(0, length)),
        (error: { code?: string }) => error.code === 'STORE_CORRUPT',
        `${length} bytes`,
      );
    }
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = byte;
        try {
          decodeValue(damaged);
        } catch (error) {
          assert.is((error as { code?: string }).code, 'STORE_CORRUPT');
        }
      }),
    );
  });
}

test('what a codec does not keep is refused with its path', () => {
  const refused: readonly (readonly [CodecName, unknown, string])[] = [
    ['json', { a: [1, { 'b c': new Map() }] }, 'value.a[1]["b c"] is an instance of Map'],
    ['json', [undefined], 'value[0] is undefined'],
    ['json', { n: -0 }, 'value.n is -0'],
    ['json', Number.NaN, 'value is NaN'],
    ['json', { b: 1n }, 'value.b is a bigint'],
    ['json', { l: new Array(1) }, 'value.l has holes or named members'],
    ['json', Object.assign([1], { x: 1 }), 'value has holes or named members'],
    ['json', { [Symbol.for('s')]: 1 }, 'value has the member [Symbol(s)], whose name is a symbol'],
    ['json', { d: new Date(0) }, 'value.d is an instance of Date'],
    ['json', { r: new Ref('0'.repeat(64)) }, 'value.r is an instance of Ref'],
    ['json', Object.create(null), 'value is an object without a class'],
    ['msgpack', { u: new Uint8Array(1) }, 'value.u is an instance of Uint8Array'],
    ['msgpack', { s: new Set() }, 'value.s is an instance of Set'],
    ['msgpack', ['\ud800'], 'value[0] is not Unicode text'],
    ['msgpack', JSON.parse('{"a":{"__proto__":1}}'), 'value.a has the member .__proto__, whose name would be changed'],
    ['v8', new Map([['k', { e: new Error('x') }]]), 'value.get("k").e is an instance of Error'],
    ['v8', new Set([() => 1]), 'value.values() is a function'],
    ['v8', [Object.assign(new Date(0), { x: 1 })], 'value[0] is an instance of Date with members of its own'],
    ['v8', { b: Buffer.from('x'), u: new URL('http://a/') }, 'value.u is an instance of URL'],
    ['v8', { s: Symbol.for('s') }, 'value.s is a symbol'],
    ['v8', Object.assign(/a/g, { lastIndex: 1 }), 'value is an instance of RegExp'],
  ];
  for (const [name, value, message] of refused) {
    assert.is(refusal(name, value)?.message, `${message}, which the codec "${name}" does not keep`);
  }
});

test('v8 keeps what structured clones keep', () => {
  const values = [
    undefined,
    -0,
    10n ** 30n,
    new Date(Number.NaN),
    /x/y,
    new Map<unknown, unknown>([[{ a: 1 }, new Set([1n, 'b'])]]),
    Object.assign(new Array(4), { 1: 1, 3: 2 }),
    Object.assign([1, 2], { named: 3 }),
    JSON.parse('{"__proto__": {"x": 1}}'),
    new Float64Array([1, -0]).subarray(1),
    new DataView(new ArrayBuffer(3)),
    Buffer.from('bytes'),
    new ArrayBuffer(3),
    '\ud800',
  ];
  for (const value of values) same(through('v8', value), value);
});

test('msgpack keeps dates, Buffers, undefined and every number but -0', () => {
  const values = [
    new Date(-1),
    new Date(8.64e15),
    Buffer.alloc(70_000, 'x'),
    undefined,
    Number.NaN,
    5e-324,
    -(2 ** 60),
  ];
  for (const value of values) same(through('msgpack', { value }), { value });
});

test('views come back with memory of their own', () => {
  for (const name of ['fleche', 'v8', 'msgpack'] as const) {
    const bytes = valueCodec(name).encode({ buffer: Buffer.from('hello') });
    const { buffer } = decodeValue(bytes) as { buffer: Buffer };
    buffer.fill(0);
    same(decodeValue(bytes), { buffer: Buffer.from('hello') }, name);
  }
  const floats = through('v8', { floats: new Float64Array(4).subarray(2) }) as { floats: Float64Array };
  assert.is(floats.floats.buffer.byteLength, 16);
});

test('JSON at rest is JSON', () => {
  assert.is(Buffer.from(valueCodec('json').encode({ b: [1, 'é'], a: null })).toString(), '{"b":[1,"é"],"a":null}');
});

test('every encoding says which codec made it', () => {
  for (const value of [0, 'text', '', null, true, -1.5, [], {}, [[['deep']]], 127, -32, 200]) {
    for (const name of NAMES) same(through(name, value), value, name);
  }
});

test('bytes of no codec are an error with a code', () => {
  for (const bytes of ['', '\x00', '\x02rest', '\x7f', '\x80', '\xc0', 'plain text', '\xff', '\xc1']) {
    assert.throws(
      () => decodeValue(Buffer.from(bytes, 'latin1')),
      (error: { code?: string }) => error.code === 'STORE_CORRUPT',
      JSON.stringify(bytes),
    );
  }
});

test('names of codecs are known', () => {
  for (const name of NAMES) assert.is(valueCodec(name).name, name);
  assert.is(isCodecName('json'), true);
  assert.is(isCodecName('pickle'), false);
  assert.is(isCodecName('toString'), false);
});

test.run();
