/** Outputs of tasks in bundles, with real bundlers and real tasks. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { context } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createServer, type Plugin } from 'vite';
import { pipeline } from '../../plugins/pipeline.ts';
import { bundle, settle, viteBuild } from './_builds.ts';
import { type Site, site } from './_site.ts';

const FILES = {
  'fleche.config.toml': `[default]
root = true

[tasks.codegen]
run = "node gen.mjs"
inputs = ["schema/*.txt", "gen.mjs"]
outputs = ["generated/**"]

[tasks.count]
call = "./count.ts#count"
args = { schema = { glob = ["schema/*.txt"] } }
needs = ["codegen"]
`,
  'gen.mjs': `import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
mkdirSync('generated', { recursive: true });
const names = readdirSync('schema').sort().map((file) => readFileSync('schema/' + file, 'utf8').trim().toUpperCase());
if (names.includes('BROKEN')) { console.log('cannot read the schema'); process.exit(4); }
writeFileSync('generated/schema.json', JSON.stringify({ names, size: names.length }));`,
  'count.ts': `export const count = ({ schema }: { schema: readonly unknown[] }) => ({ files: schema.length });`,
  'schema/a.txt': 'alpha\n',
  'src/main.ts': `import schema from 'fleche:codegen/schema.json'; import count from 'fleche:count';
console.log(schema.names, count.files);`,
};

async function project(more: Readonly<Record<string, string>> = {}): Promise<Site> {
  const at = site({ ...FILES, ...more });
  await settle();
  return at;
}

const vitePlugin = (): Plugin => pipeline.vite();

const BUILDS: readonly (readonly [name: string, build: (at: Site) => Promise<string>])[] = [
  ['esbuild', (at) => bundle(at, [pipeline.esbuild()])],
  ['vite', (at) => viteBuild(at, [vitePlugin()])],
];

for (const [name, build] of BUILDS) {
  test(`${name}: an import of a task's output runs the task, and follows what it reads`, async () => {
    const at = await project();
    assert.match(await build(at), 'ALPHA');
    const again = await build(at);
    assert.match(again, 'ALPHA');
    at.write({ 'schema/b.txt': 'beta' });
    const changed = await build(at);
    assert.match(changed, 'BETA');
    assert.ok(changed !== again);
    at.end();
  });

  test(`${name}: a failed task is an error of the build, with what it printed`, async () => {
    const at = await project({ 'schema/a.txt': 'broken' });
    const message = await build(at).then(
      () => '',
      (error: Error) => error.message,
    );
    assert.match(message, 'the task "codegen" failed with exit code 4');
    assert.match(message, 'cannot read the schema');
    at.end();
  });

  test(`${name}: what leads nowhere says what there is`, async () => {
    for (const [source, expected] of [
      ['fleche:codegen/shema.json', 'generated/schema.json'],
      ['fleche:codegne/schema.json', 'codegen'],
      ['fleche:codegen', 'is a command'],
    ] as const) {
      const at = await project({ 'src/main.ts': `import a from '${source}'; console.log(a);` });
      const message = await build(at).then(
        () => '',
        (error: Error) => String(error.message) + JSON.stringify(error),
      );
      assert.match(message, expected);
      at.end();
    }
  });
}

test('declarations say what is imported', async () => {
  const at = await project({
    'tsconfig.json': JSON.stringify({
      compilerOptions: { strict: true, noEmit: true, module: 'nodenext', types: [], lib: ['es2023', 'dom'] },
      include: ['src', 'fleche-env.d.ts'],
    }),
  });
  await bundle(at, [pipeline.esbuild()]);
  const faults = (): string => {
    const tsc = resolve(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
    return spawnSync(process.execPath, [tsc, '-p', '.'], { cwd: at.root, encoding: 'utf8' }).stdout;
  };
  at.write({
    'src/typed.ts': `import schema from 'fleche:codegen/schema.json'; import count from 'fleche:count';
const names: string[] = schema.names; const size: number = schema.size + count.files; console.log(names, size);`,
  });
  assert.is(faults(), '');
  at.write({
    'src/typed.ts': `import schema from 'fleche:codegen/schema.json'; export const n: string = schema.size;`,
  });
  assert.match(faults(), `Type 'number' is not assignable to type 'string'`);
  at.end();
});

test('esbuild watches what tasks read', async () => {
  const at = await project();
  const results: string[] = [];
  let next: (() => void) | undefined;
  const building = await context({
    absWorkingDir: at.root,
    entryPoints: ['src/main.ts'],
    bundle: true,
    write: false,
    logLevel: 'silent',
    plugins: [
      pipeline.esbuild(),
      {
        name: 'results',
        setup: ({ onEnd }) =>
          onEnd(({ outputFiles }) => {
            results.push(outputFiles?.[0]?.text ?? 'failed');
            next?.();
          }),
      },
    ],
  });
  const until = async (text: string): Promise<void> => {
    while (results.at(-1)?.includes(text) !== true) await new Promise<void>((done) => (next = done));
  };
  try {
    await building.watch();
    await until('ALPHA');
    at.write({ 'schema/b.txt': 'beta' });
    await until('BETA');
    at.write({ 'schema/a.txt': 'broken' });
    await until('failed');
    at.write({ 'schema/a.txt': 'gamma' });
    await until('GAMMA');
  } finally {
    await building.dispose();
  }
  at.end();
});

test('the development server updates what a task made otherwise, and nothing where it made the same', async () => {
  const at = await project();
  const seen: (readonly [file: string, modules: readonly (string | null)[]])[] = [];
  let next: (() => void) | undefined;
  const server = await createServer({
    root: at.root,
    configFile: false,
    logLevel: 'silent',
    cacheDir: `${at.root}/.vite`,
    server: { middlewareMode: true, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
    plugins: [
      vitePlugin(),
      {
        name: 'seen',
        hotUpdate({ file, modules }) {
          if (this.environment.name !== 'client') return;
          seen.push([file.slice(at.root.length + 1), modules.map(({ id }) => id?.replace(at.root, '') ?? null)]);
          next?.();
        },
      },
    ],
  });
  const code = async (url: string): Promise<string> => (await server.transformRequest(url))?.code ?? '';
  const change = async (file: string, text?: string): Promise<unknown> => {
    const heard = new Promise<void>((done) => {
      next = done;
    });
    if (text !== undefined) at.write({ [file]: text });
    server.watcher.emit('change', `${at.root}/${file}`);
    await heard;
    // What follows the hooks.
    await settle();
    return seen.at(-1);
  };
  const value = '\0fleche-value:fleche:count';
  try {
    assert.match(await code('/src/main.ts'), '/generated/schema.json');
    assert.match(await code('/generated/schema.json?import'), 'ALPHA');
    assert.match(await code(value), '"files":1');
    assert.equal(await change('schema/a.txt', 'delta'), ['schema/a.txt', ['/generated/schema.json']]);
    assert.match(await code('/generated/schema.json?import'), 'DELTA');
    // Vite hears of the output too, which was updated by then.
    assert.equal(await change('generated/schema.json'), ['generated/schema.json', []]);
    // Other text, the same output.
    assert.equal(await change('schema/a.txt', 'DELTA'), ['schema/a.txt', []]);
    assert.equal(await change('src/main.ts'), ['src/main.ts', ['/src/main.ts']]);
    assert.equal(await change('count.ts', FILES['count.ts'].replace('.length', '.length + 1')), ['count.ts', [value]]);
    at.write({ 'schema/b.txt': 'beta' });
    assert.equal(await change('schema/b.txt'), ['schema/b.txt', ['/generated/schema.json', value]]);
    assert.match(await code(value), '"files":3');
  } finally {
    await server.close();
  }
  at.end();
});

test.run();
