import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parametersOf, renamed } from '../../../../core/call/memo/function/parameters.ts';

/** Names as they are read off a source text; rest and open lists are marked. */
function read(source: string, length = 0): string {
  const { names, rest, closed } = parametersOf(source, length);
  return `${names.join(' ')}${rest ? ' ...' : ''}${closed ? '' : ' open'}`;
}

test('names are read off every form of function', () => {
  for (const source of [
    'function f(a, b) { return a }',
    'async function f(a, b) {}',
    'function (a, b) {}',
    '(a, b) => a',
    'async (a, b) => a',
    'async(a,b)=>a',
    'f(a, b) { return a }',
    'async f(a, b) {}',
    'function f(a, b,) {}',
    'function f(\n  a,\n  b\n) {}',
  ]) {
    assert.is(read(source), 'a b', source);
  }
  assert.is(read('x => x'), 'x');
  assert.is(read('async x => x'), 'x');
  assert.is(read('asyncx => asyncx'), 'asyncx');
  assert.is(read('async => async'), 'async');
  assert.is(read('() => 1'), '');
  assert.is(read('$a_1 => 1'), '$a_1');
  assert.is(read('(größe, 长) => 1'), 'größe 长');
});

test('defaults do not get in the way', () => {
  assert.is(read('function f(a = 1, b = "x, y)", c = [1, 2], d = { e: (1) }) {}'), 'a b c d');
  assert.is(read('(a = (x, y) => x, b) => a'), 'a b');
  assert.is(read('(a == 1) => a', 1), '0');
});

test('a rest is marked', () => {
  assert.is(read('(a, ...others) => a'), 'a others ...');
  assert.is(read('(...{ length }) => length'), '0 ...');
});

test('patterns are called by their position', () => {
  assert.is(read('({ a, b: { c } }, d, [e, f] = []) => a'), '0 d 2');
});

test('a text that takes a parser is named by position', () => {
  for (const source of [
    'function f(/* a, */ b) {}',
    'function f(a = /,/) {}',
    'function f(a = `1`) {}',
    "function f(a = 'it\\'s') {}",
    '["computed"](a) {}',
    '"quoted("(a) {}',
    'function f(a, a) {}',
    'class A { constructor(a) {} }',
  ]) {
    assert.is(read(source, 2), '0 1 open', source);
  }
});

test('a function that can see more than its parameters is open', () => {
  assert.is(read('function f(a) { return arguments.length }'), 'a open');
  assert.is(read('function f(a) { return eval("a") }'), 'a open');
});

test('given names take the place of those in the source', () => {
  const parameters = parametersOf('({ a }, b, ...c) => a', 2);
  assert.equal(renamed(parameters, ['point']).names, ['point', 'b', 'c']);
  assert.equal(renamed(parameters, ['x', 'y', 'z']), { names: ['x', 'y', 'z'], rest: true, closed: true });
  assert.equal(renamed(parametersOf('native', 1), ['x', 'y']).names, ['x', 'y']);
});

test('too many names and equal names are errors', () => {
  assert.throws(() => renamed(parametersOf('(a) => a', 1), ['x', 'y']), /args has 2 names for 1 parameters/);
  assert.throws(() => renamed(parametersOf('(a, b) => a', 2), ['x', 'x']), /args names one argument twice/);
});

test.run();
