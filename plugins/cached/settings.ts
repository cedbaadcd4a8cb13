/** What a cached plugin is told about itself, and what becomes of that: the parts of its calls that never change. */
import { join } from 'node:path';
import {
  type AnyFunction,
  type BaseCache,
  cache,
  chosenCache,
  type Digest,
  digest,
  FlecheError,
  LocalCache,
  type Part,
} from '../../core/index.ts';
import { workingFolder } from '../machine.ts';
import type { Packages } from '../packages.ts';
import { isPlain } from './plain.ts';

/** What became of one call of a hook. */
export interface Decision {
  readonly plugin: string;
  readonly hook: string;
  /** The module, relative to the root. */
  readonly module: string;
  readonly outcome: 'hit' | 'miss' | 'uncacheable';
  /** For a miss what differs from the nearest past call, for an uncacheable call why it is. */
  readonly reasons: readonly string[];
}

export interface CachedOptions {
  /**
   * What the plugin was made with; `undefined` if with nothing. A plugin given as its factory is called with them.
   * Functions among them have to be listed in `functions`.
   */
  readonly options: unknown;
  /** The package that the plugin comes from, where it is not the plugin's name. */
  readonly package?: string;
  /** Stands for the code of the plugin, instead of its package or beside the one given as `package`; to be changed with it. */
  readonly identity?: string;
  /** Functions in `options`, by the name of the package that each comes from, such as `{ 'remark-gfm': remarkGfm }`. */
  readonly functions?: Readonly<Record<string, AnyFunction>>;
  /** Environment variables that the plugin reads, beside NODE_ENV. */
  readonly env?: readonly string[];
  /** Files and folders that the plugin reads without telling the bundler, relative to the root. */
  readonly uses?: readonly string[];
  /**
   * Names of files that configure the plugin wherever they lie beside a module or above it; by default those of the usual
   * compilers, such as `babel.config.js`, `.browserslistrc` or `package.json`. TypeScript's count always.
   */
  readonly configurations?: RegExp;
  /** Modules whose calls are not cached, by their path relative to the root, with their query. */
  readonly exclude?: RegExp;
  /** The plugin keeps nothing between calls that its other hooks use. */
  readonly stateless?: boolean;
  /**
   * The plugin does the same in every folder: what it answers may be used for the same files elsewhere, unless the path of
   * the root can be seen in it.
   */
  readonly portable?: boolean;
  /** The cache, or its configured name; by default the active one, or `.fleche` in the root if none is configured. */
  readonly cache?: BaseCache | string;
  /** The folder that paths are relative to; by default the bundler's. */
  readonly root?: string;
  /** Told of every call. Finding the reasons of a miss costs a look at past calls. */
  readonly onDecision?: (decision: Decision) => void;
  /** Told, once of each kind, what is wrong with the cache; by default a process warning. */
  readonly onWarning?: (message: string) => void;
}

/** What is known of plugins by their names. */
interface Preset {
  readonly package: string;
  readonly exclude?: RegExp;
  readonly configurations?: RegExp;
  /** What its other hooks use of transforms is known, and dealt with. */
  readonly isKnown?: true;
  /** Its calls cost less than an answer, or can never be kept. */
  readonly isLeftAlone?: true;
}

/** Throws `USAGE` without settings: programs in JavaScript are not told by a compiler. */
export function requireSettings(settings: CachedOptions | undefined): void {
  if (settings !== undefined) return;
  throw new FlecheError('USAGE', 'a cached plugin is told what it was made with', {
    hint: 'Write cached(plugin, { options: {} }), with the options that it takes.',
  });
}

/** For plugins that are configured by their options only. */
export const NO_CONFIGURATIONS: RegExp = /^$/;
const SVELTE: Preset = { package: '@sveltejs/vite-plugin-svelte', isKnown: true };
const PRESETS: Readonly<Record<string, Preset>> = {
  // What a block of another file becomes depends on the component that names it.
  'vite:vue': { package: '@vitejs/plugin-vue', exclude: /[?&]src\b/, configurations: NO_CONFIGURATIONS, isKnown: true },
  'vite-plugin-svelte': SVELTE,
  // One reads files that are assets for Vite, the other hands over what the compiler left with the module.
  'vite-plugin-svelte:load-custom': { ...SVELTE, isLeftAlone: true },
  'vite-plugin-svelte:load-compiled-css': { ...SVELTE, isLeftAlone: true },
  'babel-plugin': { package: 'vite-plugin-babel' },
  '@mdx-js/esbuild': { package: '@mdx-js/esbuild', configurations: NO_CONFIGURATIONS },
};

/** Plugins in several parts name these `plugin:part` or `plugin-part`. */
function presetOf(plugin: string): Preset | undefined {
  return PRESETS[plugin] ?? PRESETS[plugin.replace(/(?<=^vite-plugin-svelte)[:-].*$/, '')];
}

/** Undefined for those of the usual compilers. */
export function configurationsOf(plugin: string, { configurations }: CachedOptions): RegExp | undefined {
  return configurations ?? presetOf(plugin)?.configurations;
}

/** Whether it is known what a plugin's other hooks use of transforms. */
export function isKnown(plugin: string): boolean {
  return presetOf(plugin)?.isKnown === true;
}

/** Whether a plugin is better off without a cache. */
export function isLeftAlone(plugin: string): boolean {
  return presetOf(plugin)?.isLeftAlone === true;
}

export function packageOf(plugin: string, { package: named }: CachedOptions): string {
  return named ?? presetOf(plugin)?.package ?? plugin;
}

export function isExcluded(plugin: string, { exclude }: CachedOptions, module: string): boolean {
  return finds(exclude, module) || finds(presetOf(plugin)?.exclude, module);
}

/** Whether an expression matches; one that is global or sticky would otherwise begin where it last ended. */
export function finds(expression: RegExp | undefined, text: string): boolean {
  return expression !== undefined && text.search(expression) >= 0;
}

/** Caches of projects that say nothing about caches, by their roots. */
const unconfigured = new Map<string, BaseCache>();

/** The cache that calls use now: the chosen or the active one, or else one in the folder `.fleche` of the root. */
export function cacheOf({ cache: chosen }: Pick<CachedOptions, 'cache'>, root: string): BaseCache {
  if (typeof chosen === 'string') return cache(chosen, () => cache());
  const active = chosen ?? chosenCache() ?? unconfigured.get(root);
  if (active !== undefined) return active;
  const made = new LocalCache(join(root, '.fleche'));
  unconfigured.set(root, made);
  return made;
}

export function rootOf({ root }: Pick<CachedOptions, 'root'>): string {
  return root ?? workingFolder();
}

export function warn(message: string): void {
  process.emitWarning(message, 'FlecheWarning');
}

/** One part of a fingerprint. */
export function partOf(kind: Part['kind'], name: string, value: Digest): Part {
  return { kind, name, digest: value, blob: null };
}

/**
 * The identity and the options of a plugin as parts. Throws `CODE_UNRESOLVED` for a plugin that cannot be identified and
 * `INDIGESTIBLE` for options that have no faithful digest.
 */
export function identityParts(plugin: string, settings: CachedOptions, packages: Packages): Part[] {
  const name = packageOf(plugin, settings);
  const isNamed = settings.identity === undefined || settings.package !== undefined;
  const found = isNamed ? packages.identity(name) : undefined;
  if (isNamed && found === undefined) {
    throw new FlecheError('CODE_UNRESOLVED', `the plugin "${plugin}" cannot be identified: no package "${name}"`, {
      hint: 'Say which package it comes from (package: "name"), or what stands for its code (identity: "1").',
    });
  }
  const identity = settings.identity === undefined ? found?.digest : digest([settings.identity, found?.digest ?? null]);
  return [
    partOf('identity', 'plugin', digest([plugin, found?.text ?? null])),
    partOf('code', 'plugin code', identity ?? digest(null)),
    partOf('option', 'options', optionsDigest(plugin, settings, packages)),
  ];
}

function optionsDigest(plugin: string, { options, functions = {} }: CachedOptions, packages: Packages): Digest {
  const known = new Map<unknown, readonly unknown[]>();
  for (const [name, value] of Object.entries(functions)) {
    const found = packages.identity(name);
    if (found === undefined) throw new FlecheError('CODE_UNRESOLVED', `there is no package "${name}"`);
    known.set(value, ['function of', name, found.digest]);
  }
  const value = digest(withFunctions(options, known, `the options of ${plugin}`), 'options');
  // Plugins load packages that their options name, such as presets of Babel.
  const named = packages.named(wordsIn(options));
  return named === undefined ? value : digest([value, named]);
}

/** All texts in plain data, names of members too. */
function* wordsIn(value: unknown): Generator<string, void, undefined> {
  if (typeof value === 'string') yield value;
  else if (value instanceof Map) yield* wordsIn([...value]);
  else if (value instanceof Set || Array.isArray(value)) for (const member of value) yield* wordsIn(member);
  else if (typeof value === 'object' && value !== null && isPlain(value)) yield* wordsIn(Object.entries(value));
}

/** The value with functions replaced by what stands for them. */
function withFunctions(value: unknown, known: ReadonlyMap<unknown, readonly unknown[]>, at: string): unknown {
  if (typeof value === 'function') {
    const stands = known.get(value);
    if (stands !== undefined) return stands;
    throw new FlecheError('INDIGESTIBLE', `${at} is a function without an identity`, {
      hint: 'Name the package it comes from: functions: { "its-package": it }; or give `identity` and leave it out.',
    });
  }
  if (Array.isArray(value)) return value.map((item, index) => withFunctions(item, known, `${at}[${index}]`));
  if (value === null || typeof value !== 'object' || !isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withFunctions(item, known, `${at}.${key}`)]),
  );
}

/**
 * A digest of part of a bundler's configuration. Paths below the root are taken relative to it, functions by their text
 * (`hasFunctions` says so: what they refer to is to be digested besides), members that have no digest by their kind.
 */
export function configDigest(
  config: unknown,
  root: string,
): { readonly digest: Digest; readonly hasFunctions: boolean } {
  let hasFunctions = false;
  const within = new Set<object>();
  const plain = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replaceAll(root, '<root>');
    if (typeof value === 'function') {
      hasFunctions = true;
      return ['function', String(value)];
    }
    if (typeof value === 'symbol') return ['symbol', String(value)];
    if (value === null || typeof value !== 'object' || value instanceof RegExp) return value;
    if (within.has(value)) return ['cycle'];
    within.add(value);
    const members = value instanceof Map || value instanceof Set || Array.isArray(value);
    const found = members
      ? [...value].map(plain)
      : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
    within.delete(value);
    return found;
  };
  const found = plain(config);
  return { digest: digest(found), hasFunctions };
}
