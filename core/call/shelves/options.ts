/** How a shelf is defined: what it holds, where it is kept, what it depends on. Types, and the checks of what is given. */
import type { Awaitable } from '../../base/awaitable.ts';
import { FlecheError } from '../../base/errors.ts';
import { suggest } from '../../base/nearest.ts';
import { type Dependency, isDependency } from './dependents/graph.ts';
import { type Band, checkBands } from './saving/edit-ages.ts';

/** Contents as hooks give them: a map, a list of pairs, or, where keys are strings, a plain object. */
export type Filling<K, V> =
  | Iterable<readonly [K, V]>
  | (string extends NoInfer<K> ? { readonly [key: string]: V } : never);

/** A schema of any library that follows the Standard Schema convention. */
export interface StandardSchema {
  readonly '~standard': {
    readonly validate: (
      value: unknown,
    ) => Awaitable<{ readonly value: unknown; readonly issues?: undefined } | { readonly issues: readonly unknown[] }>;
  };
}

/** What becomes of a value on its way to where it is kept, and back. */
export interface Transform<K, V, S> {
  /** Is given a copy of the value, if it is of a kind that can be copied. */
  readonly encode: (value: V, key: K) => Awaitable<S>;
  readonly decode: (stored: S, key: K) => Awaitable<V>;
}

/** Looks at what was loaded. */
export type Validate<K, V> = ((contents: ReadonlyMap<K, V>) => unknown) | StandardSchema;

/** `S` is the form in which values are kept, where `transform` makes it another one. */
export interface ShelfOptions<K, V, S = V> {
  /** Whether the contents survive the process. Default: true. */
  readonly persist?: boolean;
  /** Reads the contents from a place of your own; undefined or null if nothing is there. */
  readonly load?: (name: string) => Awaitable<Filling<K, S> | undefined | null>;
  /** Writes all contents to a place of your own. With `load` or `save` given, nothing is kept in the manager's folder. */
  readonly save?: (name: string, contents: ReadonlyMap<K, S>) => Awaitable<unknown>;
  /** Called when what is kept is to be removed, beside what the manager removes itself. */
  readonly delete?: (name: string) => Awaitable<unknown>;
  /** Makes the contents when nothing is loaded. They are saved at once. */
  readonly build?: (name: string) => Awaitable<Filling<K, V>>;
  /**
   * Looks at what was loaded, a map: if it gives something falsy, throws, or (a schema) finds an issue, nothing is loaded.
   * The map that a schema makes of it takes its place.
   */
  readonly validate?: Validate<K, V>;
  readonly transform?: Transform<K, V, S>;
  /** Whether a shelf without entries is saved over one that had some. Default: true. */
  readonly saveEmpty?: boolean;
  /** When edits are saved by themselves; false for never. Default: `AUTOSYNC`. */
  readonly autosync?: readonly Band[] | false;
  /** What this shelf is made from: it is emptied whenever one of them is invalidated. All of them, once it is given. */
  readonly dependsOn?: readonly Dependency[];
}

const NAMES: readonly (keyof ShelfOptions<unknown, unknown>)[] = [
  'persist',
  'load',
  'save',
  'delete',
  'build',
  'validate',
  'transform',
  'saveEmpty',
  'autosync',
  'dependsOn',
];

/** Throws `USAGE` for options that do not exist, and for those that contradict each other. */
export function checkOptions<K, V, S>(name: string, options: ShelfOptions<K, V, S>): void {
  const wrong = (what: string, hint: string): FlecheError =>
    new FlecheError('USAGE', `shelf "${name}": ${what}`, { hint });
  for (const key of Object.keys(options)) {
    if (!NAMES.some((known) => known === key)) throw wrong(`there is no option "${key}"`, suggest(key, NAMES));
  }
  if (options.persist === false && (options.load ?? options.save ?? options.delete) !== undefined) {
    throw wrong('it does not persist, but has hooks to load, save or delete', 'Leave out one or the other.');
  }
  if (options.autosync) checkBands(options.autosync);
  for (const dependency of options.dependsOn ?? []) {
    if (!isDependency(dependency)) {
      throw wrong('it depends on something that is neither a shelf nor has `onInvalidate`', 'Pass the shelf itself.');
    }
  }
}

/** Whether two definitions are one and the same. */
export function sameOptions(a: object, b: object): boolean {
  const members = new Map(Object.entries(a));
  const others = Object.entries(b);
  return members.size === others.length && others.every(([key, value]) => sameOption(members.get(key), value));
}

/** Lists are compared by their members, which are shelves, or bands. */
function sameOption(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((member, at) => member === b[at] || isSameBand(member, b[at]));
}

function isSameBand(a: Partial<Band>, b: Partial<Band>): boolean {
  return a.edits !== undefined && a.edits === b.edits && a.within === b.within;
}

/** The pairs of a filling. */
export function pairsOf<K, V>(filling: Filling<K, V>): Iterable<readonly [K, V]> {
  if (Symbol.iterator in filling) return filling as Iterable<readonly [K, V]>;
  // Only where keys are strings may it be a plain object.
  return Object.entries(filling) as unknown as Iterable<readonly [K, V]>;
}

/** Whether a hook is known to take time before it was called. */
export function isAsync(hook: unknown): boolean {
  return Object.prototype.toString.call(hook) === '[object AsyncFunction]';
}
