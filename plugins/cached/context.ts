/**
 * The context that hooks of Vite, Rolldown and Rollup are called on, as seen by a plugin whose calls are recorded. What a
 * hit can do again is noted, what it can ask again too; anything else makes the call uncacheable.
 */
import { type Digest, digest, FlecheError, sha256 } from '../../core/index.ts';
import type { Host } from './hooks.ts';
import type { BundlerLook, Effect, Recording } from './recording.ts';
import { configDigest } from './settings.ts';

type Member = (...args: readonly unknown[]) => unknown;

const LOGS = new Set(['warn', 'info', 'debug']);
/** What gives nothing away that is not in the key. */
const HARMLESS = new Set(['parse', 'error', 'meta', 'environment', 'constructor', 'then']);
const ENVIRONMENT = new Set(['name', 'mode', 'config', 'options', 'getTopLevelConfig']);
const ROOT = '<root>';

/** The context that one call is made on. */
export class RecordedContext implements Host {
  readonly #context: object;
  readonly #root: string;

  constructor(context: object, root: string) {
    this.#context = context;
    this.#root = root;
  }

  /** For a call that takes notes. */
  noting(recording: Recording): object {
    return new Proxy(this.#context, new Noting(recording, this.#root));
  }

  /** One whose effects nobody sees. */
  silent(): object {
    return new Proxy(this.#context, {
      get: (context, name) => {
        if (typeof name === 'string' && (LOGS.has(name) || name === 'addWatchFile')) return () => {};
        return bound(context, Reflect.get(context, name, context));
      },
    });
  }

  readonly look: BundlerLook = async (what, argument) => {
    if (what === 'map') return mapDigest(this.#call('getCombinedSourcemap'), this.#root);
    if (what !== 'resolve') return undefined;
    const args = JSON.parse(argument.replaceAll(ROOT, escaped(this.#root))) as readonly unknown[];
    return resolvedDigest(await this.#call('resolve', ...args.map((one) => one ?? undefined)), this.#root);
  };

  replay(effects: readonly Effect[], pathOf: (name: string) => string): void {
    for (const effect of effects) {
      if (effect[0] === 'watch') this.#call('addWatchFile', pathOf(effect[1]));
      else this.#call(effect[1], ...effect[2]);
    }
  }

  #call(name: string, ...args: readonly unknown[]): unknown {
    const member: unknown = Reflect.get(this.#context, name);
    if (typeof member !== 'function') throw new FlecheError('USAGE', `the bundler has no ${name}`);
    return Reflect.apply(member, this.#context, args) as unknown;
  }
}

class Noting implements ProxyHandler<object> {
  readonly #recording: Recording;
  readonly #root: string;

  constructor(recording: Recording, root: string) {
    this.#recording = recording;
    this.#root = root;
  }

  get(context: object, name: string | symbol): unknown {
    const value: unknown = Reflect.get(context, name, context);
    return typeof name === 'string' ? observed(context, name, value, this.#recording, this.#root) : value;
  }
}

/** A root as it stands within JSON. */
function escaped(root: string): string {
  return JSON.stringify(root).slice(1, -1);
}

function bound(context: object, value: unknown): unknown {
  return typeof value === 'function' ? value.bind(context) : value;
}

function observed(context: object, name: string, value: unknown, recording: Recording, root: string): unknown {
  const call = (args: readonly unknown[]): unknown => Reflect.apply(value as Member, context, args);
  if (value === undefined) return undefined;
  if (LOGS.has(name)) {
    return (...args: readonly unknown[]) => {
      const plain = args.map((one) => (typeof one === 'function' ? (one() as unknown) : one));
      recording.log(name, plain.map(plainLog));
      return call(plain);
    };
  }
  switch (name) {
    case 'addWatchFile':
      return (path: unknown) => {
        recording.watch(String(path));
        return call([path]);
      };
    case 'getCombinedSourcemap':
      return () => {
        const map = call([]);
        recording.told('map', '', mapDigest(map, root));
        return map;
      };
    case 'resolve':
      return async (...args: readonly unknown[]) => {
        const found = await call(args);
        noteResolved(args, found, recording, root);
        return found;
      };
    case 'environment':
      return environment(value, recording);
    default:
      if (!HARMLESS.has(name)) recording.obstacles.add(`it used this.${name}`);
      return bound(context, value);
  }
}

function environment(value: unknown, recording: Recording): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get: (target, name) => {
      if (typeof name === 'string' && !ENVIRONMENT.has(name))
        recording.obstacles.add(`it used this.environment.${name}`);
      return bound(target, Reflect.get(target, name, target));
    },
  });
}

function noteResolved(args: readonly unknown[], found: unknown, recording: Recording, root: string): void {
  try {
    const [source, importer, options = {}] = args;
    if (digest(options) !== digest(JSON.parse(JSON.stringify(options))))
      throw new FlecheError('INDIGESTIBLE', 'no JSON');
    const question = JSON.stringify([source, importer ?? null, options]).replaceAll(escaped(root), ROOT);
    recording.told('resolve', question, resolvedDigest(found, root));
  } catch (error) {
    if (!(error instanceof FlecheError)) throw error;
    recording.obstacles.add('it had the bundler resolve an import in a way that cannot be asked again');
  }
}

/** Of what an import leads to; what it was resolved by is not of interest. */
function resolvedDigest(found: unknown, root: string): Digest {
  if (typeof found !== 'object' || found === null) return digest(null);
  const { resolvedBy: _, ...rest } = found as Record<string, unknown>;
  return configDigest({ ...rest }, root).digest;
}

/** Of its text: one hash, where its members take dozens. */
function mapDigest(map: unknown, root: string): Digest {
  return sha256(JSON.stringify(map ?? null).replaceAll(escaped(root), ROOT));
}

/** A log that can be kept: an error by its fields. */
function plainLog(log: unknown): unknown {
  if (!(log instanceof Error)) return log;
  return { ...log, message: log.message };
}
