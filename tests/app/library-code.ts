/** What functions with `code: 'closure'` are made of, in programs that use the built library. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const ROOT = resolve(import.meta.dirname, '../..');
/** Denies a program the starting of processes. */
const ALONE = [
  process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission',
  '--allow-fs-read=*',
  '--allow-fs-write=*',
];

class Project {
  readonly #folder = mkdtempSync(join(tmpdir(), 'fleche-'));

  constructor(files: Readonly<Record<string, string>>) {
    this.write({ 'package.json': '{"type":"module"}', ...files });
    mkdirSync(join(this.#folder, 'node_modules'));
    symlinkSync(ROOT, join(this.#folder, 'node_modules/fleche'), 'junction');
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.#folder, path)), { recursive: true });
      writeFileSync(join(this.#folder, path), text);
    }
  }

  edit(path: string, from: string, to: string): void {
    const text = readFileSync(join(this.#folder, path), 'utf8');
    assert.ok(text.includes(from));
    this.write({ [path]: text.replace(from, to) });
  }

  /** Whether anything is remembered of the code of any project. */
  get remembers(): boolean {
    return existsSync(join(this.#folder, 'caches/fleche/code'));
  }

  /** Runs a program, the body of an asynchronous function that knows `all` exports of main.mjs. */
  run(body: string, flags: readonly string[] = []): SpawnSyncReturns<string> {
    const caches = join(this.#folder, 'caches');
    this.write({
      'program.mjs': `import * as all from './main.mjs';
const told = (error) => [error.code, error.message, error.hint].join(' | ');
const tell = async (ask) => { try { console.log(await ask()); } catch (error) { console.log(told(error)); } };
${body}`,
    });
    const ended = spawnSync(process.execPath, [...flags, 'program.mjs'], {
      cwd: this.#folder,
      env: { PATH: process.env['PATH'], HOME: this.#folder, LOCALAPPDATA: caches, XDG_CACHE_HOME: caches },
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.is(ended.status, 0, ended.stderr);
    return ended;
  }

  print(body: string, flags: readonly string[] = []): string[] {
    return this.run(body, flags).stdout.trimEnd().split('\n');
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function withProject(files: Readonly<Record<string, string>>, work: (project: Project) => void): void {
  const project = new Project(files);
  try {
    work(project);
  } finally {
    project.close();
  }
}

const FILES = {
  'main.mjs': `import { fleche } from 'fleche';
import { area } from './near.mjs';
export const size = fleche(function size(x) { return area(x); }, { code: 'closure' });
export const later = fleche(async (x) => x + 1, { code: 'closure', name: 'later' });
export class Box {
  static half = fleche(function half(x) { return x / 2; }, { code: 'closure', export: 'Box' });
}
`,
  'near.mjs': `import { factor } from './far.mjs';
export function area(x) { return x * x * factor; }
export function unused() { return 1; }
`,
  'far.mjs': `export const factor = 1;\n`,
};
const KEYS = 'console.log(all.size.digest(3)); console.log(await all.later.digest(3));';

test('what a function uses two files away counts; neighbours, comments and formatting do not', () => {
  withProject(FILES, (project) => {
    const first = project.print(`console.log(all.size(3), await all.later(3), all.Box.half(3));${KEYS}`);
    assert.is(first.shift(), '9 4 1.5');
    project.edit('near.mjs', 'return 1', 'return 2');
    project.edit('near.mjs', 'x * x', 'x*x /* the area */');
    project.edit('main.mjs', 'export class', '// a class\nexport class');
    assert.equal(project.print(KEYS), first);
    project.edit('far.mjs', 'factor = 1', 'factor = 10');
    const [size, later, ...rest] = project.print(`${KEYS}console.log(all.size(3));`);
    assert.is.not(size, first[0]);
    assert.is(later, first[1]);
    assert.equal(rest, ['90']);
  });
});

test('nothing is bundled before a call, and nothing again while nothing changed', () => {
  withProject(FILES, (project) => {
    assert.equal(project.print('console.log(all.size.original(3));', ALONE), ['9']);
    assert.not.ok(project.remembers);
    const [denied = ''] = project.print('await tell(() => all.size(3));', ALONE);
    assert.match(denied, /^CODE_UNRESOLVED \| code could not be bundled: .*May Node start one here/);
    const first = project.print(KEYS);
    assert.ok(project.remembers);
    assert.equal(project.print(KEYS, ALONE), first);
  });
});

test('a function that is no export is an error that says what to do, each time', () => {
  const main = `import { fleche } from 'fleche';
const inner = fleche(function inner(x) { return x; }, { code: 'closure' });
export const outer = (x) => inner(x);
export const named = fleche((x) => x, { code: 'closure', name: 'other name' });
export const found = fleche((x) => x, { code: 'closure', name: 'third name', export: 'found' });
export default fleche((x) => -x, { code: 'closure', name: 'negative', export: 'default' });
`;
  withProject({ 'main.mjs': main }, (project) => {
    const told = project.print(`await tell(() => all.outer(1)); await tell(() => all.outer(1));
await tell(() => all.named(1)); await tell(() => all.found(1)); await tell(() => all.default(1));`);
    const [first = '', second, third = '', ...rest] = told;
    assert.match(first, /^CODE_UNRESOLVED \| main\.mjs has no export "inner" \| /);
    assert.match(first, /export "inner", name its export \(\{ export: '…' \}\), or use code: 'body'/);
    assert.is(second, first);
    assert.match(third, /^CODE_UNRESOLVED \| main\.mjs has no export "other name"/);
    assert.equal(rest, ['1', '-1']);
  });
});

test('code that changed after the process had begun is not filed under: calls run, with one warning; strict ones fail', () => {
  const main = `${FILES['main.mjs']}
export const strict = fleche(function strict(x) { return area(x); }, { code: 'closure', strict: true });
`;
  withProject({ ...FILES, 'main.mjs': main }, (project) => {
    const ended = project.run(`
import { writeFileSync } from 'node:fs';
await new Promise((resolve) => setTimeout(resolve, 30));
writeFileSync('far.mjs', 'export const factor = 10;');
console.log(all.size(3), all.size(3));
await tell(() => all.size.digest(3));
await tell(() => all.strict(3));
await tell(() => all.later(3));
`);
    const [called, asked = '', strict = '', later] = ended.stdout.split('\n');
    assert.is(called, '9 9');
    assert.match(asked, /^CODE_CHANGED \| far\.mjs changed after this process had loaded its code/);
    assert.match(strict, /^CODE_CHANGED/);
    assert.is(later, '4');
    assert.is(ended.stderr.split('size: the cache could not be used').length, 2);
    assert.equal(project.print('console.log(all.size(3));'), ['90']);
  });
});

test.run();
