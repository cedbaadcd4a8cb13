/** What is published, as somebody gets it who installs it: unpacked in a fresh folder, beside its dependencies. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { REPOSITORY } from './_rig.ts';

const MODULES = join(REPOSITORY, 'node_modules');
const base = mkdtempSync(join(tmpdir(), 'fleche-'));
process.on('exit', () => rmSync(base, { recursive: true, force: true }));

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Runs a program in the fresh folder; gives what it printed. */
function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: base,
    encoding: 'utf8',
    env: { ...process.env, ...env, HOME: base, XDG_CONFIG_HOME: base, XDG_CACHE_HOME: join(base, 'cache') },
    shell: command === 'npm',
  });
  assert.is(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

function write(path: string, text: string): void {
  writeFileSync(join(base, path), text);
}

const files = new Set<string>();
let manifest: Manifest;

test.before(() => {
  const said = run('npm', ['pack', REPOSITORY, '--json', '--silent']);
  const [pack]: { filename: string; files: { path: string }[] }[] = JSON.parse(said.slice(said.indexOf('[')));
  for (const { path } of pack?.files ?? []) files.add(path);
  mkdirSync(join(base, 'node_modules'), { recursive: true });
  run('tar', ['xzf', String(pack?.filename), '-C', 'node_modules']);
  run('mv', ['node_modules/package', 'node_modules/fleche']);
  manifest = JSON.parse(readFileSync(join(base, 'node_modules/fleche/package.json'), 'utf8'));
  for (const name of [...Object.keys(manifest.dependencies), '@types/node', 'vite']) {
    const place = join(base, 'node_modules', name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(MODULES, name), place, 'junction');
  }
  write('package.json', '{ "type": "module" }');
  write(
    'fleche.config.toml',
    `[default]
tasks = ["copy"]
cache = "local"

[caches.local]
type = "Lmdb"
root = ".fleche"

[tasks.copy]
run = "cp in.txt out.txt"
inputs = ["in.txt"]
outputs = ["out.txt"]
`,
  );
  write('in.txt', 'in\n');
});

test('everything that the manifest names is there, with its types', () => {
  const named = [
    ...Object.values(manifest.bin),
    ...Object.values(manifest.exports).flatMap((entry) => Object.values(entry)),
  ];
  for (const path of named.filter((part) => part.includes('/'))) {
    assert.ok(existsSync(join(base, 'node_modules/fleche', path)), path);
  }
});

test('nothing is published that nobody needs', () => {
  const strange = [...files].filter((path) => !/^(dist\/.*\.(c?js|d\.ts)|.*\.(md|json|yml)|LICENSE)$/.test(path));
  assert.equal(strange, []);
});

test('an error that nobody catches is shown without pages of the library', () => {
  write('nameless.js', `import { fleche } from 'fleche';\nfleche((x) => x);\n`);
  const { status, stderr } = spawnSync(process.execPath, ['nameless.js'], { cwd: base, encoding: 'utf8' });
  assert.is(status, 1);
  assert.match(stderr, /FlecheError: a memoised function needs a name[\s\S]*Name the function/);
  assert.ok(stderr.length < 3000, `${stderr.length} characters`);
});

test('a program in TypeScript sees the types of what it uses', () => {
  write(
    'program.ts',
    `import { fleche, file, D } from 'fleche';
import { cached } from 'fleche/esbuild';
import { cached as cachedInVite } from 'fleche/vite';
import { defineTransform } from 'fleche/transform';

const double = fleche(function double(x: number): number { return x * 2; }, { args: ['x'] });
const four: number = double(2);
// @ts-expect-error: a number is wanted
double('2');
console.log(four, file, D, cached, cachedInVite, defineTransform);
`,
  );
  write(
    'tsconfig.json',
    JSON.stringify({
      compilerOptions: {
        strict: true,
        module: 'nodenext',
        target: 'es2023',
        noEmit: true,
        types: ['node'],
        skipLibCheck: false,
      },
      files: ['program.ts'],
    }),
  );
  run(process.execPath, [join(MODULES, 'typescript/bin/tsc'), '-p', '.']);
});

test('a memoised function remembers from one process to the next', () => {
  write(
    'program.mjs',
    `import { fleche } from 'fleche';
const double = fleche(function double(x) { console.log('made'); return x * 2; }, { args: ['x'] });
console.log(double(2));
`,
  );
  assert.is(run(process.execPath, ['program.mjs']), 'made\n4\n');
  assert.is(run(process.execPath, ['program.mjs']), '4\n');
});

test('the command answers from the cache, and loads no package for that', () => {
  write(
    'watch-loads.cjs',
    `const { Module } = require('node:module');
const load = Module._load;
const names = new Set();
Module._load = function (name, ...rest) {
  if (!Module.isBuiltin(name) && !/^[./]|package\\.json$/.test(name)) names.add(name);
  return load.call(this, name, ...rest);
};
process.on('exit', () => require('node:fs').writeFileSync('loads.json', JSON.stringify([...names])));
`,
  );
  const command = join(base, 'node_modules/fleche', String(manifest.bin['fleche']));
  const outcomes = (stdout: string): unknown[] =>
    stdout
      .trim()
      .split('\n')
      .map((line): { outcome?: string } => JSON.parse(line))
      .flatMap(({ outcome }) => outcome ?? []);
  assert.equal(outcomes(run(process.execPath, [command, 'run', '--json'])), ['ran']);
  const again = run(process.execPath, ['--require', './watch-loads.cjs', command, 'run', '--json']);
  assert.equal(outcomes(again), ['cached']);
  assert.equal(JSON.parse(readFileSync(join(base, 'loads.json'), 'utf8')), []);
});

test.run();
