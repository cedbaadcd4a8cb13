import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runToEnd } from './_child.ts';

const linesOf = (how: string): readonly string[] => runToEnd('_ending.ts', how).stdout.trim().split('\n');

test('a process that has nothing left to do tells so, and again after what was begun then', () => {
  assert.equal(linesOf('return'), ['idle', 'worked', 'idle', 'worked', 'idle', 'exit', 'others']);
});

test('an exit is told before anybody else is, also after an error', () => {
  assert.equal(linesOf('exit'), ['exit', 'others']);
  assert.equal(linesOf('throw'), ['exit', 'others']);
});

test.run();
