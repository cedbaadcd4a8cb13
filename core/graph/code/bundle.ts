/**
 * Bundles single exports of project modules with esbuild: for a digest, or to be run. The project's own code goes in,
 * workspace packages included; installed packages stay out. In a digest they stand as name@version, and nothing of this
 * machine is in the text; a text to be run names the very files they resolve to, so it can be run from anywhere.
 *
 * esbuild is loaded at the first use, for importing and starting it is most of the work of a warm run.
 */
import { join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildOptions, Plugin } from 'esbuild';
import type { AbsPath, RelPath } from '../../base/paths.ts';
import { ReadRecorder } from '../../files/code/read-recorder.ts';
import type { ReadSet } from '../../files/code/read-set.ts';
import { faultOf, isBuildFailure } from './bundle-fault.ts';
import { markPure } from './bundle-purity.ts';
import {
  type BundleMode,
  ENTRY,
  type Entry,
  EXTENSIONS,
  type InstalledPackage,
  type Mark,
  PLACE,
  Reader,
} from './bundle-reader.ts';
import { withEsbuild } from './bundle-service.ts';
import { Trail } from './bundle-trail.ts';

export interface Bundle {
  /** An ES module whose only export, `task`, is what was asked for. */
  readonly text: string;
  /** Project files that were read for it, sorted, with the package.json and tsconfig.json files that steer the reading. */
  readonly files: readonly RelPath[];
  /** Installed packages that are left after tree shaking, sorted by name; known of digests only. */
  readonly packages: readonly InstalledPackage[];
  /** Everything the text depends on. */
  readonly readSet: ReadSet;
  /** Folders below which an import by pattern takes in what fits. */
  readonly folders: readonly RelPath[];
}

/**
 * Bundles each entry by itself, all in one go over modules that are read once; the results come in the order of the
 * entries. `root` must be a real path. Throws `CODE_UNRESOLVED` for the first thing wrong with any of them.
 */
export function bundle(
  root: AbsPath,
  entries: readonly Entry[],
  mode: BundleMode,
  now: () => number,
): Promise<readonly Bundle[]> {
  return withEsbuild(() => bundleAsSeen(root, entries, mode, now));
}

async function bundleAsSeen(
  root: AbsPath,
  entries: readonly Entry[],
  mode: BundleMode,
  now: () => number,
): Promise<readonly Bundle[]> {
  const { transform } = await import('esbuild');
  const plain: Mark = (text) => text;
  const marked: Mark = (text, loader) => markPure(text, loader, transform);
  try {
    return await bundleMarked(root, entries, mode, now, mode === 'digest' ? marked : plain);
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
  }
  // Marked text has other lines than the file, so the place of a fault is taken from the plain text.
  try {
    return await bundleMarked(root, entries, mode, now, plain);
  } catch (error) {
    throw isBuildFailure(error) ? await faultOf(error, root, entries) : error;
  }
}

async function bundleMarked(
  root: AbsPath,
  entries: readonly Entry[],
  mode: BundleMode,
  now: () => number,
  mark: Mark,
): Promise<readonly Bundle[]> {
  const { build } = await import('esbuild');
  const reader = new Reader(new ReadRecorder(root, now), entries, mode, mark);
  const { outputFiles, metafile } = await build(options(root, entries, mode, reader.plugin));
  const texts = new Map(outputFiles.map(({ path, text }) => [posix.basename(path.replaceAll('\\', '/')), text]));
  const trail = new Trail(metafile, reader);
  return entries.map((_, index) => ({ text: texts.get(`${index}.js`) ?? '', ...trail.of(index) }));
}

function options(root: AbsPath, entries: readonly Entry[], mode: BundleMode, plugin: Plugin) {
  const shared = {
    entryPoints: entries.map((_, index) => ({ in: `${ENTRY}:${index}`, out: String(index) })),
    absWorkingDir: root,
    outdir: root,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    // Fixed, so that the text does not depend on the Node that runs.
    target: 'node20.19',
    // Those of Node, without the one that esbuild adds for bundlers.
    conditions: [],
    resolveExtensions: EXTENSIONS,
    treeShaking: true,
    keepNames: true,
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'silent',
    define: {
      'import.meta.url': PLACE.url,
      'import.meta.dirname': PLACE.dirname,
      'import.meta.filename': PLACE.filename,
      __dirname: PLACE.dirname,
      __filename: PLACE.filename,
    },
    plugins: [plugin],
  } satisfies BuildOptions;
  if (mode === 'digest') return { ...shared, minifyWhitespace: true } as const;
  return {
    ...shared,
    banner: { js: requireFor(root, entries[0]?.module ?? '.') },
    sourcemap: 'inline',
    sourcesContent: false,
    sourceRoot: pathToFileURL(`${root}/`).href,
  } as const;
}

/** What CommonJS modules of a project call `require`; esbuild keeps that name free. */
function requireFor(root: AbsPath, module: string): string {
  const place = JSON.stringify(pathToFileURL(join(root, module)).href);
  return `import{createRequire as fleche_createRequire}from"node:module";const require=fleche_createRequire(${place});`;
}
