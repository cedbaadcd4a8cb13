/**
 * Value digests. For supported values `digest(a) === digest(b)` exactly when `util.isDeepStrictEqual(a, b)`.
 *
 * A value's digest is a Merkle node: SHA-256 of `f1`, a one-character type tag and a framed body. Scalars have their
 * text as body, containers the digests of their members, so a `Ref` (which has the digest of what it names) can stand
 * anywhere in a structure without being loaded. Object keys, map entries and set members are sorted by code unit, so
 * insertion order does not matter. The format is version 1, frozen in fixtures/vectors/digest-v1.json.
 */
import { types } from 'node:util';
import { classCodecOf, DIGEST } from './digestible.ts';
import { FlecheError } from './errors.ts';
import { type Digest, frame, Sha256, sha256 } from './hash.ts';
import { byCodeUnit } from './order.ts';
import { Ref } from './ref.ts';

/** A member of an argument or result that has no faithful digest. `path` is filled in while the walk unwinds. */
class Indigestible extends Error {
  path = '';
}

/** Deeper than this a structure is watched for cycles; no sane value gets there. */
const WATCH_DEPTH = 200;
const MAX_DEPTH = 2000;
// biome-ignore format: one table
const VIEWS = new Set([
  'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array', 'Buffer', 'DataView',
]);
const ERRORS: ReadonlyMap<unknown, string> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError].map(
    (type) => [type.prototype, type.name] as const,
  ),
);

const UNDEFINED = sha256('f1u');
const NULL = sha256('f1n');
const TRUE = sha256('f1t');
const FALSE = sha256('f1f');
const HOLE = sha256('f1h');
/** Small counts, indexes and flags make up most numbers that are met. */
const SMALL: readonly Digest[] = Array.from({ length: 1024 }, (_, n) => sha256(`f1d${n}`));

/**
 * The digest of a value. Throws `INDIGESTIBLE` with the path of the first member that has no faithful digest.
 * `name` is how the value is called in that path, such as `args[0]`.
 */
export function digest(value: unknown, name = 'value'): Digest {
  try {
    return node(value, 0, undefined);
  } catch (error) {
    if (!(error instanceof Indigestible)) throw error;
    throw new FlecheError('INDIGESTIBLE', `${name}${error.path} ${error.message}`, {
      hint: 'Pass plain data, ignore the argument, or let its class opt in (registerClass or the DIGEST symbol).',
    });
  }
}

function node(value: unknown, depth: number, above: readonly unknown[] | undefined): Digest {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? sha256(`f1s${value}`) : sha256(`f1S${JSON.stringify(value)}`);
    case 'number':
      return number(value);
    case 'boolean':
      return value ? TRUE : FALSE;
    case 'undefined':
      return UNDEFINED;
    case 'bigint':
      return sha256(`f1i${value.toString(16)}`);
    case 'symbol': {
      const registered = Symbol.keyFor(value);
      if (registered === undefined) throw new Indigestible('is a symbol outside the registry');
      return sha256(`f1y${frame(registered)}`);
    }
    case 'function': {
      const own = (value as unknown as Record<symbol, unknown>)[DIGEST];
      if (typeof own === 'function') return sha256(`f1F${node(own.call(value), depth + 1, above)}`);
      throw new Indigestible('is a function without an identity (only memoised functions have one)');
    }
    case 'object':
      return value === null ? NULL : object(value, depth, above);
  }
}

function number(value: number): Digest {
  if (value === 0) return Object.is(value, -0) ? sha256('f1d-0') : (SMALL[0] as Digest);
  return SMALL[value] ?? sha256(`f1d${value}`);
}

function object(value: object, depth: number, above: readonly unknown[] | undefined): Digest {
  let inside = above;
  if (depth >= WATCH_DEPTH) {
    if (above?.includes(value)) throw new Indigestible('contains itself');
    if (depth > MAX_DEPTH) throw new Indigestible(`is nested more than ${MAX_DEPTH} levels deep`);
    inside = [...(above ?? []), value];
  }
  const below = depth + 1;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) {
    if (types.isProxy(value)) throw new Indigestible('is a proxy');
    return sha256(`f1o${members(value, Object.keys(value), below, inside)}`);
  }
  if (prototype === Array.prototype && Array.isArray(value)) return array(value, below, inside);
  if (prototype === null) return sha256(`f1O${members(value, Object.keys(value), below, inside)}`);
  return instance(value, prototype, below, inside);
}

/** `count{frame(key) digest}` over own enumerable members, sorted by code unit; registered symbols come last. */
function members(value: object, keys: string[], depth: number, above: readonly unknown[] | undefined): string {
  let body = '';
  for (const key of keys.length > 1 ? keys.sort(byCodeUnit) : keys) {
    body += frame(key);
    try {
      body += node((value as Record<string, unknown>)[key], depth, above);
    } catch (error) {
      throw at(error, /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);
    }
  }
  const symbols = Object.getOwnPropertySymbols(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key),
  );
  return symbols.length === 0
    ? `${keys.length}{${body}}`
    : `${keys.length}{${body}}${symbolMembers(value, symbols, depth, above)}`;
}

function symbolMembers(value: object, symbols: symbol[], depth: number, above: readonly unknown[] | undefined): string {
  const entries = symbols.map((key) => {
    const registered = Symbol.keyFor(key);
    if (registered === undefined)
      throw at(new Indigestible('is a member under an unregistered symbol'), `[${String(key)}]`);
    return frame(registered) + node((value as Record<symbol, unknown>)[key], depth, above);
  });
  return `${entries.length}<${entries.sort(byCodeUnit).join('')}>`;
}

function array(value: readonly unknown[], depth: number, above: readonly unknown[] | undefined): Digest {
  if (types.isProxy(value)) throw new Indigestible('is a proxy');
  let body = '';
  for (let i = 0; i < value.length; i++) {
    try {
      const element = value[i];
      body += element === undefined && !(i in value) ? HOLE : node(element, depth, above);
    } catch (error) {
      throw at(error, `[${i}]`);
    }
  }
  return sha256(`f1a${value.length}[${body}]${extras(value, depth, above)}`);
}

/** Named members beside the elements of an array, or beside the content of a date, map, error and the like. */
function extras(value: object, depth: number, above: readonly unknown[] | undefined): string {
  const keys = Object.keys(value);
  const named = Array.isArray(value) ? keys.filter((key) => !isIndex(key)) : keys;
  if (named.length === 0 && Object.getOwnPropertySymbols(value).length === 0) return '';
  return members(value, named, depth, above);
}

function isIndex(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 48 && first <= 57 && String(Number(key) >>> 0) === key;
}

function instance(value: object, prototype: unknown, depth: number, above: readonly unknown[] | undefined): Digest {
  if (types.isProxy(value)) throw new Indigestible('is a proxy');
  if (value instanceof Ref) {
    const named = value.digest;
    if (named === undefined) throw new Indigestible(`is the prefix "${value.prefix}", which only a cache can complete`);
    return named;
  }
  const codec = classCodecOf(prototype);
  if (codec !== undefined) return sha256(`f1c${frame(codec.name)}${node(codec.encode(value), depth, above)}`);
  const own = (value as Record<symbol, unknown>)[DIGEST];
  if (typeof own === 'function') {
    return sha256(`f1c${frame(className(prototype))}${node(own.call(value), depth, above)}`);
  }
  const body = builtIn(value, prototype, depth, above);
  if (body === undefined) throw new Indigestible(`is an instance of ${className(prototype)}`);
  return body instanceof Sha256 ? body.digest() : sha256(`f1${body}${extras(value, depth, above)}`);
}

function builtIn(
  value: object,
  prototype: unknown,
  depth: number,
  above: readonly unknown[] | undefined,
): string | Sha256 | undefined {
  if (prototype === Map.prototype && types.isMap(value)) {
    const entries = [...value].map(
      ([key, member]) => node(key, depth, above) + within(member, `.get(${label(key)})`, depth, above),
    );
    return `m${entries.length}{${entries.sort(byCodeUnit).join('')}}`;
  }
  if (prototype === Set.prototype && types.isSet(value)) {
    const entries = [...value].map((member) => node(member, depth, above) as string);
    return `e${entries.length}{${entries.sort(byCodeUnit).join('')}}`;
  }
  if (prototype === Date.prototype && types.isDate(value)) return `D${value.getTime()};`;
  if (prototype === RegExp.prototype && types.isRegExp(value))
    return `r${frame(value.source)}${frame(value.flags)}${value.lastIndex};`;
  if (ArrayBuffer.isView(value)) return view(value, prototype);
  if (prototype === ArrayBuffer.prototype && types.isArrayBuffer(value)) {
    return new Sha256().update(`f1B${value.byteLength}:`).update(new Uint8Array(value));
  }
  if (typeof URL !== 'undefined' && prototype === URL.prototype) return `U${frame((value as URL).href)}`;
  const errorType = ERRORS.get(prototype);
  if (errorType !== undefined && types.isNativeError(value)) return error(value, errorType, depth, above);
  return undefined;
}

/** Bytes under their type's name. Named members of a view are not looked at: finding them would list every index. */
function view(value: ArrayBufferView, prototype: unknown): string | Sha256 | undefined {
  const type = Buffer.isBuffer(value) && prototype === Buffer.prototype ? 'Buffer' : className(prototype);
  const global: unknown = (globalThis as Record<string, unknown>)[type];
  if (typeof global !== 'function' || global.prototype !== prototype) return undefined;
  if (!VIEWS.has(type)) return undefined;
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return new Sha256().update(`f1T${frame(type)}${bytes.length}:`).update(bytes);
}

/** Errors compare by type, name, message, cause and own members; the stack names files of one machine and is left out. */
function error(value: Error, type: string, depth: number, above: readonly unknown[] | undefined): string {
  let body = `x${frame(type)}${frame(value.name)}${frame(value.message)}`;
  if (Object.hasOwn(value, 'cause')) body += `c${within(value.cause, '.cause', depth, above)}`;
  if (value instanceof AggregateError) body += `e${within(value.errors, '.errors', depth, above)}`;
  return `${body};`;
}

function within(value: unknown, step: string, depth: number, above: readonly unknown[] | undefined): Digest {
  try {
    return node(value, depth, above);
  } catch (error) {
    throw at(error, step);
  }
}

function at(error: unknown, step: string): unknown {
  if (error instanceof Indigestible) error.path = step + error.path;
  return error;
}

function label(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key) : typeof key === 'object' ? '…' : String(key);
}

function className(prototype: unknown): string {
  const type = (prototype as { constructor?: unknown }).constructor;
  return typeof type === 'function' && type.name !== '' ? type.name : 'an unnamed class';
}
