/** The guard around uvu: every file here would be green, or silent, under uvu alone. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runTests, type Totals } from './_runner.ts';

const ROOT = resolve(import.meta.dirname, '..');
const HEAD = "import { suite, test } from 'uvu';\n";

interface Run extends Totals {
  readonly printed: string;
}

/** Runs test files given as name to text, each under the usual imports. */
async function run(
  files: Readonly<Record<string, string>>,
  patterns: string[] = [],
  fileTimeout = 20_000,
): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), HEAD + text);
    }
    let printed = '';
    const print = (text: string): void => {
      printed += text;
    };
    const totals = await runTests({ folder, patterns, jobs: 2, fileTimeout, timeout: 60_000, print });
    return { ...totals, printed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs one file and asserts that it is refused for a reason that matches. */
async function refused(text: string, passed: number, reason: RegExp, fileTimeout?: number): Promise<void> {
  const result = await run({ 'a.ts': text }, [], fileTimeout);
  assert.is(result.passed, passed, result.printed);
  assert.ok(result.failed > 0, result.printed);
  assert.match(result.printed, reason);
}

test('passing tests are counted over all files', async () => {
  const two = `test('one', () => {});\ntest('two', async () => {});\ntest.run();\n`;
  const result = await run({ 'a.ts': two, 'sub/b.ts': two, '_helper.ts': 'throw 1', 'bench/c.ts': 'throw 1' });
  assert.is(result.passed, 4, result.printed);
  assert.is(result.failed, 0);
  assert.match(result.printed, /\n4 passed, 0 failed\n$/);
});

test('a pattern chooses files', async () => {
  const one = `test('one', () => {});\ntest.run();\n`;
  assert.is((await run({ 'a.ts': one, 'b.ts': one }, ['^b'])).passed, 1);
});

test('a pattern that matches nothing is not green', async () => {
  const result = await run({ 'a.ts': `test('one', () => {});\ntest.run();\n` }, ['nowhere']);
  assert.equal([result.passed, result.failed], [0, 1]);
  assert.match(result.printed, /no test file matches nowhere/);
});

test('a failing test is shown and counted beside those that pass', async () => {
  await refused(`test('one', () => {});\ntest('two', () => { throw new Error('odd') });\ntest.run();\n`, 1, /odd/);
});

test('a thrown string is a failure', async () => {
  await refused(`test('one', () => { throw 'text' });\ntest.run();\n`, 0, /failed/);
});

for (const hook of ['before', 'after', 'before.each', 'after.each']) {
  test(`a throwing ${hook} hook is not green`, async () => {
    const result = await run({
      'a.ts': `test.${hook}(() => { throw new Error('hook') });\ntest('one', () => {});\ntest.run();\n`,
    });
    assert.ok(result.failed > 0, result.printed);
  });
}

test('a suite that is never run is not green', async () => {
  const text = `const a = suite('a');\na('one', () => {});\na.run();\nconst b = suite('b');\nb('two', () => {});\n`;
  await refused(text, 1, /2 suite\(s\), but 1 started/);
});

test('a file without test.run() is not green', async () => {
  await refused(`test('one', () => {});\n// test.run()\n`, 0, /1 test\(s\) not run/);
});

test('a test after test.run() is not green', async () => {
  await refused(`test('one', () => {});\ntest.run();\ntest('two', () => {});\n`, 1, /1 test\(s\) not run/);
});

test('a forgotten .only is not green', async () => {
  await refused(`test('one', () => {});\ntest.only('two', () => {});\ntest.run();\n`, 1, /\.only\( left in/);
});

test('a skipped test is not green', async () => {
  await refused(`test('one', () => {});\ntest.skip('two', () => {});\ntest.run();\n`, 1, /1 test\(s\) skipped/);
});

test('the word .only in a string or comment is no matter', async () => {
  const text = `// .only(\nconst s = '.only(' + \`\${'/*'} .only(\` + /\\.only\\(\`/;\ntest(s, () => {});\ntest.run();\n`;
  assert.is((await run({ 'a.ts': text })).failed, 0);
});

test('a file without tests is not green', async () => {
  await refused('test.run();\n', 0, /no test was run/);
});

test('a throw at import is not green', async () => {
  await refused(`test('one', () => {});\ntest.run();\nthrow new Error('at import');\n`, 0, /at import/);
});

test('process.exit(0) inside a test is not green', async () => {
  await refused(`test('one', () => { process.exit(0) });\ntest.run();\n`, 0, /ended before its tests did/);
});

test('a promise that never settles is not green', async () => {
  await refused(`test('one', () => new Promise(() => {}));\ntest.run();\n`, 0, /exit code 13/);
});

test('a rejection that nobody handles is not green', async () => {
  await refused(`test('one', () => { Promise.reject(new Error('lost')) });\ntest.run();\n`, 1, /exit code 1/);
});

test('a failing exit code after the tests is not green', async () => {
  await refused(`test('one', () => { process.exitCode = 3 });\ntest.run();\n`, 1, /exit code 3/);
});

test('a process that dies in native code is not green', async () => {
  await refused(`test('one', () => { process.kill(process.pid, 'SIGKILL') });\ntest.run();\n`, 0, /killed by SIGKILL/);
});

test('a file that hangs is ended at its time limit, with what it started', async () => {
  const text = `import { spawn } from 'node:child_process';
test('one', () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
  console.log('child ' + child.pid);
  return new Promise(() => {});
});
test.run();\n`;
  const result = await run({ 'a.ts': text }, [], 3000);
  assert.equal([result.passed, result.failed], [0, 1], result.printed);
  assert.match(result.printed, /took longer than 3 s/);
  const pid = Number(/child (\d+)/.exec(result.printed)?.[1]);
  assert.not.ok(isAlive(pid), `process ${pid} is still there`);
});

/** A killed process may wait as a zombie for its reaper: that is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('the totals stand alone on the last line and decide the exit code', () => {
  const main = (pattern: string): { status: number | null; stdout: string } =>
    spawnSync(process.execPath, ['--import', 'tsx', 'tests/main.ts', pattern], { cwd: ROOT, encoding: 'utf8' });
  const green = main('^base/order\\.ts$');
  assert.match(green.stdout, /\n[1-9]\d* passed, 0 failed\n$/);
  assert.is(green.status, 0);
  const red = main('^nowhere$');
  assert.match(red.stdout, /\n0 passed, 1 failed\n$/);
  assert.is(red.status, 1);
});

test.run();
