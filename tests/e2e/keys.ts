/** The keys of `fleche watch` in a real terminal, in which a shell has started it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ShellInTerminal, terminalMaker } from './_pty.ts';
import { isAlive, program, type Rig, until, withRig } from './_rig.ts';

const CONFIG = `[default]
root = true
tasks = ["list"]

[tasks.list]
run = "echo list >> $TEST_LOG; cat src/*; sh slow.sh"
inputs = ["src/**", "slow.sh"]
pass_env = ["TEST_LOG"]
`;
const FILES = { 'fleche.config.toml': CONFIG, 'src/a': 'text of a\n', 'slow.sh': 'true\n' };
const SLOW = 'echo $$ > pid; sleep 1000\n';
const KEYS = 'watching; r runs all, w says why, s shows all output, q quits';

const maker = terminalMaker();

/** A shell that has started a watch whose first round is over. */
function inTerminal(
  use: (terminal: ShellInTerminal, rig: Rig) => Promise<void>,
  {
    before = 'true',
    files = FILES,
    command = `${process.execPath} ${program()} watch`,
  }: { readonly before?: string; readonly files?: Readonly<Record<string, string>>; readonly command?: string } = {},
): Promise<void> {
  if (maker === undefined) return Promise.resolve();
  return withRig(files, async (rig) => {
    const terminal = new ShellInTerminal(maker, rig.root, rig.env({ LC_ALL: 'C.UTF-8' }));
    try {
      await terminal.does(before);
      terminal.press(`${command}\r`);
      await use(terminal, rig);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
      assert.not.match(terminal.text, /\u001b\[\?(?:47|1047|1049)h/, 'the normal screen is used');
    } finally {
      await terminal.end();
    }
  });
}

async function started(terminal: ShellInTerminal, rig: Rig): Promise<void> {
  await terminal.seesAll(/q quits/, /1 ran/);
  assert.ok(terminal.text.includes(KEYS), terminal.text);
  assert.equal(rig.log(), ['list']);
}

async function runningPid(rig: Rig): Promise<number> {
  await until(() => rig.exists('pid') && rig.read('pid').endsWith('\n'), 'the command');
  return Number(rig.read('pid'));
}

test('w, s, r and q do what the help says, other keys nothing, and the terminal is as it was', () =>
  inTerminal(async (terminal, rig) => {
    await started(terminal, rig);
    terminal.press('w');
    assert.match(await terminal.sees(/first run/), /list.* ran/);
    terminal.press('s');
    await terminal.sees(/│.*text of a/);
    terminal.press('xu?\t\u001b[A');
    terminal.press('r');
    assert.match(await terminal.sees(/1 ran/), /^\s*(?:\S*m)?run all/);
    assert.equal(rig.log(), ['list']);
    rig.write({ 'src/a': 'other text\n' });
    await terminal.sees(/src\/a/);
    await terminal.sees(/1 ran/);
    terminal.press('q');
    await terminal.sees(/ready\$ /);
    assert.match(await terminal.does('echo "code=$?"'), /code=0/);
    assert.ok(await terminal.isOrdinary());
  }));

test('Ctrl-C ends what runs, and the terminal is as it was', () =>
  inTerminal(async (terminal, rig) => {
    await started(terminal, rig);
    rig.write({ 'slow.sh': SLOW });
    const pid = await runningPid(rig);
    assert.ok(isAlive(pid));
    terminal.press('\u0003');
    await terminal.sees(/ready\$ /);
    assert.match(await terminal.does('echo "code=$?"'), /code=130/);
    assert.not.ok(isAlive(pid));
    assert.ok(await terminal.isOrdinary());
  }));

test('Ctrl-Z gives the shell back, and what happened meanwhile is seen when the watch goes on', () =>
  inTerminal(async (terminal, rig) => {
    await started(terminal, rig);
    for (let turn = 0; turn < 2; turn++) {
      terminal.press('\u001a');
      await terminal.sees(/Stopped/);
      assert.ok(await terminal.isOrdinary());
      rig.write({ 'src/a': `turn ${turn}\n` });
      terminal.press('fg\r');
      await terminal.sees(/1 ran/);
      assert.equal(rig.log().length, 1);
      terminal.press('s');
      await terminal.sees(new RegExp(`│.*turn ${turn}`));
    }
    terminal.press('q');
    await terminal.sees(/ready\$ /);
    assert.ok(await terminal.isOrdinary());
  }));

test('a watch that is stopped while a task runs goes on with it', () =>
  inTerminal(async (terminal, rig) => {
    await started(terminal, rig);
    rig.write({ 'slow.sh': 'until [ -e go ]; do sleep 0.05; done; echo went\n' });
    await terminal.sees(/running/);
    terminal.press('\u001a');
    await terminal.sees(/Stopped/);
    assert.ok(await terminal.isOrdinary());
    terminal.press('fg\r');
    rig.write({ go: '' });
    await terminal.sees(/went/);
    await terminal.sees(/1 ran/);
    terminal.press('q');
    await terminal.sees(/ready\$ /);
  }));

test('after SIGTERM and after a fault of the program the terminal is as it was', () =>
  inTerminal(
    async (terminal, rig) => {
      await started(terminal, rig);
      terminal.press('\u001a');
      await terminal.sees(/Stopped[^$]*ready\$ /);
      terminal.press('kill -TERM %1; fg\r');
      await terminal.sees(/ready\$ /);
      assert.ok(await terminal.isOrdinary());
      terminal.press(`${process.execPath} --require ./fault.cjs ${program()} watch\r`);
      await terminal.sees(/q quits/);
      rig.write({ fault: '' });
      await terminal.sees(/error\[BUG\]: Error: for the test/);
      await terminal.sees(/ready\$ /);
      assert.ok(await terminal.isOrdinary());
    },
    {
      files: {
        ...FILES,
        'fault.cjs':
          "const fs = require('node:fs'); setInterval(() => { if (fs.existsSync('fault')) throw new Error('for the test'); }, 20);\n",
      },
    },
  ));

test('a terminal that is closed ends the watch and what runs, without a crash', () =>
  inTerminal(
    async (terminal, rig) => {
      await started(terminal, rig);
      rig.write({ 'slow.sh': SLOW });
      const pid = await runningPid(rig);
      terminal.close();
      await until(() => rig.readIfThere('code')?.endsWith('\n') === true, 'the end');
      assert.equal([rig.read('code'), rig.read('errors')], ['129\n', '']);
      assert.not.ok(isAlive(pid));
    },
    { command: `(trap '' HUP; ${process.execPath} ${program()} watch 2>errors; echo $? >code)` },
  ));

test('in a narrow terminal no line that changes is wrapped, and nothing is drawn over', () =>
  inTerminal(
    async (terminal, rig) => {
      await started(terminal, rig);
      rig.write({ 'slow.sh': 'sleep 0.5; echo went\n' });
      const drawn = await terminal.sees(/went/);
      // Each step back to the beginning of the lines that change is as long as they are.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
      const frames = drawn.split(/\u001b\[\d+A\u001b\[0J/).slice(0, -1);
      assert.ok(frames.length >= 2, 'it was drawn again and again');
      for (const frame of frames.slice(1)) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
        const lines = frame.replace(/\u001b\[[\d;]*m/g, '').split('\r\n');
        for (const line of lines) assert.ok(line.length < 20, JSON.stringify(frame));
      }
      terminal.press('q');
      await terminal.sees(/ready\$ /);
      assert.ok(await terminal.isOrdinary());
    },
    { before: 'stty cols 20' },
  ));

test.run();
