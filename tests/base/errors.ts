import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError, messageOf, systemCode, unreachable } from '../../core/base/errors.ts';

test('an error says where, what and what to do', () => {
  const at = { file: 'fleche.config.toml', line: 3, column: 9 };
  const error = new FlecheError('CONFIG_UNKNOWN_TASK', 'there is no task "buidl"', {
    at,
    hint: 'Did you mean "build"?',
  });
  assert.is(error.describe(), 'fleche.config.toml:3:9: there is no task "buidl"\n  Did you mean "build"?');
  assert.is(new FlecheError('BUG', 'bug: odd').describe(), 'bug: odd');
});

test('an error keeps its code, name and cause', () => {
  const cause = new Error('why');
  const error = new FlecheError('STORE_UNUSABLE', 'odd', { cause });
  assert.equal(
    [error.code, error.name, error.cause, error.hint, error.at],
    ['STORE_UNUSABLE', 'FlecheError', cause, undefined, undefined],
  );
  assert.not.ok(Object.hasOwn(new FlecheError('BUG', 'odd'), 'cause'));
});

test('the code of a system error is read, and of nothing else', () => {
  let thrown: unknown;
  try {
    readFileSync('/nowhere/at all');
  } catch (error) {
    thrown = error;
  }
  assert.is(systemCode(thrown), 'ENOENT');
  for (const other of [undefined, null, 'ENOENT', new Error('ENOENT'), { code: 2 }])
    assert.is(systemCode(other), undefined);
});

test('everything that can be thrown has a message', () => {
  assert.equal([new Error('a'), 'b', 3, null, undefined].map(messageOf), ['a', 'b', '3', 'null', 'undefined']);
});

test('an impossible variant is a bug, and shown', () => {
  assert.throws(
    () => unreachable({ kind: 'odd' } as never),
    (error: FlecheError) => error.code === 'BUG' && error.message === 'bug: unexpected variant {"kind":"odd"}',
  );
});

test.run();
