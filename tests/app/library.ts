/** What a program that imports the library finds configured, in a process of its own. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const INDEX = pathToFileURL(resolve(import.meta.dirname, '../../core/index.ts')).href;
const LOADER = import.meta.resolve('tsx');

interface Place {
  readonly folder: string;
  /** Runs a program in the folder; returns what it prints, and standard error. */
  run(program: string): { readonly stdout: string; readonly stderr: string };
}

function withPlace(files: Readonly<Record<string, string>>, use: (place: Place) => void): void {
  const base = mkdtempSync(join(tmpdir(), 'fleche-'));
  const [folder, home] = [join(base, 'project'), join(base, 'home')];
  try {
    for (const [path, text] of Object.entries({ 'project/.keep': '', ...files })) {
      mkdirSync(join(base, path, '..'), { recursive: true });
      writeFileSync(join(base, path), text);
    }
    const run = (program: string): { stdout: string; stderr: string } => {
      const source = `import * as api from '${INDEX}';\nconst { fleche, cache } = api;\n${program}`;
      writeFileSync(join(folder, 'program.mts'), source);
      const env = { PATH: process.env['PATH'], HOME: home, USERPROFILE: home, XDG_CONFIG_HOME: join(home, '.config') };
      const child = spawnSync(process.execPath, ['--import', LOADER, 'program.mts'], {
        cwd: folder,
        env,
        encoding: 'utf8',
      });
      assert.is(child.status, 0, child.stderr);
      return child;
    };
    use({ folder, run });
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

const COUNT = `
let runs = 0;
const square = fleche(function square(x) { runs++; return x * x; });
console.log(square(7), runs);
`;

test('without a configuration answers are kept in memory, which is told once', () => {
  withPlace({}, ({ run }) => {
    const { stdout, stderr } = run(`${COUNT}square(7);`);
    assert.is(stdout, '49 1\n');
    assert.is(stderr.split('no cache is configured').length, 2);
    assert.is(run(COUNT).stdout, '49 1\n');
  });
});

test('the configured default cache is used, and outlives the process', () => {
  const config =
    '[default]\ncache = "kept"\nmetadata = ["Runtime", "CallInfo"]\n[caches.kept]\ntype = "File"\nroot = "kept"\n';
  withPlace({ 'project/fleche.config.toml': config }, ({ run, folder }) => {
    assert.is(run(COUNT).stdout, '49 1\n');
    assert.is(existsSync(join(folder, 'kept')), true);
    assert.is(run(COUNT).stdout, '49 0\n');
    const noted = `${COUNT}const [call] = await square.query().results ? [(await square.query().latest())] : []; console.log(Object.keys(call.metadata).sort().join());`;
    assert.is(run(noted).stdout, '49 0\ncallInfo,runtime\n');
  });
});

test('caches of the user-wide file are found by name, nested storages and pairs among them', () => {
  const user = `
[default]
cache = "persistent"
metadata = ["Runtime", "CallInfo"]

[persistent]
values.type = "PickleFile"
values.root = "~/.cache/fleche/values"
calls.type = "CloudpickleFile"
calls.root = "~/.cache/fleche/calls"

[fast]
values.type = "Memory"
calls.type = "Memory"

[compressed]
values.type = "CompressedStorage"
values.compression = "gzip"
values.inner.type = "DillFile"
values.inner.root = "~/.cache/fleche/compressed_values"
calls.type = "CloudpickleFile"
calls.root = "~/.cache/fleche/compressed_calls"
`;
  withPlace({ 'home/.config/fleche/cache.toml': user }, ({ run, folder }) => {
    assert.is(run(COUNT).stdout, '49 1\n');
    assert.is(run(COUNT).stdout, '49 0\n');
    const scoped = (name: string): string => `
let runs = 0;
const square = fleche(function square(x) { runs++; return x * x; });
console.log(cache('${name}', () => [square(7), square(7)]).join(), runs);
if (cache('${name}', () => cache()) !== cache('${name}', () => cache())) throw new Error('two of one name');
`;
    assert.is(run(scoped('fast')).stdout, '49,49 1\n');
    assert.is(run(scoped('fast')).stdout, '49,49 1\n');
    assert.is(run(scoped('compressed')).stdout, '49,49 1\n');
    assert.is(run(scoped('compressed')).stdout, '49,49 0\n');
    assert.is(existsSync(join(folder, '../home/.cache/fleche/compressed_values')), true);
  });
});

/** The administrator may write everywhere: a program of theirs goes on as nobody. */
const WITHOUT_RIGHTS = 'if (process.geteuid?.() === 0) process.seteuid(65534);\n';

/** Tries everything that needs a cache; prints what came of it and how often the functions ran. */
const WITHOUT_CACHE = `
let runs = 0;
const told = async (work) => { try { return await work(); } catch (error) { return error.code; } };
const square = fleche(function square(x) { runs++; return x * x; });
const strict = fleche(function strict(x) { runs++; return x * x; }, { strict: true });
const later = fleche(async function later(x) { runs++; return x * x; });
console.log(square(7), square(7), await later(7), runs);
console.log(await told(() => strict(7)), await told(() => square.query().count()), runs);
`;

function assertRanWithoutCache({ stdout, stderr }: Readonly<Record<'stdout' | 'stderr', string>>): void {
  assert.is(stdout, '49 49 49 3\nSTORE_UNUSABLE STORE_UNUSABLE 3\n');
  const warnings = (name: string): number => stderr.split(`${name}: the cache could not be used`).length - 1;
  assert.equal(['square', 'later', 'strict'].map(warnings), [1, 1, 0]);
}

test('a configured cache that cannot be opened costs runs and one warning for each function; strict ones fail', () => {
  const pair = 'values.type = "File"\nvalues.root = "v"\ncalls.type = "Sql"\ncalls.url = "sqlite:file/calls.db"';
  for (const storage of ['type = "Lmdb"\nroot = "file/cache"', pair]) {
    const config = `[default]\nroot = true\ncache = "kept"\n[caches.kept]\n${storage}\n`;
    withPlace({ 'project/fleche.config.toml': config, 'project/file': 'no folder' }, ({ run }) => {
      assertRanWithoutCache(run(WITHOUT_CACHE));
    });
  }
});

test('a cache in a folder that may not be written costs the same', () => {
  const config = '[default]\nroot = true\ncache = "kept"\n[caches.kept]\ntype = "Lmdb"\nroot = "shut/cache"\n';
  withPlace({ 'project/fleche.config.toml': config, 'project/shut/.keep': '' }, ({ run, folder }) => {
    chmodSync(dirname(folder), 0o755);
    chmodSync(join(folder, 'shut'), 0o555);
    assertRanWithoutCache(run(`${WITHOUT_RIGHTS}${WITHOUT_CACHE}`));
    assert.equal(readdirSync(join(folder, 'shut')), ['.keep']);
  });
});

test('an unknown cache is an error that names the nearest one', () => {
  withPlace({}, ({ run }) => {
    const { stdout } = run(`try { cache('memori'); } catch (error) { console.log(error.code, error.hint); }`);
    assert.match(stdout, 'CONFIG_UNKNOWN_CACHE');
    assert.match(stdout, 'memory');
  });
});

test('files are arguments by path and content: renaming or editing one is another call, moving the project is none', () => {
  const files = { 'a.txt': 'one', 'b.txt': 'one', 'd/a.txt': 'one', '[c].txt': 'two' };
  const below = (folder: string): Record<string, string> =>
    Object.fromEntries(Object.entries(files).map(([path, text]) => [`project/${folder}/${path}`, text]));
  withPlace({ ...below('here'), ...below('there') }, ({ run }) => {
    const program = `
let runs = 0;
const nameAndText = fleche(function nameAndText(file) { runs++; return file.path + ':' + file.text(); });
cache('memory', () => {
  for (const root of ['here', 'there']) {
    const named = ['a.txt', 'b.txt', 'd/a.txt', '[c].txt'].map((path) => nameAndText(api.file(path, { root })));
    console.log(named.join(), runs);
  }
  console.log(nameAndText(api.file(process.cwd() + '/here/a.txt', { root: 'here' })), runs);
  console.log(nameAndText(api.file(process.cwd() + '/here/a.txt', { root: 'there' })), runs);
  console.log(api.glob('*.txt', { root: 'here' }).map(String).join(), api.tree('here').list().length);
});
for (const path of ['none.txt', 'here', '*.txt']) {
  try { api.file(path); } catch (error) { console.log(error.code); }
}
`;
    const texts = 'a.txt:one,b.txt:one,d/a.txt:one,[c].txt:two';
    const unreadable = 'INPUT_UNREADABLE\n'.repeat(3);
    const listed = '[c].txt,a.txt,b.txt 4';
    assert.is(run(program).stdout, `${texts} 4\n${texts} 4\na.txt:one 4\na.txt:one 4\n${listed}\n${unreadable}`);
  });
});

test.run();
