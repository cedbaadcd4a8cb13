/**
 * The built program with each Node that package.json's `engines` allow at the ends of its ranges. `.ci/nodes` fetches them;
 * one that is not here is said to be missing, and its test counts as not run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { program, REPOSITORY, Rig } from './_rig.ts';

const HOME = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'fleche-nodes');
const [VERSIONS = ''] =
  /^for version in ([\d. ]+); do$/m.exec(readFileSync(join(REPOSITORY, '.ci/nodes'), 'utf8'))?.slice(1) ?? [];

const PROGRAM = `
import { fleche } from 'fleche';
const double = fleche(function double(x) { console.log('made'); return x * 2; }, { args: ['x'] });
console.log(double(2), process.version);
`;

const CONFIG = `
[default]
cache = "local"
root = true

[caches.local]
type = "Lmdb"
root = ".fleche"
`;

/** An esbuild that runs a plugin, cached, on one module. */
const BUILD = `
import { build } from 'esbuild';
import { cached } from 'fleche/esbuild';
const upper = { name: 'upper', setup({ onLoad }) {
  onLoad({ filter: /[.]shout$/ }, async ({ path }) => {
    console.log('transformed');
    const { readFile } = await import('node:fs/promises');
    return { contents: 'export default ' + JSON.stringify((await readFile(path, 'utf8')).toUpperCase()) };
  });
} };
const { outputFiles: [file] } = await build({
  entryPoints: ['main.shout'], write: false, bundle: true, format: 'esm',
  plugins: [cached(upper, { identity: 'upper 1' })],
});
console.log(file.text.includes('HELLO'));
`;

async function works(node: string): Promise<void> {
  const rig = new Rig(node);
  try {
    rig.copy('fixtures/site');
    const first = await rig.run();
    assert.is(first.code, 0, first.stdout + first.stderr);
    assert.is(first.stderr, '');
    assert.equal(new Set(Object.values(first.outcomes)), new Set(['ran']));
    for (let again = 0; again < 3; again++) {
      const { code, outcomes, stderr } = await rig.run();
      assert.is(code, 0);
      assert.is(stderr, '');
      assert.equal(new Set(Object.values(outcomes)), new Set(['cached']));
    }
    rig.edit('content/flight.md', 'is let go', 'is released');
    const plan = await rig.fleche(['plan']);
    assert.match(plan.stdout, /2 would run, 4 cached/);
    assert.is(plan.stderr, '');
    assert.is((await rig.run()).outcomes['pages'], 'ran');
  } finally {
    rig.close();
  }
}

function remembers(node: string, version: string): void {
  const rig = new Rig(node);
  try {
    program();
    rig.write({
      'package.json': '{ "type": "module" }',
      'fleche.config.toml': CONFIG,
      'program.js': PROGRAM,
      'build.js': BUILD,
      'main.shout': 'hello',
    });
    mkdirSync(rig.path('node_modules'));
    symlinkSync(REPOSITORY, rig.path('node_modules/fleche'), 'junction');
    symlinkSync(join(REPOSITORY, 'node_modules/esbuild'), rig.path('node_modules/esbuild'), 'junction');
    const run = (file: string): string => {
      const { status, stdout, stderr } = spawnSync(node, [file], { cwd: rig.root, env: rig.env(), encoding: 'utf8' });
      assert.is(status, 0, stderr);
      assert.is(stderr, '');
      return stdout;
    };
    assert.is(run('program.js'), `made\n4 v${version}\n`);
    assert.is(run('program.js'), `4 v${version}\n`);
    assert.is(run('build.js'), 'transformed\ntrue\n');
    assert.is(run('build.js'), 'true\n');
  } finally {
    rig.close();
  }
}

assert.ok(VERSIONS, '.ci/nodes says which');
for (const version of VERSIONS.split(' ')) {
  const node = join(HOME, version, 'bin/node');
  if (!existsSync(node)) {
    process.stderr.write(`NOT RUN: with Node ${version}: it is not here; .ci/nodes fetches it\n`);
    continue;
  }
  test(`a pipeline with a function task runs, is cached and says nothing else, with Node ${version}`, () =>
    works(node));
  test(`memoised functions and esbuild plugins remember, with Node ${version}`, () => remembers(node, version));
}

test.run();
