/** Completion in real shells, from the script that is printed for each. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { REPOSITORY, type Rig, withRig } from './_rig.ts';

const PROGRAM = join(REPOSITORY, 'dist/fleche.cjs');
const FILES: Readonly<Record<string, string>> = {
  'fleche.config.toml': `[default]
root = true

[tasks."css:min"]
run = "true"

[tasks.build]
run = "echo a\\tb"
`,
  'apps/a.txt': '',
};

function isHere(shell: string): boolean {
  return spawnSync(shell, ['-c', 'true']).status === 0;
}

function inShell(shell: string, name: string, work: (rig: Rig) => void): void {
  if (isHere(shell)) test(name, () => withRig(FILES, async (rig) => work(rig)));
  else process.stderr.write(`NOT RUN: ${name}: ${shell} is not here\n`);
}

/** What a shell prints. Nothing else may come of it. */
function said(shell: string, script: string, rig: Rig, ...args: readonly string[]): readonly string[] {
  const fleche = `fleche() { "${process.execPath}" "${PROGRAM}" "$@"; }`;
  const { stdout, stderr } = spawnSync(shell, ['-c', `${fleche}\n${script}`, shell, ...args], {
    cwd: rig.root,
    env: { PATH: process.env['PATH'], HOME: rig.aside },
    encoding: 'utf8',
  });
  assert.is(stderr, '');
  return stdout.split('\n').filter(Boolean);
}

/** The line is cut into words as bash does it. */
const BASH = `source <(fleche completion bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_fleche fleche
printf '%s\\n' "\${COMPREPLY[@]}"`;

inShell('bash', 'bash: verbs, tasks, options and their values, names with colons, and files', (rig) => {
  const offers = (...words: readonly string[]): readonly string[] => said('bash', BASH, rig, 'fleche', ...words);
  assert.equal(offers('pl'), ['plan']);
  assert.equal(offers('run', 'b'), ['build']);
  assert.equal(offers('run', 'css'), ['css:min']);
  assert.equal(offers('run', 'css', ':', 'm'), ['min']);
  assert.equal(offers('run', 'css', ':'), ['min']);
  assert.equal(offers('run', '--fo'), ['--force']);
  assert.equal(offers('run', '--log', '=', 'g'), ['grouped']);
  assert.equal(offers('run', '--summary', '=', 'fleche'), ['fleche.config.toml']);
  assert.equal(offers('run', '--cwd', 'ap'), ['apps']);
  rig.write({ 'fleche.config.toml': 'broken' });
  assert.equal([offers('run', 'b'), offers('pl')], [[], ['plan']]);
});

/** What the completion system of zsh is asked to do is printed instead. */
const ZSH = `compdef() {}
_describe() { local name=$argv[-1]; print -rl -- "\${(@P)name}" }
_files() { print -r -- "files $*" }
compset() {}
source <(fleche completion zsh)
words=("$@") CURRENT=$# PREFIX=$argv[-1]
_fleche`;

inShell('zsh', 'zsh: verbs and tasks with what they mean, values, and files', (rig) => {
  const offers = (...words: readonly string[]): readonly string[] => said('zsh', ZSH, rig, 'fleche', ...words);
  assert.equal(offers('pl'), ['plan:say what run would do, and why']);
  assert.equal(offers('run', 'css'), ['css\\:min:true']);
  assert.equal(offers('run', '--log=g'), ['--log=grouped:']);
  assert.equal(offers('run', '--summary', ''), ['files ']);
  assert.equal(offers('run', '--cwd', ''), ['files -/']);
});

test('a shell that there is nothing for is told of those there are', () =>
  withRig({}, async (rig) => {
    const { code, stderr } = await rig.fleche(['completion', 'bsh']);
    assert.equal([code, /there is no completion for "bsh"\n {2}hint: Did you mean "bash"\?/.test(stderr)], [3, true]);
  }));

test.run();
