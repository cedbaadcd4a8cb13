/** Answers at rest are what was answered. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Answer, packedCall } from '../../../plugins/cached/answer.ts';
import { pack, unpack } from '../../../plugins/cached/packed.ts';

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
  withNullPrototype: true,
});
/** Texts of any length, with what JSON escapes and what has no form in UTF-8. */
const texts = fc.string({ unit: 'binary', maxLength: 120 });

test('what is packed comes back equal, and as nobody else has it', () => {
  fc.assert(
    fc.property(fc.oneof(anything, fc.dictionary(texts, fc.oneof(texts, anything))), (value) => {
      const packed = pack(value);
      const first = unpack(packed);
      assert.ok(isDeepStrictEqual(first, value));
      if (typeof first === 'object' && first !== null && !Array.isArray(first)) Object.assign(first, { added: 1 });
      assert.ok(isDeepStrictEqual(unpack(packed), value));
    }),
    { numRuns: 400 },
  );
});

test('a change of what was packed changes nothing, and a source map comes back as its members', () => {
  class SourceMap {
    version = 3;
    mappings = 'AAAA';
    sources = ['a.ts'];
    toString(): string {
      return JSON.stringify(this);
    }
  }
  const value = { code: 'x'.repeat(100), bytes: Buffer.from('abc'), map: new SourceMap() };
  const packed = pack(value);
  value.bytes.fill(0);
  value.map.mappings = '';
  assert.equal(unpack(packed), {
    code: 'x'.repeat(100),
    bytes: Buffer.from('abc'),
    map: { version: 3, mappings: 'AAAA', sources: ['a.ts'] },
  });
});

test('a function, a symbol and a cycle cannot be kept', () => {
  const cycle: unknown[] = [];
  cycle.push({ cycle });
  for (const value of [() => {}, { a: [Symbol('s')] }, cycle]) assert.throws(() => pack(value), /result/);
});

test('an answer at rest has its parts, whether they have texts or not; of other forms there is none', () => {
  for (const value of ['text', new Map([['a', 1]])]) {
    const call = { value, effects: [['watch', 'a.css'] as const], seen: [], ms: 0 };
    const answer = new Answer(packedCall(call))
      .with('one', packedCall({ ...call, ms: 1 }))
      .with('two', packedCall(call));
    const again = Answer.of(answer.atRest);
    assert.equal(again?.whole, call);
    assert.equal(again?.part('one'), { ...call, ms: 1 });
    assert.equal(again?.part('two'), call);
    assert.is(again?.part('three'), undefined);
  }
  for (const foreign of [undefined, null, {}, [], 'answer', ['answer 1'], { effects: [], parts: {} }])
    assert.is(Answer.of(foreign), undefined);
});

test.run();
