/** JSON with keys that some versions of V8 take for others. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseJson } from '../../core/base/json.ts';

/** What V8 13 and 14 take other keys for, if they have parsed it before. */
function poison(): void {
  for (const key of ['\\', 'a\\', 'b\\']) JSON.parse(JSON.stringify({ a: 1, [key]: 2 }));
}

test('a key with an escape is what it says, whatever was parsed before', () => {
  poison();
  for (const key of ['\n', '"', '\u0007', 'a\n', 'b"', '\\']) {
    assert.equal(Object.keys(parseJson(JSON.stringify({ a: 1, [key]: 2 })) as object), ['a', key]);
  }
});

test('any value is what it was, in any layout', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '\\', '"', '\n', ':', ' ', 'é', '😀') });
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom(null, true, false, 0, -1.5e-7, 12),
      key,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.uniqueArray(fc.tuple(key, tie('value')), { maxLength: 4, selector: ([name]) => name }).map(Object.fromEntries),
    ),
  }));
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 2, '\t'), (one, indent) => {
      poison();
      // Not compared as values: the objects that the test would have to parse could be wrong themselves.
      assert.is(JSON.stringify(parseJson(JSON.stringify(one, null, indent))), JSON.stringify(one));
    }),
    { numRuns: 500 },
  );
});

test('what is no JSON is refused, and __proto__ is a key like others', () => {
  poison();
  for (const text of ['', '{', '{"a\\n":}', '[1,]', '{"a\\n":1,}']) assert.throws(() => parseJson(text), /JSON/);
  const read = parseJson('{"__proto__":{"\\n":1},"a":[[],{},[1,[2]]]}') as object;
  assert.is(Object.getPrototypeOf(read), Object.prototype);
  assert.equal(Object.keys(read), ['__proto__', 'a']);
});

test.run();
