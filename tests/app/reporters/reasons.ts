/** Every reason in words. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { reasonsText, reasonText } from '../../../core/app/reporters/reasons.ts';
import type { Reason } from '../../../core/graph/tasks/outcome.ts';

const WORDS: readonly (readonly [Reason, string])[] = [
  [{ kind: 'first' }, 'first run'],
  [{ kind: 'forced' }, 'forced'],
  [{ kind: 'uncached' }, 'never cached'],
  [{ kind: 'file', change: 'added', path: 'a' }, 'a is new'],
  [{ kind: 'file', change: 'removed', path: 'a' }, 'a is gone'],
  [{ kind: 'file', change: 'changed', path: 'a' }, 'a changed'],
  [{ kind: 'file', change: 'mode', path: 'a' }, 'a changed its mode'],
  [{ kind: 'env', name: 'CI', change: 'changed' }, 'CI changed'],
  [{ kind: 'env', name: 'CI', change: 'added' }, 'CI is new'],
  [{ kind: 'argument', name: 'level', change: 'changed' }, 'argument level changed'],
  [{ kind: 'upstream', task: 'codegen', change: 'changed' }, 'codegen made other output'],
  [{ kind: 'upstream', task: 'codegen', change: 'added' }, 'needs codegen now'],
  [{ kind: 'upstream', task: 'codegen', change: 'removed' }, 'no longer needs codegen'],
  [{ kind: 'tool', name: 'esbuild', from: '0.27.0', to: '0.28.2' }, 'esbuild changed from 0.27.0 to 0.28.2'],
  [{ kind: 'tool', name: 'esbuild', from: null, to: '0.28.2' }, 'esbuild 0.28.2 is new'],
  [{ kind: 'tool', name: 'esbuild', from: '0.27.0', to: null }, 'esbuild 0.27.0 is gone'],
  [{ kind: 'runtime', from: 'node 20', to: 'node 22' }, 'runtime changed from node 20 to node 22'],
  [{ kind: 'runtime', from: null, to: null }, 'runtime changed'],
  [{ kind: 'command' }, 'command changed'],
  [{ kind: 'code' }, 'code changed'],
  [{ kind: 'option', name: 'outputs' }, 'outputs changed'],
  [{ kind: 'failed-before' }, 'failed before'],
  [{ kind: 'expired', age: 5_400_000 }, 'last run 1h30m ago'],
  [{ kind: 'expired', age: Number.POSITIVE_INFINITY }, 'last run at an unknown time'],
  [{ kind: 'lost', what: 'the result' }, 'the result is missing from the cache'],
  [{ kind: 'pending', task: 'codegen' }, 'needs codegen'],
];

for (const [reason, words] of WORDS) {
  test(`${JSON.stringify(reason)} is said as "${words}"`, () => assert.is(reasonText(reason), words));
}

test('of many reasons the first are told and the others counted', () => {
  const reasons = Array.from({ length: 15 }, (_, i): Reason => ({ kind: 'file', change: 'changed', path: `${i}.ts` }));
  assert.is(reasonsText(reasons), '0.ts changed, 1.ts changed, 2.ts changed and 12 more');
  assert.is(reasonsText(reasons.slice(0, 3)), '0.ts changed, 1.ts changed, 2.ts changed');
  assert.is(reasonsText([]), '');
});

test('a path cannot act on the terminal', () => {
  assert.is(reasonText({ kind: 'file', change: 'added', path: 'a\u001b[2J\nb' }), 'a\\x1b[2J\\x0ab is new');
});

test.run();
