/** Function tasks: what they are given, what comes back, and how they fail. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decode } from '../../../core/base/decode.ts';
import { digest } from '../../../core/base/digest.ts';
import { encode } from '../../../core/base/encode.ts';
import { sha256 } from '../../../core/base/hash.ts';
import { toAbs } from '../../../core/base/paths.ts';
import { FileRef, TreeRef } from '../../../core/files/refs.ts';
import { makeTree, type TreeEntry } from '../../../core/files/trees/tree.ts';
import {
  Encoded,
  type FunctionOptions,
  type FunctionResult,
  runFunction,
} from '../../../core/graph/functions/function.ts';
import { closureOf } from '../_code.ts';
import { type Files, inProject, installed, type Project, rel } from '../_project.ts';

const MODULE = rel('tasks/main.ts');

interface Ran {
  readonly result: FunctionResult;
  readonly log: string;
}

async function run({ root }: Project, options: Partial<FunctionOptions> = {}): Promise<Ran> {
  const logFile = join(root, 'log');
  const name = options.export ?? 'task';
  const result = await runFunction({
    code: await closureOf(root, MODULE, name),
    module: MODULE,
    export: name,
    codeDir: toAbs(root, '.fleche/code'),
    args: {},
    context: { root, taskName: 'name' },
    env: {},
    logFile,
    signal: new AbortController().signal,
    ...options,
  });
  return { result, log: existsSync(logFile) ? readFileSync(logFile, 'utf8') : '' };
}

/** Runs the export `task` of some text. */
function runText(text: string, options: Partial<FunctionOptions> = {}, files: Files = {}): Promise<Ran> {
  return inProject({ 'tasks/main.ts': text, ...files }, (project) => run(project, options));
}

async function messageOf(text: string): Promise<string> {
  const { result } = await runText(text);
  if (result.kind !== 'threw') throw new Error(`it ${result.kind}`);
  return result.message;
}

test('arguments and result keep their types and order, and the result its digest', async () => {
  const value = { z: new Map([[1, new Set(['a'])]]), a: [undefined, -0, 10n, new Date(5), Buffer.from('x')] };
  const { result } = await runText('export const task = async ({ x, y }: any) => ({ x, y });', {
    args: { x: value, y: new Encoded(encode(null)) },
  });
  assert.is(result.kind, 'returned');
  if (result.kind !== 'returned') return;
  assert.equal(result.value, { x: value, y: null });
  assert.equal(decode(result.bytes), result.value);
  assert.is(result.digest, digest({ x: value, y: null }));
  assert.equal(Object.keys((result.value as { x: object }).x), ['z', 'a']);
});

test("where packages are in Yarn's archives the thread can read them", async () => {
  const text = `import { readFileSync } from 'node:fs';
export const task = async (_: any, __: any, name = 'archived:x') => [readFileSync('archive'), (await import(name)).default];`;
  const reader = `const fs = require('node:fs');
const { readFileSync } = fs;
fs.readFileSync = (path, ...more) => (path === 'archive' ? 'unpacked' : readFileSync(path, ...more));
require('node:module').syncBuiltinESMExports();`;
  const loader = `export const resolve = (name, context, next) =>
  name === 'archived:x' ? { url: 'data:text/javascript,export default 1', shortCircuit: true } : next(name, context);`;
  const { result, log } = await runText(text, {}, { '.pnp.cjs': reader, '.pnp.loader.mjs': loader });
  assert.equal(result.kind === 'returned' ? result.value : result, ['unpacked', 1]);
  assert.is(log, '');
});

test('a function that is not async, and one that returns nothing, return all the same', async () => {
  const { result } = await runText('export default function () {}', { export: 'default' });
  assert.is(result.kind === 'returned' && result.value, undefined);
});

test('a class that only the function knows crosses both borders', async () => {
  const text = `import { registerClass } from '../lib.ts';
export class Point { constructor(x) { this.x = x; } }
registerClass('Point', Point, { encode: (p) => p.x, decode: (x) => new Point(x) });
export const task = ({ given }) => given === undefined ? new Point(1) : given instanceof Point && given.x;`;
  const lib = JSON.stringify(toAbs(import.meta.dirname, '../../../core/base/digestible.ts'));
  const files = {
    'tasks/main.ts': text,
    'lib.ts': `export const { registerClass } = await import(String(${lib}));`,
  };
  await inProject(files, async (project) => {
    const made = (await run(project)).result;
    assert.is(made.kind, 'returned');
    if (made.kind !== 'returned') return;
    assert.throws(() => made.value, /Point/);
    const { result } = await run(project, { args: { given: new Encoded(made.bytes) } });
    assert.is(result.kind === 'returned' && result.value, 1);
  });
});

test('files and trees arrive with the root of the task', async () => {
  const text = `export const task = ({ one, all, made }: any) =>
    [one.json(), all.map((file: any) => file.path + file.text()), made.list().length, made.file('d/b').text(), one];`;
  await inProject({ 'tasks/main.ts': text, 'a.json': '[1]', 'd/b': 'b' }, async (project) => {
    const entry = (path: string, content: string): TreeEntry => ({
      kind: 'file',
      path: rel(path),
      executable: false,
      digest: sha256(content),
      size: content.length,
    });
    const one = FileRef.of(project.root, entry('a.json', '[1]'));
    const all = [FileRef.of(project.root, entry('d/b', 'b'))];
    const { result } = await run(project, {
      args: { one, all, made: new TreeRef(project.root, makeTree([entry('d/b', 'b')])) },
    });
    assert.is(result.kind, 'returned');
    if (result.kind !== 'returned') return;
    const [json, texts, count, text, back] = result.value as [unknown, unknown, unknown, unknown, FileRef];
    assert.equal([json, texts, count, text], [[1], ['d/bb'], 1, 'b']);
    assert.equal(back.json(), [1]);
  });
});

test('the function knows its place, its task and its environment, and no other', async () => {
  const text = `import { readFileSync } from 'node:fs';
import text from './beside.txt';
import cjs from './old.cjs';
import used from 'used';
export const task = (_: unknown, ctx: any) => [
  ctx.task, ctx.root, ctx.outDir, { ...process.env },
  import.meta.filename, import.meta.dirname, readFileSync(new URL('./beside.txt', import.meta.url), 'utf8'), text, cjs, used,
];`;
  const files = {
    'tasks/main.ts': text,
    'tasks/beside.txt': 'beside',
    'tasks/old.cjs': `module.exports = [require('path').basename(__filename), require('used')];`,
    ...installed('used', '1.0.0', {}, 'module.exports = __filename;'),
  };
  await inProject(files, async (project) => {
    const { root } = project;
    const outDir = toAbs(root, 'out');
    const { result } = await run(project, { env: { ONLY: 'this' }, context: { root, taskName: 'name', outDir } });
    const used = join(root, 'node_modules/used/index.js');
    assert.equal(result.kind === 'returned' ? result.value : result, [
      'name',
      root,
      outDir,
      { ONLY: 'this' },
      join(root, 'tasks/main.ts'),
      join(root, 'tasks'),
      'beside',
      'beside',
      ['old.cjs', used],
      used,
    ]);
  });
});

test('each module gets the packages that are installed for it', async () => {
  const main = (name: string): string => `module.exports = '${name}';`;
  const { result } = await runText(
    `import top from 'p';\nimport { nested } from '@ws/lib';\nexport const task = () => [top, nested];`,
    {},
    {
      ...installed('p', '1.0.0', {}, main('top')),
      'node_modules/@ws/lib': { link: '../../packages/lib' },
      'packages/lib/package.json': '{"name":"@ws/lib","type":"module","exports":"./index.ts"}',
      'packages/lib/index.ts': `import p from 'p';\nexport const nested = p;`,
      'packages/lib/node_modules/p/package.json': '{"name":"p","version":"2.0.0"}',
      'packages/lib/node_modules/p/index.js': main('nested'),
    },
  );
  assert.equal(result.kind === 'returned' ? result.value : result, ['top', 'nested']);
});

test('what is printed goes to the log in its order, and to the listener', async () => {
  const chunks: Uint8Array[] = [];
  const { log } = await runText(
    `export const task = async (_: unknown, ctx: any) => {
      for (let i = 0; i < 300; i++) (i % 2 ? console.error : console.log)(i);
      ctx.log('by', { ctx: 1 });
      await new Promise((done) => process.stdout.write('done\\n', done));
    };`,
    { onOutput: (chunk) => chunks.push(chunk) },
  );
  assert.is(log, `${Array.from({ length: 300 }, (_, i) => `${i}\n`).join('')}by { ctx: 1 }\ndone\n`);
  assert.is(Buffer.concat(chunks).toString(), log);
});

test('an error comes back with the lines of the source, and is in the log', async () => {
  const { result, log } = await runText(`interface Unused {
  a: string;
}

export const task = async () => {
  console.log('before');
  const code: string = 'E_OWN';
  throw Object.assign(new TypeError('broken'), { code });
};`);
  assert.is(result.kind, 'threw');
  if (result.kind !== 'threw') return;
  assert.is(result.message, 'broken');
  assert.is(result.code, 'E_OWN');
  assert.match(result.stack, /^TypeError: broken\n {4}at .*tasks[/\\]main\.ts:8:\d+/);
  assert.not.match(result.stack, /function-worker/);
  assert.match(log, /^before\nTypeError: broken\n/);
});

test('whatever is thrown is told', async () => {
  assert.match(await messageOf(`export const task = () => { throw { odd: 1 }; };`), /threw \{ odd: 1 \}/);
  assert.match(await messageOf(`export const task = () => { throw undefined; };`), /threw undefined/);
  assert.match(await messageOf(`export const task = 3;`), /tasks\/main\.ts#task is not a function/);
  assert.match(await messageOf(`export const task = () => 1; throw new Error('at load');`), /at load/);
});

test('a promise that nobody settles is a failure, not a wait', async () => {
  assert.match(await messageOf('export const task = () => new Promise(() => {});'), /never happen/);
  assert.match(await messageOf('export const task = 1; await new Promise(() => {});'), /never happen/);
});

test('a rejection that nobody handles is a failure', async () => {
  assert.is(
    await messageOf(
      `export const task = async () => { Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 1e6)); };`,
    ),
    'lost',
  );
});

test('an error in a callback is a failure', async () => {
  assert.is(
    await messageOf(`export const task = () => new Promise(() => setImmediate(() => { throw new Error('late'); }));`),
    'late',
  );
});

test('process.exit ends the function, not this process', async () => {
  assert.match(
    await messageOf('export const task = () => process.exit(3);'),
    /#task ended its thread: process\.exit\(3\)/,
  );
});

test('running out of memory ends the function, not this process', async () => {
  const text = `export const task = () => { const all = []; for (;;) all.push(new Array(1e5).fill(all.length + 0.5)); };`;
  const { result } = await runText(text, { memoryMb: 64 });
  assert.match(result.kind === 'threw' ? result.message : '', /broke down: .*memory/);
});

test('a result that cannot be stored is a failure that names the member', async () => {
  assert.match(
    await messageOf('export const task = () => ({ a: [1, { b: () => 1 }] });'),
    /the result\.a\[1\]\.b is a function/,
  );
  assert.match(
    await messageOf('class Own {} export const task = () => new Map([["k", new Own()]]);'),
    /the result\.get\("k"\).*Own/,
  );
  const { result, log } = await runText('export const task = () => new Proxy({}, {});');
  assert.is(result.kind === 'threw' && result.code, 'UNSTORABLE');
  assert.not.match(log, /FlecheError|\bat /, 'says nothing of the code of fleche');
});

test('background work does not outlive the result', async () => {
  const { result, log } = await runText(
    `export const task = () => { setInterval(() => console.log('again'), 1000); return 1; };`,
  );
  assert.is(result.kind, 'returned');
  assert.is(log, '');
});

test('an abort is told to the function, and its answer does not count', async () => {
  const controller = new AbortController();
  const { result, log } = await runText(
    `export const task = (_: unknown, { signal }: any) => new Promise((done) => {
      signal.addEventListener('abort', () => { console.log('told'); done(1); });
      setInterval(() => {}, 1000);
      console.log('ready');
    });`,
    { signal: controller.signal, onOutput: () => controller.abort() },
  );
  assert.equal(result, { kind: 'aborted' });
  assert.is(log, 'ready\ntold\n');
});

test('a function that does not listen is ended after the grace period', async () => {
  const controller = new AbortController();
  const { result } = await runText(`export const task = () => { console.log('ready'); for (;;); };`, {
    signal: controller.signal,
    graceMs: 20,
    onOutput: () => controller.abort(),
  });
  assert.equal(result, { kind: 'aborted' });
});

test('a signal aborted beforehand starts nothing', async () => {
  const { result, log } = await runText(`console.log('loaded');\nexport const task = () => 1;`, {
    signal: AbortSignal.abort(),
  });
  assert.equal(result, { kind: 'aborted' });
  assert.is(log, '');
});

test('code that changed since its digest was taken is not run', async () => {
  await inProject({ 'tasks/main.ts': 'export const task = () => 1;' }, async (project) => {
    const code = await closureOf(project.root, MODULE, 'task');
    project.put({ 'tasks/main.ts': 'export const task = () => 2;' });
    const { result } = await run(project, { code });
    assert.is(result.kind === 'threw' && result.code, 'CODE_CHANGED');
  });
});

test('an argument that cannot be stored is a failure', async () => {
  const { result } = await runText('export const task = () => 1;', { args: { f: () => 1 } });
  assert.is(result.kind === 'threw' && result.code, 'UNSTORABLE');
});

test('equal code is written once', async () => {
  await inProject({ 'tasks/main.ts': 'export const task = () => 1;' }, async (project) => {
    await run(project);
    await run(project);
    assert.is(readdirSync(join(project.root, '.fleche/code')).length, 1);
  });
});

test.run();
