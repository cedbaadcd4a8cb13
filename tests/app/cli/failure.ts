/** What is shown of what was thrown. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodeOf } from '../../../core/app/cli/exit-code.ts';
import { failureRecord, failureText } from '../../../core/app/cli/failure.ts';
import { styleFor } from '../../../core/app/terminal/style.ts';
import { ConfigErrors, FlecheError } from '../../../core/base/errors.ts';

const SOURCE = '[tasks.a]\n\trun = 3\r\n';
const view = {
  style: styleFor({ colors: false }),
  read: (file: string) => (file === 'fleche.config.toml' ? SOURCE : undefined),
  show: (file: string) => file,
};
const at = { file: 'fleche.config.toml', line: 2, column: 8 };
const typed = new FlecheError('CONFIG_TYPE', 'run must be a string', { at, hint: 'Put it in quotes.' });

test('code, place, message, the line with a caret, and the way out', () => {
  assert.is(
    failureText(typed, view),
    [
      'error[CONFIG_TYPE]: fleche.config.toml:2:8: run must be a string',
      '  2 |     run = 3',
      '    |           ^',
      '  hint: Put it in quotes.',
      '',
    ].join('\n'),
  );
});

test('without a place, or without the source, the rest is told', () => {
  assert.is(failureText(new FlecheError('USAGE', 'no'), view), 'error[USAGE]: no\n');
  const elsewhere = new FlecheError('CONFIG_TYPE', 'no', { at: { ...at, file: 'gone.toml' } });
  assert.is(failureText(elsewhere, view), 'error[CONFIG_TYPE]: gone.toml:2:8: no\n');
});

test('all errors of a configuration are told', () => {
  const both = new ConfigErrors([typed, new FlecheError('CONFIG_CYCLE', 'round')]);
  assert.match(failureText(both, view), /CONFIG_TYPE[\s\S]*CONFIG_CYCLE\]: round\n$/);
  assert.is((failureRecord(both)['errors'] as unknown[]).length, 2);
});

test('what nobody expected is a bug, with its stack and its cause', () => {
  const text = failureText(new Error('odd', { cause: new Error('deeper') }), view);
  assert.match(text, /^error\[BUG\]: Error: odd\n +at /);
  assert.match(text, /caused by Error: deeper/);
  assert.match(failureText('just text', view), /^error\[BUG\]: just text\n/);
});

test('a refusal of the system is no bug', () => {
  const full = Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'write' });
  assert.is(failureText(full, view), 'error[ENOSPC]: no space left\n');
  assert.is(exitCodeOf(full), 1);
});

test('for programs it is one plain object', () => {
  assert.equal(failureRecord(typed), {
    type: 'error',
    code: 'CONFIG_TYPE',
    message: 'run must be a string',
    hint: 'Put it in quotes.',
    at,
  });
});

test('a message cannot act on the terminal', () => {
  const evil = new FlecheError('USAGE', 'there is no verb "\u001b[2J"', { hint: '\u001b]0;x\u0007' });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.not.match(failureText(evil, view), /[\u0000-\u0009\u000b-\u001f]/);
});

test('every kind of error has its exit code', () => {
  const codes = [
    ['USAGE', 3],
    ['CONFIG_CYCLE', 3],
    ['INVALID_DURATION', 3],
    ['STORE_UNUSABLE', 4],
    ['DIGEST_UNKNOWN', 1],
    ['ABORTED', 130],
    ['BUG', 70],
  ] as const;
  for (const [code, exit] of codes) assert.is(exitCodeOf(new FlecheError(code, '')), exit, code);
  assert.is(exitCodeOf(new TypeError('x is not a function')), 70);
});

test.run();
