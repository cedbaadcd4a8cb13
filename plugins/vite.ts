/**
 * Vite, Rolldown and Rollup plugins whose `load` and `transform` are answered from the cache. A call is taken to depend
 * on its arguments, on the file behind the module, on what it asks of its context, on what the plugin did for the same
 * file before, and on the bundler's configuration. Whatever else a plugin keeps between calls is not seen.
 */
import { digest, type Part, sha256 } from '../core/index.ts';
import { recordingContext } from './context.ts';
import { Hooks, type Report, reportOf, reportOn } from './hooks.ts';
import { relativeTo } from './machine.ts';
import { plainMap } from './plain.ts';
import { Recording, recordings } from './recording.ts';
import { Sessions } from './sessions.ts';
import { type CachedOptions, identityParts, isExcluded, partOf, rootOf, surroundingParts } from './settings.ts';
import { configParts } from './vite-config.ts';
import { noteTypeFiles } from './vue-types.ts';

type Hook = (this: unknown, ...args: readonly unknown[]) => unknown;
type HookObject = { readonly handler: Hook };
type AnyPlugin = Record<string, unknown> & { readonly name: string };

/** Hooks that run after transforms and could use what these left behind. */
const LATER = [
  'moduleParsed',
  'buildEnd',
  'renderStart',
  'renderChunk',
  'augmentChunkHash',
  'generateBundle',
  'writeBundle',
];

/**
 * A plugin or a list of them, or their factory which is called with `settings.options`, with `load` and `transform`
 * cached. Throws `CODE_UNRESOLVED` or `INDIGESTIBLE` for a plugin or options that cannot be told from others.
 */
export function cached<P>(plugin: P | ((options: never) => P), settings: CachedOptions): P {
  const made = typeof plugin === 'function' ? (plugin as (options: unknown) => P)(settings.options) : plugin;
  if (Array.isArray(made)) return made.flat(8).map((one: unknown) => cachedOne(one, settings)) as P;
  return cachedOne(made, settings) as P;
}

/** What became of the calls of a cached plugin so far. Throws `USAGE` for a plugin that is not cached. */
export function cacheReport(plugin: object): Report {
  return reportOf(plugin);
}

function cachedOne(plugin: unknown, settings: CachedOptions): unknown {
  return isPlugin(plugin) && ('load' in plugin || 'transform' in plugin)
    ? new CachedPlugin(plugin, settings).outer
    : plugin;
}

function isPlugin(value: unknown): value is AnyPlugin {
  return typeof value === 'object' && value !== null && typeof (value as { name?: unknown }).name === 'string';
}

class CachedPlugin {
  readonly outer: AnyPlugin;
  readonly #inner: AnyPlugin;
  readonly #settings: CachedOptions;
  readonly #identity: readonly Part[];
  readonly #obstacle: string | undefined;
  readonly #sessions = new Sessions();
  #hooks: Hooks;
  /** The configuration of Vite, or the options of another bundler. */
  #config: object | undefined;
  /** Hooks as the plugin has them now, and their cached forms. */
  readonly #wrapped = new Map<string, { readonly value: unknown; readonly wrapped: unknown }>();

  constructor(inner: AnyPlugin, settings: CachedOptions) {
    this.#inner = inner;
    this.#settings = settings;
    this.#identity = identityParts(inner.name, settings, rootOf(settings));
    this.#hooks = new Hooks(inner.name, settings, rootOf(settings));
    noteTypeFiles(inner, () => recordings.getStore());
    const later = settings.stateless === true ? undefined : LATER.find((name) => name in inner);
    this.#obstacle =
      later && `its ${later} may use what transforms leave behind (stateless: true says that it does not)`;
    // The plugin may change its own hooks, so they are looked up anew each time.
    this.outer = new Proxy(inner, {
      get: (target, name) => this.#member(name, Reflect.get(target, name)),
      has: (target, name) => name in target || name in this.#added,
      ownKeys: (target) => [...new Set([...Reflect.ownKeys(target), ...Object.keys(this.#added)])],
      getOwnPropertyDescriptor: (target, name) =>
        Reflect.getOwnPropertyDescriptor(target, name) ??
        (name in this.#added ? { configurable: true, enumerable: true, writable: true, value: undefined } : undefined),
    });
    reportOn(this.outer, () => this.#hooks.report);
  }

  /** Hooks that a cached plugin has whether or not the plugin has them. */
  readonly #added: Readonly<Record<string, (inner: unknown) => unknown>> = {
    configResolved: (inner) =>
      before(inner, (config) => {
        if (typeof config !== 'object' || config === null) return;
        this.#config = config;
        const { root } = config as { readonly root?: unknown };
        if (this.#settings.root === undefined && typeof root === 'string' && root !== this.#hooks.root) {
          this.#hooks = new Hooks(this.#inner.name, this.#settings, root);
        }
      }),
    buildStart: (inner) =>
      before(inner, (options) => {
        this.#hooks.machine.renew();
        if (typeof options === 'object' && options !== null) this.#config ??= options;
      }),
    // While the bundler goes on with what it does by itself.
    buildEnd: (inner) => before(inner, () => void this.#hooks.flush()),
    closeBundle: (inner) => before(inner, () => this.#hooks.flush()),
  };

  /** Hooks before which the plugin has to know of a file what it would know without the cache. */
  readonly #changes: Readonly<Record<string, (change: unknown) => Promise<void>>> = {
    handleHotUpdate: (change) => this.#changed((change as { readonly file: string }).file),
    hotUpdate: (change) => this.#changed((change as { readonly file: string }).file),
    watchChange: (file) => this.#changed(String(file)),
  };

  #changed(file: string): Promise<void> {
    this.#hooks.machine.renew();
    return this.#sessions.catchUpWith(file);
  }

  #member(name: string | symbol, value: unknown): unknown {
    if (typeof name !== 'string') return value;
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

  #cachedHook(hook: 'load' | 'transform', inner: Hook): Hook {
    const call = (context: unknown, args: readonly unknown[]): Promise<unknown> =>
      this.#call(hook, inner, context as object, args);
    return function (this: unknown, ...args: readonly unknown[]) {
      return call(this, args);
    };
  }

  async #call(hook: 'load' | 'transform', inner: Hook, context: object, args: readonly unknown[]): Promise<unknown> {
    const hooks = this.#hooks;
    const settings = this.#settings;
    const { machine, root } = hooks;
    const [code, id, options] =
      hook === 'load' ? [undefined, String(args[0]), args[1]] : [args[0], String(args[1]), args[2]];
    const file = id.replace(/[?#].*$/s, '');
    const module = relativeTo(root, file) + id.slice(file.length);
    const config = configParts(context, this.#config, root, machine);
    const session = this.#sessions.of(config.environment, file);
    const whole = settings.stateless === true ? undefined : session.whole(id);
    let hasFile = true;
    const parts: Part[] = [];
    let obstacle =
      this.#obstacle ?? (isExcluded(this.#inner.name, this.#settings, module) ? 'it is excluded' : undefined);
    try {
      const content = machine.fileContent(file);
      if (content === undefined) {
        hasFile = false;
        obstacle ??= 'there is no file behind the module';
      } else if (obstacle === undefined) {
        // What an answer for the whole depends on need not be said again for a part.
        if (whole === undefined) parts.push(...this.#identity, ...config.parts);
        parts.push(
          ...surroundingParts(this.#settings, root, machine),
          partOf('identity', 'module', digest(module)),
          partOf('identity', 'arguments', sha256(JSON.stringify(plainOptions(options)) ?? '')),
          ...(code === undefined ? [] : [partOf('argument', 'code', digest(code))]),
          partOf('files', 'file', content),
          partOf('option', 'tsconfig', machine.configsAbove(file, root)),
          partOf('upstream', 'before', session.before(hook, id)),
        );
        if (settings.stateless !== true)
          obstacle = session.obstacle(hook, id, sha256(parts.map((part) => part.digest).join()));
      }
    } catch (error) {
      obstacle = `what it depends on cannot be read: ${String(error)}`;
    }
    const run = (on: object, recording: Recording): Promise<unknown> =>
      recordings.run(recording, async () => Reflect.apply(inner, on, args));
    const recorded = recordingContext(context, root);
    const made = await hooks.call({
      hook,
      module,
      parts,
      obstacle,
      whole,
      file: hasFile ? file : undefined,
      look: recorded.look,
      make: async (recording) => {
        await session.catchUp();
        return run(obstacle === undefined ? recorded.context(recording) : context, recording);
      },
      keep: keptResult,
      restore: restoredResult,
      replay: recorded.replay,
    });
    if (settings.stateless !== true)
      session.done(hook, id, made, () => run(recorded.silent(), new Recording(root, machine, false)));
    return made.value;
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

/** What a hook is told beside code and id: the members that are plain. */
function plainOptions(options: unknown): unknown {
  if (typeof options !== 'object' || options === null) return options;
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value === null || !['object', 'function'].includes(typeof value)),
  );
}

/** Under which name the text of a source map that was an object is kept. */
const MAP_TEXT = 'map as text';

/** A result with its source map as text, which is read and written many times faster than its members are. */
function keptResult(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { map, ...rest } = value as { readonly map?: unknown };
  if (typeof map !== 'object' || map === null) return value;
  return { ...rest, [MAP_TEXT]: JSON.stringify(plainMap(map)) };
}

function restoredResult(kept: unknown): unknown {
  if (typeof kept !== 'object' || kept === null || !(MAP_TEXT in kept)) return kept;
  const { [MAP_TEXT]: map, ...rest } = kept;
  return { ...rest, map: JSON.parse(String(map)) };
}
