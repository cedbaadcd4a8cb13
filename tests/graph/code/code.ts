/** Code identity: what changes a digest and what does not, fresh and remembered. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../../core/base/errors.ts';
import type { Digest } from '../../../core/base/hash.ts';
import type { AbsPath } from '../../../core/base/paths.ts';
import { CodeIndex } from '../../../core/graph/code/code.ts';
import { MemoryStateStore } from '../../../core/store/memory.ts';
import type { StateStore } from '../../../core/store/state.ts';
import { closureOf } from '../_code.ts';
import { type Files, inProject, installed, rel } from '../_project.ts';

const MODULE = rel('tasks/main.ts');
const FLECHE = installed(
  'fleche',
  '0.1.0',
  { exports: './index.js', type: 'module' },
  'export const fleche = (f) => f;',
);

const PROJECT: Files = {
  'package.json': '{"name":"project","type":"module"}',
  'tsconfig.json': '{"compilerOptions":{"strict":true}}',
  'tasks/main.ts': `import { fleche } from 'fleche';
import { join } from 'node:path';
import used from 'used';
import { other } from 'other';
import { first } from '../src/first.ts';
import type { Shape } from '../src/types.ts';
import data from '../data.json';

const LIMIT = 3;
export const task = fleche(async (shape: Shape) => used(first(shape, LIMIT), join('a', data.text)));
export const sibling = fleche(async () => other(), { version: 1 });
export function plain(): string {
  return 'plain';
}
`,
  'src/first.ts': `import { second } from './second';
export const first = (shape: object, limit: number) => second(shape) + limit;
export const unused = () => 'unused';
`,
  'src/second.ts': `import { third } from './third.ts';
export const second = (shape: object) => third(shape);
`,
  'src/third.ts': `export function third(shape: object): string {
  return JSON.stringify(shape);
}
export function unrelated(): number {
  return 1;
}
`,
  'src/types.ts': 'export interface Shape { side: number }\n',
  'data.json': '{"text":"t","more":1}',
  ...FLECHE,
  ...installed('used', '1.0.0'),
  ...installed('other', '1.0.0', { sideEffects: false }),
};

async function digestOf(root: AbsPath, name = 'task', module = MODULE): Promise<Digest> {
  return (await closureOf(root, module, name)).digest;
}

/** Files count as old, so that everything is remembered. */
const later = (): number => Date.now() + 10_000;

function indexOf(root: AbsPath, state: StateStore = new MemoryStateStore(), now = later): CodeIndex {
  return new CodeIndex(root, state, now);
}

/** A state store that tells how often something was built: each build is remembered by a `put`. */
class CountingState extends MemoryStateStore {
  puts = 0;

  override put(name: string, bytes: Uint8Array): void {
    this.puts++;
    super.put(name, bytes);
  }
}

/** The digest of an export before and after an edit, the second by a fresh build and from an index that knew the first. */
async function edited(edit: Files, name = 'task', files: Files = PROJECT): Promise<'same' | 'changed'> {
  return inProject(files, async ({ root, put }) => {
    const index = indexOf(root);
    const before = (await index.closure(MODULE, name)).digest;
    put(edit);
    const after = await digestOf(root, name);
    assert.is((await index.closure(MODULE, name)).digest, after, 'the index follows');
    return after === before ? 'same' : 'changed';
  });
}

function replace(path: string, from: string, to: string, files: Files = PROJECT): Files {
  const text = files[path];
  if (typeof text !== 'string' || !text.includes(from)) throw new Error(`${path} does not contain ${from}`);
  return { [path]: text.replace(from, to) };
}

const SAME: Readonly<Record<string, Files>> = {
  'a comment': replace('src/third.ts', 'return', '/* why */ return'),
  'a legal comment': replace('src/third.ts', 'return', '/*! licence */ return'),
  formatting: replace('src/second.ts', '=> third(shape)', '=>\n\n  third( shape )'),
  'line ends': { 'src/third.ts': String(PROJECT['src/third.ts']).replaceAll('\n', '\r\n') },
  'a type': { 'src/types.ts': 'export interface Shape { side: bigint }\n' },
  'a type annotation': replace('src/third.ts', 'shape: object', 'shape: unknown'),
  'an unrelated function of a helper': replace('src/third.ts', 'return 1', 'return 2'),
  'an unused export of a helper': replace('src/first.ts', "'unused'", "'still unused'"),
  'another task of the same file': replace('tasks/main.ts', 'version: 1', 'version: 2'),
  'a new task in the same file': replace(
    'tasks/main.ts',
    'export function',
    'export const t = fleche(() => 1);\nexport function',
  ),
  'a plain function of the same file': replace('tasks/main.ts', "return 'plain'", "return 'fancy'"),
  'one more name from a package': replace('tasks/main.ts', '{ join }', '{ dirname, join, sep }'),
  'a package that only another task imports': installed('other', '2.0.0', { sideEffects: false }),
  'the content of an installed package, its version aside': installed('used', '1.0.0', {}, 'module.exports = 1;'),
  'a new file that nobody asks for': { 'src/new.ts': 'throw new Error();' },
  'a script in package.json': { 'package.json': '{"name":"project","type":"module","scripts":{"x":"y"}}' },
};
for (const [what, edit] of Object.entries(SAME)) {
  test(`same digest: ${what}`, async () => {
    assert.is(await edited(edit), 'same');
  });
}

const CHANGED: Readonly<Record<string, Files>> = {
  'the body': replace('tasks/main.ts', 'used(first', 'used(1 + first'),
  'a constant': replace('tasks/main.ts', 'LIMIT = 3', 'LIMIT = 4'),
  'a helper': replace('src/first.ts', '+ limit', '- limit'),
  'a helper three imports away': replace('src/third.ts', 'JSON.stringify(shape)', 'JSON.stringify(shape, null, 2)'),
  'a new top-level side effect': replace(
    'src/third.ts',
    'export function third',
    'console.log(1);\nexport function third',
  ),
  'a used value of a JSON file': replace('data.json', '"t"', '"u"'),
  'the version of a package': installed('used', '1.0.1'),
  'another package': replace('tasks/main.ts', "from 'used'", "from 'used/sub.js'"),
  'another name from a package': replace('tasks/main.ts', 'import { join }', 'import { resolve as join }'),
  'a file that comes before the one found': { 'src/second.tsx': 'export const second = () => 0;' },
  'the file found being gone': { 'src/second.ts': null, 'src/second/index.ts': 'export const second = () => 0;' },
  'a nearer installation': {
    'tasks/node_modules/used/package.json': '{"name":"used","version":"3.0.0"}',
    'tasks/node_modules/used/index.js': '',
  },
};
for (const [what, edit] of Object.entries(CHANGED)) {
  test(`another digest: ${what}`, async () => {
    const extra = { 'node_modules/used/sub.js': '' };
    assert.is(await edited(edit, 'task', { ...PROJECT, ...extra }), 'changed');
  });
}

test('the name of an export is part of its identity', async () => {
  await inProject({ 'tasks/main.ts': 'export const a = () => 1; export { a as b };' }, async ({ root }) => {
    assert.is.not(await digestOf(root, 'a'), await digestOf(root, 'b'));
  });
});

test('a file.ts shadows a file.js that was found without extension', async () => {
  const files = {
    'tasks/main.ts': `import { b } from './b';\nexport const task = () => b;`,
    'tasks/b.js': 'export const b = 1;',
  };
  assert.is(await edited({ 'tasks/b.ts': 'export const b = 2;' }, 'task', files), 'changed');
});

test('the wrapper is known under an alias, as a namespace and as a default export', async () => {
  for (const [clause, call] of [
    ['{ fleche as memo, file }', 'memo'],
    ['* as f', 'f.fleche'],
  ]) {
    const text = (other: string): string => `import ${clause} from 'fleche';
export const task = ${call}(async () => 1);
export const other = ${call}(async () => ${other});
export default ${call}(async <T>(x: T) => x);`;
    const files = { ...FLECHE, 'tasks/main.ts': text('1') };
    assert.is(await edited({ 'tasks/main.ts': text('2') }, 'task', files), 'same', clause);
    assert.is(await edited({ 'tasks/main.ts': text('2') }, 'other', files), 'changed', clause);
    assert.is(await edited({ 'tasks/main.ts': text('2') }, 'default', files), 'same', clause);
  }
});

test('a function that is only called like the wrapper is not taken for free of side effects', async () => {
  const text = (what: string): string => `const fleche = (f: () => number) => console.log(f());
fleche(() => ${what});
export const task = () => 1; // 'fleche'`;
  assert.is(await edited({ 'tasks/main.ts': text('2') }, 'task', { 'tasks/main.ts': text('1') }), 'changed');
});

test('a dynamic import of a project file counts, one of a package counts by version', async () => {
  const files = {
    'tasks/main.ts': `export const task = async () => [await import('./late.ts'), await import('used')];`,
    'tasks/late.ts': 'export const late = 1;',
    ...installed('used', '1.0.0'),
  };
  assert.is(await edited({ 'tasks/late.ts': 'export const late = 2;' }, 'task', files), 'changed');
  assert.is(await edited(installed('used', '2.0.0'), 'task', files), 'changed');
});

test('an import by pattern counts with every file it matches, new ones included', async () => {
  const files = {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a module
    'tasks/main.ts': 'export const task = (name: string) => import(`./langs/${name}.json`);',
    'tasks/langs/en.json': '{"a":1}',
  };
  assert.is(await edited({ 'tasks/langs/de.json': '{"a":2}' }, 'task', files), 'changed');
  assert.is(await edited({ 'tasks/langs/en.json': '{"a":3}' }, 'task', files), 'changed');
});

test('mapped paths are followed, and what could come before', async () => {
  const files = {
    'tsconfig.json': `{ // base
      "extends": "./config/base", "compilerOptions": { "strict": true, } }`,
    'config/base.json': '{"compilerOptions":{"paths":{"@/*":["../one/*","../two/*"]}}}',
    'tasks/main.ts': `import { x } from '@/x';\nexport const task = () => x;`,
    'two/x.ts': 'export const x = 2;',
    'three/x.ts': 'export const x = 3;',
  };
  assert.is(await edited({ 'two/x.ts': 'export const x = 4;' }, 'task', files), 'changed');
  assert.is(await edited({ 'one/x.js': 'export const x = 1;' }, 'task', files), 'changed');
  const mapped = { 'config/base.json': '{"compilerOptions":{"paths":{"@/*":["../three/*"]}}}' };
  assert.is(await edited(mapped, 'task', files), 'changed');
});

test('a package of the workspace is project code, wherever its link leads', async () => {
  const files = {
    'tasks/main.ts': `import { lib } from '@ws/lib';\nexport const task = () => lib();`,
    'node_modules/@ws/lib': { link: '../../packages/lib' },
    'packages/lib/package.json': '{"name":"@ws/lib","version":"1.0.0","main":"./src/index"}',
    'packages/lib/src/index.ts': 'export const lib = () => 1;',
    'packages/fork/package.json': '{"name":"@ws/lib","version":"1.0.0","main":"./src/index"}',
    'packages/fork/src/index.ts': 'export const lib = () => 1; console.log(1);',
  };
  assert.is(await edited({ 'packages/lib/src/index.ts': 'export const lib = () => 2;' }, 'task', files), 'changed');
  const bumped = { 'packages/lib/package.json': '{"name":"@ws/lib","version":"2.0.0","main":"./src/index"}' };
  assert.is(await edited(bumped, 'task', files), 'same');
  assert.is(await edited({ 'node_modules/@ws/lib': { link: '../../packages/fork' } }, 'task', files), 'changed');
  assert.is(await edited({ 'packages/lib/src/index.tsx': 'export const lib = () => 3;' }, 'task', files), 'changed');
});

test('a link to a file counts as what it leads to', async () => {
  const files = {
    'tasks/main.ts': `import { x } from './x.ts';\nexport const task = () => x;`,
    'tasks/x.ts': { link: '../one.ts' },
    'one.ts': 'export const x = 1;',
    'two.ts': 'export const x = 2;',
  };
  assert.is(await edited({ 'tasks/x.ts': { link: '../two.ts' } }, 'task', files), 'changed');
});

test('a digest is the same in every folder, and alone as among others', async () => {
  const place: Files = {
    ...PROJECT,
    'tasks/place.ts': `import { readFileSync } from 'node:fs';
export const task = () => readFileSync(new URL('./x', import.meta.url)) + __dirname + import.meta.filename;
export const other = () => import.meta.dirname;`,
  };
  const digests = (): Promise<readonly Digest[]> =>
    inProject(place, async ({ root }) => {
      const index = indexOf(root);
      const found = await Promise.all([
        index.closure(MODULE, 'task'),
        index.closure(MODULE, 'sibling'),
        index.closure(rel('tasks/place.ts'), 'task'),
        index.closure(rel('tasks/place.ts'), 'other'),
      ]);
      assert.is(await digestOf(root, 'sibling'), found[1]?.digest);
      assert.is(await digestOf(root, 'other', rel('tasks/place.ts')), found[3]?.digest);
      return found.map(({ digest }) => digest);
    });
  const first = await digests();
  assert.equal(await digests(), first);
  assert.is(new Set(first).size, 4);
});

test('a closure names its files and packages', async () => {
  await inProject(PROJECT, async ({ root }) => {
    const closure = await closureOf(root, MODULE, 'task');
    assert.equal(closure.files, [
      'data.json',
      'package.json',
      'src/first.ts',
      'src/second.ts',
      'src/third.ts',
      'tasks/main.ts',
      'tsconfig.json',
    ]);
    assert.equal(closure.packages, [
      { name: 'fleche', version: '0.1.0' },
      { name: 'used', version: '1.0.0' },
    ]);
    const index = indexOf(root);
    await index.closure(MODULE, 'task');
    const { files, packages } = await index.closure(MODULE, 'task');
    assert.equal({ files, packages }, { files: closure.files, packages: closure.packages });
  });
});

test('nothing is built while nothing changed, by another index neither', async () => {
  await inProject(PROJECT, async ({ root, put }) => {
    const state = new CountingState();
    const { digest } = await indexOf(root, state).closure(MODULE, 'task');
    await indexOf(root, state).closure(MODULE, 'sibling');
    assert.is(state.puts, 2);
    const warm = indexOf(root, state);
    assert.is((await warm.closure(MODULE, 'task')).digest, digest);
    await warm.closure(MODULE, 'sibling');
    assert.is(state.puts, 2);
    put({ 'src/third.ts': String(PROJECT['src/third.ts']) });
    assert.is((await warm.closure(MODULE, 'task')).digest, digest);
    assert.is(state.puts, 3, 'same content, new times');
    await warm.closure(MODULE, 'task');
    assert.is(state.puts, 3);
  });
});

test('files too young to be told from their next version are not relied on', async () => {
  await inProject(PROJECT, async ({ root }) => {
    const state = new CountingState();
    await indexOf(root, state, () => Date.now() - 60_000).closure(MODULE, 'task');
    assert.is(state.puts, 0);
  });
});

test('a memory that does not decode is none', async () => {
  await inProject(PROJECT, async ({ root }) => {
    const state = new MemoryStateStore();
    const { digest } = await indexOf(root, state).closure(MODULE, 'task');
    for (const name of [...state.names('')]) state.put(name, Buffer.from('garbage'));
    assert.is((await indexOf(root, state).closure(MODULE, 'task')).digest, digest);
  });
});

test('after any edits the index says what a fresh build says', async () => {
  const path = fc.constantFrom(
    'src/a.ts',
    'src/a.js',
    'src/a/index.ts',
    'src/b.ts',
    'src/b.tsx',
    'tsconfig.json',
    'map/b.ts',
  );
  const edit = fc.record({ path, value: fc.constantFrom(null, 1, 2) });
  const configs = ['{}', '{"compilerOptions":{"paths":{"b":["./map/b","./src/b"]}}}'];
  const textAt = (path: string, value: number): string =>
    path === 'tsconfig.json' ? (configs[value - 1] ?? '{}') : `export const v = ${value};`;
  const files = {
    'tasks/main.ts': `import { v } from '../src/a';\nimport { v as w } from 'b';\nexport const task = () => [v, w];`,
    'src/a.ts': textAt('src/a.ts', 1),
    'tsconfig.json': textAt('tsconfig.json', 2),
    ...installed('b', '1.0.0'),
  };
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) =>
      inProject(files, async ({ root, put }) => {
        const index = indexOf(root, new MemoryStateStore(), Date.now);
        const ask = async (find: () => Promise<{ readonly digest: Digest }>): Promise<string> => {
          try {
            return (await find()).digest;
          } catch (error) {
            if (error instanceof FlecheError && error.code === 'CODE_UNRESOLVED') return error.message;
            throw error;
          }
        };
        for (const { path, value } of edits) {
          put({ [path]: value === null ? null : textAt(path, value) });
          assert.is(await ask(() => index.closure(MODULE, 'task')), await ask(() => closureOf(root, MODULE, 'task')));
        }
      }),
    ),
    { numRuns: process.env['FLECHE_TEST_PROFILE'] === 'nightly' ? 300 : 20 },
  );
});

async function fault(files: Files, name = 'task'): Promise<FlecheError> {
  return inProject(files, async ({ root }) => {
    try {
      await closureOf(root, MODULE, name);
    } catch (error) {
      if (error instanceof FlecheError && error.code === 'CODE_UNRESOLVED') return error;
      throw error;
    }
    throw new Error('no fault');
  });
}

test('a missing module, export, file and package are told from each other', async () => {
  assert.match((await fault({})).describe(), /no module tasks\/main\.ts/);
  assert.match((await fault(PROJECT, 'tsak')).describe(), /no export "tsak"\n {2}Did you mean "task"\?/);
  const file = await fault({ 'tasks/main.ts': `\nimport './gone.ts';\nexport const task = 1;` });
  assert.equal(file.at, { file: 'tasks/main.ts', line: 2, column: 8 });
  assert.match(file.describe(), /no such file/);
  const named = await fault({ ...FLECHE, 'tasks/main.ts': `import { fleche } from 'fleche';\n\nimport 'gone';` });
  assert.equal(named.at, { file: 'tasks/main.ts', line: 3, column: 8 });
  assert.match(named.describe(), /package installed/);
});

test('a syntax error has its place, in a file that is marked as well', async () => {
  const text = `import { fleche } from 'fleche';\nexport const task = fleche(() => 1;\n`;
  assert.equal((await fault({ ...FLECHE, 'tasks/main.ts': text })).at, { file: 'tasks/main.ts', line: 2, column: 35 });
});

test('a file of no known kind is refused with the kinds there are', async () => {
  const files = { 'tasks/main.ts': `import x from './x.png';\nexport const task = () => x;`, 'tasks/x.png': '' };
  assert.match((await fault(files)).describe(), /main\.ts:1:15: No loader.*\.png.*\n.*\.json/);
});

test('one fault does not stand in the way of other answers', async () => {
  await inProject(PROJECT, async ({ root }) => {
    const index = indexOf(root);
    const [good, bad] = await Promise.allSettled([index.closure(MODULE, 'task'), index.closure(MODULE, 'none')]);
    assert.is(good.status, 'fulfilled');
    assert.is(bad.status, 'rejected');
  });
});

test('code that changed since its digest was taken is not run under it', async () => {
  await inProject(PROJECT, async ({ root, put }) => {
    const closure = await closureOf(root, MODULE, 'task');
    assert.match(await closure.bundle(), /LIMIT = 3/);
    put(replace('src/third.ts', 'return JSON', 'return 1 + JSON'));
    try {
      await closure.bundle();
      assert.unreachable();
    } catch (error) {
      assert.is((error as FlecheError).code, 'CODE_CHANGED');
    }
  });
});

test('who cannot wait gets the same, fresh and remembered, and what is wrong in its place', async () => {
  await inProject(PROJECT, async ({ root, put }) => {
    const state = new MemoryStateStore();
    const index = new CodeIndex(root, state, () => Date.now() + 5000);
    const entries = ['task', 'none', 'plain'].map((name) => ({ module: MODULE, export: name }));
    const tell = (index: CodeIndex): unknown[] =>
      index.closuresNow(entries).map((one) => (one instanceof FlecheError ? one.message : one.digest));
    const told = tell(index);
    assert.equal(told, [await digestOf(root), 'tasks/main.ts has no export "none"', await digestOf(root, 'plain')]);
    assert.is([...state.names('code:')].length, 1);
    assert.equal(tell(new CodeIndex(root, state, Date.now)), told);
    put({ 'src/third.ts': 'export const third = () => "";' });
    const [task, , plain] = tell(new CodeIndex(root, state, Date.now));
    assert.is(task, await digestOf(root));
    assert.is.not(task, told[0]);
    assert.is(plain, told[2]);
    assert.equal(index.closuresNow([]), []);
  });
});

test.run();
