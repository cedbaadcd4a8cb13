/**
 * What a bundler's configuration says that a plugin may heed when it loads and transforms modules, as parts of a call.
 * Worked out once for each environment.
 */
import { type Digest, digest, type Part } from '../../core/index.ts';
import type { Machine } from '../machine.ts';
import { configDigest, partOf } from './settings.ts';

export interface ConfigParts {
  /** The environment's name, or nothing for a bundler without environments. */
  readonly environment: string;
  readonly parts: readonly Part[];
}

/**
 * Members of Vite's configuration that no module depends on: what is about the process, what is different every time, and
 * what is looked at by itself below. All others count, those that Vite does not know included: plugins may read them.
 */
const ASIDE = words(
  'configFile configFileDependencies inlineConfig root cacheDir plugins logger customLogger logLevel clearScreen',
  'packageCache webSocketToken safeModulePaths environments builder preview server ssr optimizeDeps dev devtools future',
  'createResolver getSortedPlugins getSortedPluginHooks fsDenyGlob assetsInclude mainConfig bundleChain build resolve',
  'worker input forceOptimizeDeps isBundled isOutputOptionsForLegacyChunks',
);
const ASIDE_OF_BUILD = words(
  'emptyOutDir write watch reportCompressedSize chunkSizeWarningLimit rollupOptions rolldownOptions createEnvironment',
);
/** Of an environment of Vite, beside what the whole configuration says. */
const FIELDS = ['define', 'consumer', 'webCompatible', 'keepProcessEnv'];
const SERVER = ['hmr', 'origin', 'host', 'port', 'https'];
/** Of Rolldown and Rollup. */
const INPUT = ['platform', 'moduleTypes', 'define', 'transform', 'jsx', 'resolve', 'shimMissingExports', 'tsconfig'];

const known = new WeakMap<object, readonly Part[]>();

export function configParts(context: object, config: object | undefined, root: string, machine: Machine): ConfigParts {
  const environment = member(context, 'environment');
  const own = member(environment, 'config') ?? config ?? {};
  const name = member(environment, 'name');
  const holder = environment ?? own;
  let parts = typeof holder === 'object' ? known.get(holder) : undefined;
  if (parts === undefined) {
    parts = partsOf(context, own, config ?? own, name, root, machine);
    if (typeof holder === 'object') known.set(holder, parts);
  }
  return { environment: typeof name === 'string' ? name : '', parts };
}

function partsOf(
  context: object,
  config: object,
  whole: object,
  environment: unknown,
  root: string,
  machine: Machine,
): readonly Part[] {
  const meta = member(context, 'meta');
  const versions = ['rollupVersion', 'rolldownVersion', 'viteVersion'].map((name) => member(meta, name) ?? null);
  const isVite = typeof member(config, 'command') === 'string';
  const chosen = configDigest(
    isVite
      ? [
          without(whole, ASIDE),
          pick(config, FIELDS),
          member(config, 'resolve'),
          without(member(config, 'build'), ASIDE_OF_BUILD),
          pick(member(config, 'server'), SERVER),
        ]
      : pick(config, INPUT),
    root,
  );
  return [
    partOf('tool', 'bundler', digest(versions)),
    partOf('option', 'environment', digest([environment ?? null, member(meta, 'watchMode') ?? null])),
    partOf('option', 'config', digest([chosen.digest, chosen.hasFunctions ? filesOf(config, machine) : null])),
  ];
}

/** The contents of the configuration's files, which are what its functions refer to. */
function filesOf(config: object, machine: Machine): readonly Digest[] {
  const files = member(config, 'configFileDependencies');
  return Array.isArray(files) ? files.map((path) => machine.content(String(path))) : [];
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function words(...lists: readonly string[]): ReadonlySet<string> {
  return new Set(lists.flatMap((list) => list.split(' ')));
}

function without(value: unknown, names: ReadonlySet<string>): object {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.has(name)));
}

function pick(value: unknown, names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, member(value, name)]));
}
