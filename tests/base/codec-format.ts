import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decode } from '../../core/base/decode.ts';
import { digest } from '../../core/base/digest.ts';
import { DIGEST, MAX_DEPTH, registerClass } from '../../core/base/digestible.ts';
import { encode } from '../../core/base/encode.ts';
import { codeOf } from '../_thrown.ts';
import { build, CASES, NESTINGS, recipes, sameValue } from './_values.ts';
import { vectorFile, vectors } from './_vectors.ts';

const FILE = resolve(import.meta.dirname, '../../fixtures/vectors/codec-v1.json');

/** Bytes that may be anything either decode or are refused as corrupt; how is returned. */
function decodesOrIsCorrupt(bytes: Uint8Array): string | undefined {
  const code = codeOf(() => decode(bytes));
  if (code !== undefined) assert.is(code, 'STORE_CORRUPT');
  return code;
}

/** Everything about a value that the order of its members decides, in that order. */
function orders(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return null;
  const inside = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : [];
  const own = Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
  const members = ArrayBuffer.isView(value)
    ? []
    : own.map((key) => orders((value as Record<string | symbol, unknown>)[key]));
  return [own, inside.map(orders), members];
}

test('a decoded value equals the one encoded, its order included', () => {
  fc.assert(
    fc.property(recipes, (recipe) => {
      const value = build(recipe);
      const bytes = encode(value);
      const copy = decode(bytes);
      assert.ok(sameValue(copy, value));
      assert.is(digest(copy), digest(value));
      assert.equal(orders(copy), orders(value));
      assert.is(Buffer.compare(encode(copy), bytes), 0, 'a copy is encoded in the same bytes');
    }),
    { numRuns: CASES },
  );
});

test('decoding does not depend on where the bytes lie', () => {
  fc.assert(
    fc.property(recipes, fc.nat(9), (recipe, offset) => {
      const bytes = encode(build(recipe));
      const moved = new Uint8Array(offset + bytes.length + 3);
      moved.set(bytes, offset);
      assert.ok(sameValue(decode(moved.subarray(offset, offset + bytes.length)), decode(bytes)));
    }),
  );
});

test('a decoded value does not change with the bytes it came from', () => {
  const bytes = encode([new Uint8Array([1, 2]), Buffer.from('ab'), new ArrayBuffer(1)]);
  const value = decode(bytes);
  bytes.fill(0xff);
  assert.ok(sameValue(value, [new Uint8Array([1, 2]), Buffer.from('ab'), new ArrayBuffer(1)]));
});

test('long values survive every growth of the buffer', () => {
  for (let length = 200; length < 600; length++) {
    const value = [
      'a'.repeat(length),
      'é'.repeat(length),
      '\ud800'.repeat(length),
      new Uint8Array(length).fill(1),
      2 ** 60,
      length,
    ];
    assert.ok(sameValue(decode(encode(value)), value), `length ${length}`);
  }
});

test('truncated bytes are corrupt', () => {
  for (const [name, value] of vectors()) {
    const bytes = encode(value);
    for (let length = 0; length < bytes.length; length++) {
      assert.is(
        codeOf(() => decode(bytes.subarray(0, length))),
        'STORE_CORRUPT',
        `${name}, ${length} bytes`,
      );
    }
  }
});

test('bytes after the end are corrupt', () => {
  for (const value of vectors().values())
    assert.is(
      codeOf(() => decode(Buffer.concat([encode(value), Buffer.of(0)]))),
      'STORE_CORRUPT',
    );
});

test('another format version is corrupt', () => {
  const bytes = encode('text');
  for (const version of [0, 2, 255]) {
    bytes[0] = version;
    assert.is(
      codeOf(() => decode(bytes)),
      'STORE_CORRUPT',
    );
  }
});

test('flipped bytes decode to something or are corrupt', () => {
  fc.assert(
    fc.property(
      recipes,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 }),
      (recipe, flips) => {
        const bytes = encode(build(recipe));
        for (const [at, mask] of flips) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ mask;
        decodesOrIsCorrupt(bytes);
      },
    ),
    { numRuns: CASES },
  );
});

test('random bytes decode to something or are corrupt', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(26), fc.nat(255)), { maxLength: 60 }), (bytes) => {
      decodesOrIsCorrupt(Uint8Array.from([1, ...bytes]));
    }),
    { numRuns: CASES },
  );
});

test('lengths that promise more than there is are corrupt', () => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
  for (let tag = 0; tag < 30; tag++)
    assert.is(decodesOrIsCorrupt(Uint8Array.from([1, tag, ...huge])) === undefined, tag === 4);
});

test('nesting without end is corrupt, not a full stack', () => {
  for (const tag of [10, 25])
    assert.is(
      codeOf(() => decode(new Uint8Array(2_000_000).fill(tag === 10 ? 1 : tag).fill(1, 0, 1))),
      'STORE_CORRUPT',
    );
  const arrays = Buffer.alloc(2_000_001);
  for (let at = 1; at < arrays.length; at += 2) arrays.set([10, 1], at);
  assert.is(
    codeOf(() => decode(arrays)),
    'STORE_CORRUPT',
  );
});

test('everything that can be digested at the depth limit can be stored and read back', () => {
  for (const wrap of NESTINGS) {
    let value: unknown = 0;
    for (let depth = 0; depth < MAX_DEPTH; depth++) value = wrap(value);
    assert.is(digest(decode(encode(value))), digest(value));
    const deeper = wrap(value);
    assert.is(
      codeOf(() => encode(deeper)),
      'UNSTORABLE',
    );
  }
  const ring: unknown[] = [];
  ring.push(ring);
  assert.is(
    codeOf(() => encode(ring)),
    'UNSTORABLE',
  );
});

test('a member named __proto__ comes back as a member', () => {
  const value = JSON.parse('{"__proto__":{"a":1},"constructor":2}');
  assert.equal(Object.keys(decode(encode(value)) as object), ['__proto__', 'constructor']);
  assert.is(Object.getPrototypeOf(decode(encode(value))), Object.prototype);
});

test('an error keeps what it says, but not where', () => {
  const error = Object.assign(new TypeError('odd', { cause: new Error('why') }), { code: 'E_ODD' });
  error.name = 'OddError';
  const copy = decode(encode(error)) as TypeError & { code: string };
  assert.instance(copy, TypeError);
  assert.equal(
    [copy.name, copy.message, (copy.cause as Error).message, copy.code],
    ['OddError', 'odd', 'why', 'E_ODD'],
  );
  assert.equal(Object.keys(copy), Object.keys(error));
  assert.not.match(copy.stack ?? '', /\n/);
});

test('a registered class comes back as an instance', () => {
  class Point {
    readonly #at: readonly number[];
    constructor(at: readonly number[]) {
      this.#at = at;
    }
    get at(): readonly number[] {
      return this.#at;
    }
  }
  assert.is(
    codeOf(() => encode(new Point([1]))),
    'UNSTORABLE',
  );
  registerClass('test.Point', Point, { encode: (point) => point.at, decode: (plain) => new Point(plain as number[]) });
  const copy = decode(encode([new Point([1, 2])])) as Point[];
  assert.instance(copy[0], Point);
  assert.equal(copy[0]?.at, [1, 2]);
  assert.is(digest(copy), digest([new Point([1, 2])]));
});

test('an instance of a class that is registered no more is corrupt', () => {
  class Gone {}
  registerClass('test.Gone', Gone, { encode: () => 0, decode: () => new Gone() });
  const bytes = Buffer.from(Buffer.from(encode(new Gone())).toString('latin1').replace('Gone', 'Lost'), 'latin1');
  assert.is(
    codeOf(() => decode(bytes)),
    'STORE_CORRUPT',
  );
});

test('what cannot be digested cannot be stored', () => {
  const digestOnly = { [Symbol.toStringTag]: 1 };
  class Marked {
    [DIGEST](): unknown {
      return 1;
    }
  }
  const values = [
    () => 1, Symbol('a'), new Socket(), Promise.resolve(1), new WeakMap(), Object(1), new SharedArrayBuffer(1), digestOnly, new Marked(),
    new (class List extends Array {})(), new (class Index extends Map {})(), new (class Odd extends Error {})(), new (class Bytes extends Uint8Array {})(1),
  ]; // biome-ignore format: one table
  for (const value of values)
    assert.is(
      codeOf(() => encode([value])),
      'UNSTORABLE',
      String(Object.prototype.toString.call(value)),
    );
});

test('the golden vectors of version 1 do not move', () => {
  assert.fixture(vectorFile('codec'), readFileSync(FILE, 'utf8'));
});

test('the golden vectors of version 1 can be read', () => {
  const frozen: { vectors: Record<string, string> } = JSON.parse(readFileSync(FILE, 'utf8'));
  const known = vectors();
  for (const [name, hex] of Object.entries(frozen.vectors)) {
    assert.ok(known.has(name), name);
    assert.ok(sameValue(decode(Buffer.from(hex, 'hex')), known.get(name)), name);
  }
});

test.run();
