/**
 * What cached plugins save and cost: `node --import tsx tests/bench/plugins.ts [modules]`. Builds of Vue components with
 * Vite and of MDX pages with esbuild, each in a process of its own and in turn without a cache, with an empty one and with
 * a filled one; the median of several rounds counts, from the call of the bundler to its end. The time that the plugin's
 * hooks take by themselves is what a cache can save, the rest is the bundler's.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { sha256 } from '../../core/base/hash.ts';
import { LocalCache } from '../../core/call/caches/local-cache.ts';

const ROUNDS = 3;
const KINDS = ['vue', 'mdx'] as const;
const MODES = ['without', 'cold', 'warm'] as const;
type Kind = (typeof KINDS)[number];
type Mode = (typeof MODES)[number];

interface Outcome {
  /** ms. */
  readonly time: number;
  readonly output: string;
  readonly hits: number;
}

const [first, root = '', mode = 'without'] = process.argv.slice(2);
if (first === 'vue' || first === 'mdx') {
  console.log(JSON.stringify(await measure(first, root, mode as Mode)));
} else {
  for (const kind of KINDS) compare(kind, Number(first ?? 300));
}

function compare(kind: Kind, count: number): void {
  const root = mkdtempSync(join(tmpdir(), 'fleche-bench-'));
  symlinkSync(resolve(import.meta.dirname, '../../node_modules'), join(root, 'node_modules'), 'dir');
  writeSources(kind, root, count);
  const times: Record<Mode, number[]> = { without: [], cold: [], warm: [] };
  const outputs = new Set<string>();
  let hits = 0;
  // The first round only warms up what the system keeps of files.
  for (let round = 0; round <= ROUNDS; round++) {
    rmSync(join(root, '.fleche'), { recursive: true, force: true });
    for (const mode of MODES) {
      const child = spawnSync(process.execPath, ['--import', 'tsx', import.meta.filename, kind, root, mode], {
        encoding: 'utf8',
      });
      if (child.status !== 0) throw new Error(child.stderr);
      const outcome = JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '') as Outcome;
      if (round > 0) times[mode].push(outcome.time);
      outputs.add(outcome.output);
      hits = outcome.hits;
    }
  }
  rmSync(root, { recursive: true });
  const [without, cold, warm] = MODES.map((mode) => median(times[mode])) as [number, number, number];
  console.log(
    `${kind}: ${count} modules, ${hits} hits when warm, ${outputs.size === 1 ? 'the same output' : 'DIFFERENT OUTPUT'}`,
  );
  console.log(`  without ${ms(without)}`);
  console.log(`  cold    ${ms(cold)}  ${(((cold - without) / without) * 100).toFixed(1)} % more`);
  console.log(`  warm    ${ms(warm)}  ${(without / warm).toFixed(1)} times as fast`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function ms(time: number): string {
  return `${time.toFixed(0).padStart(6)} ms`;
}

function writeSources(kind: Kind, root: string, count: number): void {
  mkdirSync(join(root, 'src'));
  const names = Array.from({ length: count }, (_, index) => `M${index}`);
  const extension = kind === 'vue' ? 'vue' : 'mdx';
  for (const [index, name] of names.entries())
    writeFileSync(join(root, `src/${name}.${extension}`), kind === 'vue' ? component(index) : page(index));
  const imports = names.map((name) => `import ${name} from './${name}.${extension}'`);
  writeFileSync(join(root, 'src/main.ts'), `${imports.join('\n')}\nconsole.log(${names.join(', ')})\n`);
}

/** A component of usual size. */
function component(index: number): string {
  const rows = Array.from(
    { length: 12 },
    (
      _,
      row,
    ) => `    <li v-for="item in items" :key="item.id" :class="{ active: item.id === ${row} }" @click="pick(item)">
      <span v-if="item.shown">{{ item.name }} {{ total }}</span><input v-else v-model="item.name" />
    </li>`,
  );
  return `<script setup lang="ts">
import { computed, ref } from 'vue'
interface Item { id: number; name: string; shown: boolean }
const props = defineProps<{ title: string; start?: number }>()
const emit = defineEmits<{ picked: [item: Item] }>()
const items = ref<Item[]>([{ id: ${index}, name: 'item', shown: true }])
const total = computed(() => items.value.length + (props.start ?? 0))
function pick(item: Item): void { item.shown = !item.shown; emit('picked', item) }
</script>
<template>
  <section>
    <h1>{{ props.title }}</h1>
    <ul>
${rows.join('\n')}
    </ul>
  </section>
</template>
`;
}

/** A page of usual length. */
function page(index: number): string {
  const part = (at: number): string => `## Part ${at} of ${index}

Some *text* with **marks**, \`code\`, a [link](https://example.org/${at}) and an expression {${index} + ${at}}.

- one
- two with <kbd>keys</kbd>

\`\`\`js
const x = ${at}
\`\`\`
`;
  return Array.from({ length: 12 }, (_, at) => part(at)).join('\n');
}

async function measure(kind: Kind, root: string, mode: Mode): Promise<Outcome> {
  return kind === 'vue' ? measureVue(root, mode) : measureMdx(root, mode);
}

async function measureVue(root: string, mode: Mode): Promise<Outcome> {
  const { build } = await import('vite');
  const { default: vue } = await import('@vitejs/plugin-vue');
  const { cached, cacheReport } = await import('../../plugins/vite.ts');
  const start = performance.now();
  const cache = mode === 'without' ? undefined : new LocalCache(join(root, '.fleche'));
  const plugin = cache === undefined ? vue() : cached(vue, { options: {}, cache });
  await build({
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [plugin],
    build: { minify: false, rolldownOptions: { input: join(root, 'src/main.ts'), external: ['vue'] } },
  });
  const time = performance.now() - start;
  const hits = cache === undefined ? 0 : cacheReport(plugin).hits;
  await cache?.close();
  const files = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).sort();
  const output = sha256(
    files
      .filter((name) => name.endsWith('.js'))
      .map((name) => readFileSync(join(root, 'dist', name), 'utf8'))
      .join(),
  );
  return { time, output, hits };
}

async function measureMdx(root: string, mode: Mode): Promise<Outcome> {
  const { build } = await import('esbuild');
  const { default: mdx } = await import('@mdx-js/esbuild');
  const { cached, cacheReport } = await import('../../plugins/esbuild.ts');
  // The first build of a process starts the service.
  await build({ stdin: { contents: '' }, write: false });
  const start = performance.now();
  const cache = mode === 'without' ? undefined : new LocalCache(join(root, '.fleche'));
  const plugin = cache === undefined ? mdx() : cached(mdx, { options: {}, cache });
  await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    bundle: true,
    outfile: 'dist/main.js',
    format: 'esm',
    external: ['react', 'react/*'],
    logLevel: 'silent',
    plugins: [plugin],
  });
  const time = performance.now() - start;
  const hits = cache === undefined ? 0 : cacheReport(plugin).hits;
  await cache?.close();
  const file = join(root, 'dist/main.js');
  return { time, output: existsSync(file) ? sha256(readFileSync(file)) : '', hits };
}
