/** Modules of usual size for tests/bench/plugins.ts: as many as wanted of each kind, and one that imports them all. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Recipe = 'vue' | 'mdx' | 'svelte' | 'svgr' | 'babel' | 'postcss';

interface Sources {
  readonly extension: string;
  readonly text: (index: number) => string;
  /** Packages that are not among the project's own. */
  readonly packages: readonly string[];
}

export const SOURCES: Readonly<Record<Recipe, Sources>> = {
  vue: { extension: 'vue', text: component, packages: [] },
  mdx: { extension: 'mdx', text: page, packages: [] },
  svelte: { extension: 'svelte', text: svelte, packages: ['svelte', '@sveltejs/vite-plugin-svelte', 'vite@8'] },
  svgr: { extension: 'svg', text: icon, packages: ['vite-plugin-svgr', '@svgr/plugin-svgo', 'vite@8'] },
  babel: {
    extension: 'js',
    text: script,
    packages: ['vite-plugin-babel', '@babel/core@7', '@babel/preset-env@7', 'vite@8'],
  },
  postcss: { extension: 'css', text: sheet, packages: ['postcss', 'tailwindcss', '@tailwindcss/postcss', 'esbuild'] },
};

export function writeSources(recipe: Recipe, root: string, count: number): void {
  const { extension, text } = SOURCES[recipe];
  mkdirSync(join(root, 'src'), { recursive: true });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  const names = Array.from({ length: count }, (_, index) => `M${index}`);
  for (const [index, name] of names.entries()) writeFileSync(join(root, `src/${name}.${extension}`), text(index));
  const imports = names.map((name) =>
    extension === 'css' ? `import './${name}.css'` : `import ${name} from './${name}.${extension}'`,
  );
  const used = extension === 'css' ? '' : `console.log(${names.join(', ')})\n`;
  writeFileSync(join(root, 'src/main.ts'), `${imports.join('\n')}\n${used}`);
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

function svelte(index: number): string {
  const row = (at: number): string => `  <li class:active={item.id === ${at}}>
    {#if item.shown}<span>{item.name} {total}</span>{:else}<input bind:value={item.name} />{/if}
  </li>`;
  return `<script lang="ts">
  interface Item { id: number; name: string; shown: boolean }
  let { title, start = 0 }: { title: string; start?: number } = $props()
  let items = $state<Item[]>([{ id: ${index}, name: 'item', shown: true }])
  const total = $derived(items.length + start)
</script>
<h1>{title}</h1>
<ul>{#each items as item (item.id)}
${Array.from({ length: 12 }, (_, at) => row(at)).join('\n')}
{/each}</ul>
<style>ul { margin: 0 } .active { color: red }</style>
`;
}

function icon(index: number): string {
  const path = (at: number): string =>
    `<path fill="#${(index * 37 + at * 911).toString(16).padStart(6, '0').slice(0, 6)}" d="M${at} ${index % 90}c1.5 0 3-1 4.5-2.5s3 ${at}.25 6 1z"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><g id="a">${Array.from({ length: 12 }, (_, at) => path(at)).join('')}</g></svg>`;
}

function script(index: number): string {
  const part = (at: number): string => `export class C${at} {
  #n = ${index};
  static { this.all = []; }
  async *each({ from = ${at}, ...rest } = {}) { for await (const x of this.list?.(from) ?? []) yield { ...rest, x: x ** 2 }; }
}`;
  return `${Array.from({ length: 8 }, (_, at) => part(at)).join('\n')}\nexport default ${index};\n`;
}

function sheet(index: number): string {
  const rule = (at: number): string =>
    `.m${index}-${at} { @apply flex items-center px-4 py-2 text-lg hover:underline; &:focus { color: red } }`;
  return `@reference "tailwindcss";\n${Array.from({ length: 12 }, (_, at) => rule(at)).join('\n')}\n`;
}
