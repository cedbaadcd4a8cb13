/**
 * Vite, Rolldown and Rollup plugins whose `load` and `transform` are answered from the cache. A call is taken to depend
 * on its arguments, on the file behind the module, on what it asks of its context, on what the plugin did for the same
 * file before, and on the bundler's configuration. Whatever else a plugin keeps between calls is not seen.
 */
import { digest } from '../core/index.ts';
import { type Report, reportOf, reportOn } from './cached/hooks.ts';
import { recordings } from './cached/recording.ts';
import {
  type CachedOptions,
  identityParts,
  isKnown,
  isLeftAlone,
  partOf,
  requireSettings,
  rootOf,
} from './cached/settings.ts';
import { type Hook, type HookName, ModuleCalls } from './cached/vite-calls.ts';
import { noteTypeFiles } from './cached/vue-types.ts';
import { Packages } from './packages.ts';

type HookObject = { readonly handler: Hook };
type AnyPlugin = Record<string, unknown> & { readonly name: string };

/** Members that are called as methods of the plugin, which may have private ones. */
const OWN = new Set(['apply', 'applyToEnvironment']);

/** Hooks that run after transforms and could use what these left behind. */
const LATER = [
  'moduleParsed',
  'buildEnd',
  'renderStart',
  'banner',
  'footer',
  'intro',
  'outro',
  'resolveFileUrl',
  'resolveImportMeta',
  'renderDynamicImport',
  'renderChunk',
  'augmentChunkHash',
  'generateBundle',
  'transformIndexHtml',
  'writeBundle',
  'closeBundle',
];

/**
 * A plugin or a list of them, or their factory which is called with `settings.options`, with `load` and `transform`
 * cached. Throws `CODE_UNRESOLVED` or `INDIGESTIBLE` for a plugin or options that cannot be told from others.
 */
export function cached<P>(plugin: P | ((options: never) => P), settings: CachedOptions): P {
  requireSettings(settings);
  const made = typeof plugin === 'function' ? (plugin as (options: unknown) => P)(settings.options) : plugin;
  const packages = new Packages(rootOf(settings));
  if (!Array.isArray(made)) return cachedOne(made, { settings, packages, obstacle: obstacleOf([made], settings) }) as P;
  const list = made.flat(8) as unknown[];
  const shared = { settings, packages, obstacle: obstacleOf(list, settings) };
  const counts = new Map<string, number>();
  return list.map((one) => {
    const name = isPlugin(one) ? one.name : '';
    const earlier = counts.get(name) ?? 0;
    counts.set(name, earlier + 1);
    return cachedOne(one, { ...shared, earlier });
  }) as P;
}

/** What became of the calls of a cached plugin so far. Throws `USAGE` for a plugin that is not cached. */
export function cacheReport(plugin: object): Report {
  return reportOf(plugin);
}

/** What is known of the plugins of one factory together. */
interface Setting {
  readonly settings: CachedOptions;
  readonly packages: Packages;
  /** Why none of their calls are cached. */
  readonly obstacle: string | undefined;
  /** How many of the same name come before this one. */
  readonly earlier?: number;
}

function cachedOne(plugin: unknown, setting: Setting): unknown {
  return isPlugin(plugin) && ('load' in plugin || 'transform' in plugin) && !isLeftAlone(plugin.name)
    ? new CachedPlugin(plugin, setting).outer
    : plugin;
}

/** Plugins of one factory share what they keep, so that hooks of one may use what transforms of another leave behind. */
function obstacleOf(plugins: readonly unknown[], { stateless }: CachedOptions): string | undefined {
  if (stateless === true) return undefined;
  const own = plugins.filter(isPlugin);
  // Of some plugins it is known that what they resolve does not come from transforms.
  const open = own.filter(({ name }) => !isKnown(name));
  const found =
    LATER.find((name) => own.some((plugin) => name in plugin)) ??
    (own.some((plugin) => 'transform' in plugin) && open.some((plugin) => 'resolveId' in plugin)
      ? 'resolveId'
      : undefined);
  return found && `its ${found} may use what transforms leave behind (stateless: true says that it does not)`;
}

function isPlugin(value: unknown): value is AnyPlugin {
  return typeof value === 'object' && value !== null && typeof (value as { name?: unknown }).name === 'string';
}

class CachedPlugin {
  readonly outer: AnyPlugin;
  readonly #inner: AnyPlugin;
  readonly #calls: ModuleCalls;
  #isVite = false;
  /** Hooks as the plugin has them now, and their cached forms. */
  readonly #wrapped = new Map<string, { readonly value: unknown; readonly wrapped: unknown }>();

  constructor(inner: AnyPlugin, { settings, packages, obstacle, earlier = 0 }: Setting) {
    noteTypeFiles(inner, () => recordings.current);
    const identity = identityParts(inner.name, settings, packages);
    if (earlier > 0) identity.push(partOf('identity', 'which of this name', digest(earlier)));
    const calls = new ModuleCalls(inner.name, settings, identity, obstacle);
    this.#calls = calls;
    this.#inner = inner;
    // The plugin may change its own hooks, so they are looked up anew each time.
    this.outer = new Proxy(inner, {
      get: (target, name) => this.#member(name, Reflect.get(target, name)),
      has: (target, name) => name in target || name in this.#added,
      ownKeys: (target) => [...new Set([...Reflect.ownKeys(target), ...Object.keys(this.#added)])],
      getOwnPropertyDescriptor: (target, name) =>
        Reflect.getOwnPropertyDescriptor(target, name) ??
        (name in this.#added ? { configurable: true, enumerable: true, writable: true, value: undefined } : undefined),
    });
    reportOn(this.outer, () => calls.hooks.report);
  }

  /** Hooks that a cached plugin has whether or not the plugin has them. */
  readonly #added: Readonly<Record<string, (inner: unknown) => unknown>> = {
    configResolved: (inner) =>
      before(inner, (config) => {
        if (typeof config !== 'object' || config === null) return;
        this.#isVite = true;
        this.#calls.config = config;
        const { root } = config as { readonly root?: unknown };
        if (typeof root === 'string') this.#calls.settle(root);
      }),
    buildStart: (inner) =>
      before(inner, (options) => {
        this.#calls.hooks.machine.renew();
        // Of Rollup and Rolldown; each build has its own.
        if (!this.#isVite && typeof options === 'object' && options !== null) this.#calls.config = options;
      }),
    // While the bundler goes on with what it does by itself; it does not wait for it.
    buildEnd: (inner) => before(inner, () => void this.#calls.hooks.flush()),
    closeBundle: (inner) => before(inner, () => void this.#calls.hooks.flush()),
    watchChange: (inner) => before(inner, () => this.#calls.hooks.machine.renew()),
  };

  /** Hooks before which the plugin has to know of a file what it would know without the cache. */
  readonly #changes: Readonly<Record<string, (change: unknown) => Promise<void>>> = {
    handleHotUpdate: (change) => this.#calls.changed((change as { readonly file: string }).file),
    hotUpdate: (change) => this.#calls.changed((change as { readonly file: string }).file),
    watchChange: (file) => this.#calls.changed(String(file)),
  };

  #member(name: string | symbol, value: unknown): unknown {
    if (typeof name !== 'string') return value;
    if (OWN.has(name) && typeof value === 'function') return value.bind(this.#inner);
    const known = this.#wrapped.get(name);
    if (known !== undefined && known.value === value) return known.wrapped;
    const wrapped = this.#wrap(name, value);
    this.#wrapped.set(name, { value, wrapped });
    return wrapped;
  }

  #wrap(name: string, value: unknown): unknown {
    if (name === 'load' || name === 'transform') return handled(value, (hook) => this.#cachedHook(name, hook));
    const change = this.#changes[name];
    if (change !== undefined && value !== undefined) return before(value, change);
    return this.#added[name]?.(value) ?? value;
  }

  #cachedHook(hook: HookName, inner: Hook): Hook {
    const calls = this.#calls;
    return function (this: unknown, ...args: readonly unknown[]) {
      return calls.call(hook, inner, this as object, args);
    };
  }
}

/** A hook as function or object, with its function replaced; everything else of an object is read from it as it is then. */
function handled(hook: unknown, wrap: (inner: Hook) => Hook): unknown {
  if (typeof hook === 'function') return wrap(hook as Hook);
  if (typeof hook !== 'object' || hook === null || typeof (hook as HookObject).handler !== 'function') return hook;
  let inner: Hook | undefined;
  let outer: Hook | undefined;
  return new Proxy(hook as HookObject, {
    get: (target, name) => {
      if (name !== 'handler') return Reflect.get(target, name);
      if (inner !== target.handler) {
        inner = target.handler;
        outer = wrap(inner);
      }
      return outer;
    },
  });
}

/** A hook before which something else is done with its first argument. */
function before(hook: unknown, act: (argument: unknown) => void | Promise<void>): unknown {
  const wrap = (inner: Hook | undefined): Hook =>
    function (this: unknown, ...args: readonly unknown[]) {
      const done = act(args[0]);
      const then = (): unknown => (inner === undefined ? undefined : Reflect.apply(inner, this, args));
      return done === undefined ? then() : done.then(then);
    };
  return hook === undefined ? wrap(undefined) : handled(hook, wrap);
}
