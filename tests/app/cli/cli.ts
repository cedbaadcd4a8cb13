/** From words to exit codes, with verbs made for it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../../core/app/cli/cli.ts';
import type { VerbAction, VerbSpec } from '../../../core/app/cli/verb.ts';
import { FlecheError } from '../../../core/base/errors.ts';
import { inNewFolder } from '../../_new-folder.ts';
import { fakeMachine } from '../_machine.ts';

function verb(name: string, action: VerbAction): VerbSpec {
  const json = { name: 'json', text: 'print JSON' };
  return { name, args: '', least: 0, most: 0, text: `does ${name}`, options: [json], load: async () => action };
}

interface Told {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function cli(argv: readonly string[], action: VerbAction, cwd = '/'): Promise<Told> {
  const machine = fakeMachine({ cwd });
  const code = await runCli(argv, machine, [verb('act', action)]);
  return { code, stdout: machine.stdout.text, stderr: machine.stderr.text };
}

const never: VerbAction = () => Promise.reject(new Error('was called'));

test('a verb is called and its code is the code', async () => {
  assert.is((await cli(['act'], async () => 2)).code, 2);
});

test('help and version call nothing', async () => {
  const help = await cli(['act', '--help'], never);
  assert.is(help.code, 0);
  assert.match(help.stdout, /^fleche act: does act\n\nUsage\n {2}fleche act\n/);
  assert.match((await cli([], never)).stdout, /Verbs\n {2}act {2}does act\n/);
  assert.equal(await cli(['act', '-v'], never), { code: 0, stdout: '1.2.3\n', stderr: '' });
});

test('no line of the help is wider than 100 cells or ends with a blank', async () => {
  const machine = fakeMachine();
  for (const argv of [['--help'], ['run', '--help'], ['graph', '--help'], ['clean', '--help']]) {
    assert.is(await runCli(argv, machine), 0);
  }
  for (const line of machine.stdout.text.split('\n')) {
    assert.ok(line.length <= 100, line);
    assert.is(line.trimEnd(), line);
  }
});

test('a usage error is told and ends with 3', async () => {
  const told = await cli(['act', '--jsn'], never);
  assert.equal(told, {
    code: 3,
    stdout: '',
    stderr: 'error[USAGE]: there is no option --jsn of act\n  hint: Did you mean "--json"?\n',
  });
});

test('with --json the error is the last line of standard output too', async () => {
  for (const argv of [
    ['act', '--json'],
    ['act', '--json', '--odd'],
  ]) {
    const { stdout, stderr } = await cli(argv, ({ machine }) => {
      machine.stdout.write('{"type":"task"}\n');
      throw new FlecheError('USAGE', 'no');
    });
    assert.match(stderr, /^error\[USAGE\]/);
    const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { type: string; code: string };
    assert.equal([last.type, last.code], ['error', 'USAGE']);
  }
});

test('an error about a file shows its line, with its path seen from here', () =>
  inNewFolder(async (folder) => {
    const file = join(folder, 'fleche.config.toml');
    writeFileSync(file, 'a = 1\nb = oops\n');
    const fail: VerbAction = () => {
      throw new FlecheError('CONFIG_SYNTAX', 'not TOML', { at: { file, line: 2, column: 5 } });
    };
    const told = await cli(['act'], fail, folder);
    assert.is(told.code, 3);
    assert.is(told.stderr, 'error[CONFIG_SYNTAX]: fleche.config.toml:2:5: not TOML\n  2 | b = oops\n    |     ^\n');
  }));

test('--cwd is where the verb works, and must be a folder', () =>
  inNewFolder(async (folder) => {
    let seen = '';
    const look: VerbAction = async ({ machine }) => {
      seen = machine.cwd;
      return 0;
    };
    await cli(['act', '--cwd', folder], look);
    assert.is(seen, folder);
    const told = await cli(['--cwd', join(folder, 'gone'), 'act'], never);
    assert.is(told.code, 3);
    assert.match(told.stderr, /is not a folder/);
  }));

test('--color decides over the environment, for what a verb prints and for errors', async () => {
  const print: VerbAction = async ({ machine }) => {
    machine.stdout.write(String(machine.stdout.colors));
    throw new FlecheError('USAGE', 'no');
  };
  const always = await cli(['act', '--color=always'], print);
  assert.is(always.stdout, 'true');
  assert.ok(always.stderr.includes('\u001b[31m'));
  assert.is((await cli(['act', '--color', 'never'], print)).stdout, 'false');
  assert.is((await cli(['act', '--no-color'], print)).stdout, 'false');
});

test('what nobody expected is a bug and ends with 70', async () => {
  const told = await cli(['act'], () => Promise.reject(new TypeError('odd')));
  assert.is(told.code, 70);
  assert.match(told.stderr, /^error\[BUG\]: TypeError: odd\n +at /);
});

test.run();
