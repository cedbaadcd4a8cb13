/** Builds with real bundlers for the tests of plugins. */
import { type Plugin as EsbuildPlugin, build as esbuild } from 'esbuild';
import { createServer, type Plugin, build as vite } from 'vite';
import { Cache } from '../../core/call/caches/cache.ts';
import { MemoryCallStore, MemoryValueStore } from '../../core/store/memory.ts';
import type { Decision } from '../../plugins/cached/settings.ts';
import type { Site } from './_site.ts';

export function memoryCache(): Cache {
  return new Cache(new MemoryValueStore(), new MemoryCallStore());
}

/** Takes decisions down as `outcome hook module`. */
export function decisions(): { readonly onDecision: (decision: Decision) => void; readonly list: Decision[] } {
  const list: Decision[] = [];
  return { list, onDecision: (decision) => list.push(decision) };
}

export function outcomes(list: readonly Decision[], outcome: Decision['outcome']): string[] {
  return list
    .filter((one) => one.outcome === outcome)
    .map(({ hook, module }) => `${hook} ${module}`)
    .sort();
}

/** What esbuild makes of `src/main.ts`, as text. */
export async function bundle(
  { root }: Site,
  plugins: EsbuildPlugin[],
  options: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { outputFiles, warnings } = await esbuild({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    bundle: true,
    write: false,
    outdir: 'out',
    sourcemap: 'external',
    format: 'esm',
    external: ['react', 'react/*'],
    logLevel: 'silent',
    plugins,
    ...options,
  });
  return JSON.stringify([outputFiles.map(({ path, text }) => [path, text]), warnings.map(({ text }) => text)]);
}

/** What Vite builds from `src/main.ts`, as text. */
export async function viteBuild(
  site: Site,
  plugins: Plugin[],
  options: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  await vite({
    root: site.root,
    configFile: false,
    logLevel: 'silent',
    plugins,
    build: {
      minify: false,
      sourcemap: true,
      rolldownOptions: { input: `${site.root}/src/main.ts`, external: ['vue'] },
    },
    ...options,
  });
  return JSON.stringify(site.read('dist'));
}

/** What Vite's server makes of modules, in their order. */
export async function served(site: Site, plugins: Plugin[], urls: readonly string[]): Promise<readonly string[]> {
  const server = await createServer({
    root: site.root,
    configFile: false,
    logLevel: 'silent',
    cacheDir: `${site.root}/.vite`,
    server: { middlewareMode: true, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
    plugins,
  });
  try {
    const texts: string[] = [];
    for (const url of urls) texts.push((await server.transformRequest(url))?.code ?? '');
    // What the browser is to forget is stamped with the time.
    return texts.map((text) => text.replaceAll(/([?&])t=\d+/g, '$1t='));
  } finally {
    await server.close();
  }
}

/** Waits until what was written is older than what a file system's time stamps can tell apart. */
export async function settle(): Promise<void> {
  await new Promise((done) => setTimeout(done, 60));
}
