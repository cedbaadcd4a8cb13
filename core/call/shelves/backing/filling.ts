/** What a shelf begins with: what was kept, if it is acceptable, or what its build hook makes. */
import type { Awaitable } from '../../../base/awaitable.ts';
import { run, type Steps, wait } from '../../../base/steps.ts';
import { type Filling, pairsOf, type Validate } from '../options.ts';
import { unbuilt, unreadable } from '../shelf-errors.ts';
import type { Backing, Found } from './backing.ts';
import type { StoredEntry } from './contents.ts';
import { identityOf } from './keys.ts';

/** What was found, or that it was not accepted. */
export type Loaded<K, V> = Found<K, V> | { readonly kind: 'refused' };

/** Loads what is kept. What is not accepted is told to `backing` and counts as nothing. Throws `SHELF_UNREADABLE`. */
export function load<K, V>(
  name: string,
  backing: Backing<K, V>,
  validate: Validate<K, V> | undefined,
): Awaitable<Loaded<K, V>> {
  return run(loading(name, backing, validate));
}

function* loading<K, V>(
  name: string,
  backing: Backing<K, V>,
  validate: Validate<K, V> | undefined,
): Steps<Loaded<K, V>> {
  let found: Found<K, V>;
  try {
    found = yield* wait(backing.load());
  } catch (error) {
    throw unreadable(name, error);
  }
  if (found.kind !== 'found' || validate === undefined) return found;
  const entries = yield* accepted(found.entries, validate);
  if (entries !== undefined) return { kind: 'found', entries };
  backing.refuse();
  return { kind: 'refused' };
}

function* accepted<K, V>(
  entries: readonly StoredEntry<K, V>[],
  validate: Validate<K, V>,
): Steps<readonly StoredEntry<K, V>[] | undefined> {
  const contents = new Map(entries.map(({ key, value }) => [key, value]));
  try {
    if (typeof validate === 'function') return (yield* wait(validate(contents))) ? entries : undefined;
    const result = yield* wait(validate['~standard'].validate(contents));
    if (result.issues !== undefined || !('value' in result)) return undefined;
    // What a schema for the contents of this shelf makes of them is contents of this shelf.
    return result.value instanceof Map ? replaced(entries, result.value as Map<K, V>) : entries;
  } catch {
    return undefined;
  }
}

/** Other contents, each entry in the place that its key had. */
function replaced<K, V>(entries: readonly StoredEntry<K, V>[], contents: Map<K, V>): readonly StoredEntry<K, V>[] {
  const known = new Map(entries.map((entry) => [identityOf(entry.key), entry]));
  return Array.from(contents, ([key, value]) => ({ ...known.get(identityOf(key)), key, value }));
}

/** An entry that was built, and its form at rest. */
export interface Built<K, V> {
  readonly key: K;
  readonly value: V;
  readonly bytes: Uint8Array | undefined;
}

/** Makes the contents. Throws `SHELF_UNBUILT`. */
export function build<K, V>(
  name: string,
  backing: Backing<K, V>,
  hook: (name: string) => Awaitable<Filling<K, V>>,
): Awaitable<readonly Built<K, V>[]> {
  return run(building(name, backing, hook));
}

function* building<K, V>(
  name: string,
  backing: Backing<K, V>,
  hook: (name: string) => Awaitable<Filling<K, V>>,
): Steps<readonly Built<K, V>[]> {
  try {
    const pairs = pairsOf<K, V>(yield* wait(hook(name)));
    return Array.from(pairs, ([key, value]) => ({ key, value, bytes: backing.encode(key, value) }));
  } catch (error) {
    throw unbuilt(name, error);
  }
}
