/**
 * Random values of every kind that can be digested, and what equality means for them. A value is drawn as a recipe,
 * plain data from which it can be built more than once: with its members in another order, or with one part replaced.
 */
import { isDeepStrictEqual, types } from 'node:util';
import fc from 'fast-check';

type Entries<K> = readonly (readonly [K, Recipe])[];
/** A name of a member; a symbol is written as its name in the registry. */
type Name = string | { readonly symbol: string };

export type Recipe =
  | { readonly kind: 'scalar'; readonly value: string | number | bigint | boolean | null | undefined }
  | { readonly kind: 'symbol' | 'url' | 'hole'; readonly text: string }
  | { readonly kind: 'date'; readonly time: number }
  | { readonly kind: 'regexp'; readonly source: string; readonly flags: string; readonly lastIndex: number }
  | { readonly kind: 'bytes'; readonly type: string; readonly bytes: readonly number[] }
  | { readonly kind: 'array'; readonly items: readonly Recipe[] }
  | { readonly kind: 'object'; readonly bare: boolean; readonly entries: Entries<Name> }
  | { readonly kind: 'map'; readonly entries: Entries<Recipe> }
  | { readonly kind: 'set'; readonly items: readonly Recipe[] }
  | { readonly kind: 'error'; readonly type: string; readonly text: string; readonly cause: readonly Recipe[] }
  | { readonly kind: 'with'; readonly base: Recipe; readonly entries: Entries<Name> };

const VIEWS: Readonly<Record<string, new (buffer: ArrayBuffer) => ArrayBufferView>> = {
  ...{ Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array },
  ...{ Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView },
};
const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

/** Few of each kind, so that two draws are often equal, or nearly so. */
const names: fc.Arbitrary<Name> = fc.oneof(
  fc.constantFrom('a', 'b', '0', '1', '01', '-0', '', 'length', 'name', 'message', 'cause', '__proto__', 'constructor'),
  fc.constantFrom('é', 'e\u0301', '\ud800', '\ufffd', 'a b', '.'),
  fc.constantFrom('a', 'b').map((symbol) => ({ symbol })),
);
const texts = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'b',
    '0',
    '1',
    'true',
    'null',
    'é',
    'e\u0301',
    '\ud800',
    '\udc00',
    '\ufffd',
    '\0',
    '"\\ud800"',
  ),
  fc.string({ unit: 'binary' }),
  fc.array(fc.nat(0xffff), { maxLength: 3 }).map((units) => String.fromCharCode(...units)),
);
const numbers = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    2,
    1023,
    1024,
    0.1,
    NaN,
    Infinity,
    -Infinity,
    2 ** 31,
    -(2 ** 31),
    2 ** 50,
    2 ** 53,
    1e21,
    5e-324,
  ),
  fc.double(),
  fc.maxSafeInteger(),
);
const bytes = fc
  .array(fc.constantFrom(0, 1, 127, 128, 255), { maxLength: 2 })
  .map((half) => [...half, ...half, ...new Array<number>(8).fill(0)].slice(0, 8));
const leaves: fc.Arbitrary<Recipe> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(null, undefined, true, false, 0n, 1n, -1n)
      .map((value) => ({ kind: 'scalar' as const, value })),
  },
  { weight: 3, arbitrary: fc.oneof(texts, numbers).map((value) => ({ kind: 'scalar' as const, value })) },
  fc.bigInt().map((value) => ({ kind: 'scalar' as const, value })),
  fc.constantFrom('', 'a', '\ud800').map((text) => ({ kind: 'symbol' as const, text })),
  fc.constantFrom('a:b', 'http://h/', 'http://h/?q=1', 'http://h/#f').map((text) => ({ kind: 'url' as const, text })),
  fc.constantFrom(0, 1, -1, NaN, 8.64e15).map((time) => ({ kind: 'date' as const, time })),
  fc.record({
    kind: fc.constant('regexp' as const),
    source: fc.constantFrom('a', '(?:)', '\\/', '\n'),
    flags: fc.constantFrom('', 'g', 'iu'),
    lastIndex: fc.constantFrom(0, 1),
  }),
  fc.record({
    kind: fc.constant('bytes' as const),
    type: fc.constantFrom('ArrayBuffer', 'Buffer', ...Object.keys(VIEWS)),
    bytes: fc.oneof(bytes, fc.constant([])),
  }),
);

export const recipes: fc.Arbitrary<Recipe> = fc.letrec<{ tree: Recipe }>((tie) => {
  const list = fc.array(tie('tree'), { maxLength: 4 });
  const uniqueNames = <T>(content: fc.Arbitrary<T>): fc.Arbitrary<(readonly [Name, T])[]> =>
    fc.uniqueArray(fc.tuple(names, content), { maxLength: 4, selector: ([name]) => JSON.stringify(name) });
  const items = fc.array(
    fc.oneof({ weight: 5, arbitrary: tie('tree') }, fc.constant<Recipe>({ kind: 'hole', text: '' })),
    { maxLength: 4 },
  );
  const arrays = items.map((items) => ({ kind: 'array' as const, items }));
  const maps = fc
    .array(fc.tuple(tie('tree'), tie('tree')), { maxLength: 3 })
    .map((entries) => ({ kind: 'map' as const, entries }));
  const sets = list.map((items) => ({ kind: 'set' as const, items }));
  const errors = fc.record({
    kind: fc.constant('error' as const),
    type: fc.constantFrom(...Object.keys(ERRORS)),
    text: fc.constantFrom('', 'a', 'b'),
    cause: fc.array(tie('tree'), { maxLength: 1 }),
  });
  const extended = fc.oneof(arrays, maps, sets, errors, fc.constant<Recipe>({ kind: 'date', time: 0 }));
  return {
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { weight: 3, arbitrary: leaves },
      arrays,
      fc.record({ kind: fc.constant('object' as const), bare: fc.boolean(), entries: uniqueNames(tie('tree')) }),
      maps,
      sets,
      errors,
      fc.record({ kind: fc.constant('with' as const), base: extended, entries: uniqueNames(tie('tree')) }),
    ),
  };
}).tree;

/** Builds the value. `order` puts the members of objects, maps and sets into another order. */
export function build(recipe: Recipe, order: <T>(list: readonly T[]) => readonly T[] = (list) => list): unknown {
  switch (recipe.kind) {
    case 'scalar':
      return recipe.value;
    case 'symbol':
      return Symbol.for(recipe.text);
    case 'hole':
      return undefined;
    case 'url':
      return new URL(recipe.text);
    case 'date':
      return new Date(recipe.time);
    case 'regexp':
      return Object.assign(new RegExp(recipe.source, recipe.flags), { lastIndex: recipe.lastIndex });
    case 'bytes':
      return bytesOf(recipe.type, recipe.bytes);
    case 'array': {
      const array: unknown[] = [];
      array.length = recipe.items.length;
      for (const [at, item] of recipe.items.entries()) if (item.kind !== 'hole') array[at] = build(item, order);
      return array;
    }
    case 'object':
      return define(recipe.bare ? Object.create(null) : {}, recipe.entries, order);
    case 'map':
      return new Map(
        order(distinct(recipe.entries).map(([key, content]) => [build(key, order), build(content, order)] as const)),
      );
    case 'set':
      return new Set(order(recipe.items.map((item) => build(item, order))));
    case 'error': {
      const options = recipe.cause.length === 0 ? undefined : { cause: build(recipe.cause[0] as Recipe, order) };
      return new ERRORS[recipe.type as keyof typeof ERRORS](recipe.text, options);
    }
    case 'with':
      return define(build(recipe.base, order) as object, recipe.entries, order);
  }
}

function bytesOf(type: string, bytes: readonly number[]): unknown {
  // Bytes in the middle of a larger buffer, as a pooled Buffer has them: what lies around must not matter.
  const whole = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, ...bytes, 9]);
  if (type === 'Buffer') return Buffer.from(whole.buffer, 8, bytes.length);
  const buffer = whole.buffer.slice(8, 8 + bytes.length);
  const View = VIEWS[type];
  return View === undefined ? buffer : new View(buffer);
}

function define(target: object, entries: Entries<Name>, order: <T>(list: readonly T[]) => readonly T[]): object {
  for (const [name, content] of order(entries)) {
    if (Array.isArray(target) && (name === 'length' || name === '0' || name === '1')) continue;
    const key = typeof name === 'string' ? name : Symbol.for(name.symbol);
    const value = build(content, order);
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return target;
}

/** The recipe with its `at`-th part (counted depth first, around the end again) replaced. */
export function replaced(recipe: Recipe, at: number, by: Recipe): Recipe {
  let left = at % size(recipe);
  const walk = (part: Recipe): Recipe => {
    if (left-- === 0) return by;
    switch (part.kind) {
      case 'array':
      case 'set':
        return { ...part, items: part.items.map(walk) };
      case 'object':
        return { ...part, entries: part.entries.map(([name, content]) => [name, walk(content)] as const) };
      case 'map':
        return { ...part, entries: part.entries.map(([key, content]) => [walk(key), walk(content)] as const) };
      case 'error':
        return { ...part, cause: part.cause.map(walk) };
      case 'with':
        return { ...part, entries: part.entries.map(([name, content]) => [name, walk(content)] as const) };
      default:
        return part;
    }
  };
  return walk(recipe);
}

function size(recipe: Recipe): number {
  switch (recipe.kind) {
    case 'array':
    case 'set':
      return recipe.items.reduce((sum, item) => sum + size(item), 1);
    case 'object':
    case 'with':
      return recipe.entries.reduce((sum, [, content]) => sum + size(content), 1);
    case 'map':
      return recipe.entries.reduce((sum, [key, content]) => sum + size(key) + size(content), 1);
    case 'error':
      return recipe.cause.reduce((sum, cause) => sum + size(cause), 1);
    default:
      return 1;
  }
}

/** Two recipes that are often equal or nearly so, and an order in which to build the second. */
export const pairs: fc.Arbitrary<readonly [Recipe, Recipe]> = fc.oneof(
  fc.tuple(recipes, recipes),
  recipes.map((recipe) => [recipe, recipe] as const),
  {
    weight: 3,
    arbitrary: fc
      .tuple(recipes, fc.nat(), fc.oneof(leaves, recipes))
      .map(([recipe, at, by]) => [recipe, replaced(recipe, at, by)] as const),
  },
);

/** Without entries whose key comes again: which of them a map keeps would depend on their order. */
function distinct(entries: Entries<Recipe>): Entries<Recipe> {
  const byKey = new Map<unknown, Entries<Recipe>[number]>();
  for (const entry of entries) {
    const [key] = entry;
    byKey.set(key.kind === 'scalar' ? key.value : key.kind === 'symbol' ? Symbol.for(key.text) : key, entry);
  }
  return [...byKey.values()];
}

/**
 * What `digest` promises: `util.isDeepStrictEqual`, put right where Node's differs between versions. Some compare URLs
 * as objects without members (so that all are equal); Node 20 does not see whether an error has a cause of its own when
 * it is undefined, older ones no cause at all; and to all of them an invalid date differs from itself. Such objects are
 * compared by stand-ins.
 */
export function sameValue(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(standIn(a), standIn(b));
}

/** Node 22 throws when it compares maps or sets with `null` or `undefined` beside objects in them. */
function keyStandIn(key: unknown): unknown {
  return key === null || key === undefined ? Symbol.for(String(key)) : standIn(key);
}

function standIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof URL)
    return Object.assign(Object.create(null), { [Symbol.for('url')]: value.href }, members(value));
  if (types.isNativeError(value)) {
    const cause = Object.hasOwn(value, 'cause') ? [standIn(value.cause)] : [];
    const errors = value instanceof AggregateError ? standIn(value.errors) : null;
    const content = [Object.getPrototypeOf(value), standIn(value.name), standIn(value.message), cause, errors];
    return Object.assign(Object.create(null), { [Symbol.for('error')]: content, members: members(value) });
  }
  if (types.isDate(value) && Number.isNaN(value.getTime())) {
    return Object.assign(Object.create(null), { [Symbol.for('date')]: 'invalid', members: members(value) });
  }
  if (types.isMap(value))
    return copyMembers(new Map([...value].map(([key, content]) => [keyStandIn(key), standIn(content)])), value);
  if (types.isSet(value)) return copyMembers(new Set([...value].map(keyStandIn)), value);
  if (types.isDate(value)) return copyMembers(new Date(value), value);
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    copy.length = value.length;
    return copyMembers(copy, value);
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return members(value);
  if (prototype === null) return copyMembers(Object.create(null), value);
  return value;
}

function members(value: object): object {
  return copyMembers({}, value);
}

function copyMembers<T extends object>(target: T, from: object): T {
  for (const key of Reflect.ownKeys(from)) {
    if (!Object.prototype.propertyIsEnumerable.call(from, key)) continue;
    const value = standIn((from as Record<string | symbol, unknown>)[key]);
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return target;
}

/** How many cases a property is tried on. */
export const CASES: number = process.env['FLECHE_TEST_PROFILE'] === 'nightly' ? 100_000 : 2_000;

/** Ways to put a value one level deeper. */
export const NESTINGS: readonly ((inner: unknown) => unknown)[] = [
  (inner) => ({ a: inner }),
  (inner) => [inner],
  (inner) => new Map([[inner, inner === 0 ? 0 : 1]]),
  (inner) => new Map([[1, inner]]),
  (inner) => new Set([inner]),
  (inner) => new Error('a', { cause: inner }),
  (inner) => Object.assign(new Date(0), { a: inner }),
];
