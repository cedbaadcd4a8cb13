/** Ctrl-C, once and twice. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Interruption } from '../../../core/app/cli/interruption.ts';

function made(): { readonly interruption: Interruption; readonly exits: number[] } {
  const exits: number[] = [];
  return { interruption: new Interruption((code) => exits.push(code)), exits };
}

test('the first asks to stop, the second ends at once', () => {
  const { interruption, exits } = made();
  const { signal } = interruption;
  interruption.interrupt(130);
  assert.is(signal.aborted, true);
  assert.is(interruption.code, 130);
  assert.equal(exits, []);
  interruption.interrupt(143);
  assert.equal(exits, [143]);
  assert.is(interruption.code, 130);
});

test('with nobody who could stop the first ends at once', () => {
  const { interruption, exits } = made();
  interruption.interrupt(143);
  assert.equal(exits, [143]);
});

test.run();
