import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../../core/base/errors.ts';
import { expandBraces } from '../../../core/files/globs/braces.ts';

test('alternatives are given in order, also nested and side by side', () => {
  assert.equal(expandBraces('a{b,c}d'), ['abd', 'acd']);
  assert.equal(expandBraces('{a,b{1,2}}/{x,}'), ['a/x', 'a/', 'b1/x', 'b1/', 'b2/x', 'b2/']);
  assert.equal(expandBraces('{src,test/fixtures}/**'), ['src/**', 'test/fixtures/**']);
});

test('ranges count up and down, keep leading zeros, and may be letters', () => {
  assert.equal(expandBraces('{8..11}'), ['8', '9', '10', '11']);
  assert.equal(expandBraces('{2..-1}'), ['2', '1', '0', '-1']);
  assert.equal(expandBraces('v{08..10}'), ['v08', 'v09', 'v10']);
  assert.equal(expandBraces('{a..c}'), ['a', 'b', 'c']);
});

test('braces without a choice mean themselves', () => {
  for (const text of ['{a}', 'a{b', 'a}b', '{}', '{a..}', '{a..10}', '{1.2}', ''])
    assert.equal(expandBraces(text), [text]);
  assert.equal(expandBraces('{a{b,c}}'), ['{ab}', '{ac}']);
});

test('a pattern of too many words is refused, however it is written', () => {
  for (const text of ['{a,b}'.repeat(30), '{1..99999999}', '{1..999}{1..999}']) {
    assert.throws(
      () => expandBraces(text),
      (error: unknown) => error instanceof FlecheError && error.code === 'CONFIG_INVALID',
    );
  }
});

test('as many words come out as the choices multiply to', () => {
  const choice = fc.array(fc.constantFrom('a', 'b', ''), { minLength: 2, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(choice, { maxLength: 5 }), (choices) => {
      const words = expandBraces(choices.map((choice) => `{${choice.join(',')}}`).join('/'));
      assert.is(
        words.length,
        choices.reduce((product, { length }) => product * length, 1),
      );
    }),
  );
});

test.run();
