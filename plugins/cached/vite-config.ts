/**
 * What a bundler's configuration says about how modules are loaded and transformed, as parts of a call. Worked out once
 * for each environment. Where and under which names output goes is left out.
 */
import { type Digest, digest, type Part } from '../../core/index.ts';
import type { Machine } from '../machine.ts';
import { configDigest, partOf } from './settings.ts';

export interface ConfigParts {
  /** The environment's name, or nothing for a bundler without environments. */
  readonly environment: string;
  readonly parts: readonly Part[];
}

/** Of Vite. */
const FIELDS = [
  'mode',
  'command',
  'base',
  'isProduction',
  'define',
  'env',
  'json',
  'css',
  'esbuild',
  'oxc',
  'appType',
  'html',
  'legacy',
  'consumer',
  'webCompatible',
];
const RESOLVE = [
  'mainFields',
  'conditions',
  'externalConditions',
  'extensions',
  'dedupe',
  'preserveSymlinks',
  'noExternal',
  'external',
  'tsconfigPaths',
];
const BUILD = [
  'target',
  'cssTarget',
  'minify',
  'cssMinify',
  'sourcemap',
  'ssr',
  'lib',
  'cssCodeSplit',
  'assetsInlineLimit',
];
const SERVER = ['hmr', 'origin'];
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
    parts = partsOf(context, own, name, root, machine);
    if (typeof holder === 'object') known.set(holder, parts);
  }
  return { environment: typeof name === 'string' ? name : '', parts };
}

function partsOf(
  context: object,
  config: object,
  environment: unknown,
  root: string,
  machine: Machine,
): readonly Part[] {
  const meta = member(context, 'meta');
  const versions = ['rollupVersion', 'rolldownVersion', 'viteVersion'].map((name) => member(meta, name) ?? null);
  const chosen = configDigest(
    [
      pick(config, [...FIELDS, ...INPUT]),
      pick(member(config, 'resolve'), RESOLVE),
      member(member(config, 'resolve'), 'alias') ?? null,
      pick(member(config, 'build'), BUILD),
      pick(member(config, 'server'), SERVER),
    ],
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

function pick(value: unknown, names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, member(value, name)]));
}
