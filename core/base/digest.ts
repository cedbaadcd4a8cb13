/**
 * Value digests. For supported values `digest(a) === digest(b)` exactly when `util.isDeepStrictEqual(a, b)`.
 *
 * A value's digest is a Merkle node: SHA-256 of `f1`, a one-character type tag and a framed body. Scalars have their
 * text as body, containers the digests of their members, so a `Ref` (which has the digest of what it names) can stand
 * anywhere in a structure without being loaded. Object keys, map entries and set members are sorted by code unit, so
 * insertion order does not matter. The format is version 1, frozen in fixtures/vectors/digest-v1.json.
 */
import { types } from 'node:util';
import { ERRORS, VIEWS } from './codec-format.ts';
import { classCodecOf, DIGEST, MAX_DEPTH } from './digestible.ts';
import { FlecheError } from './errors.ts';
import { type Digest, frame, Sha256, sha256 } from './hash.ts';
import { byCodeUnit } from './order.ts';
import { Ref } from './ref.ts';

const ERROR_NAMES: ReadonlyMap<unknown, string> = new Map(ERRORS.map((type) => [type.prototype, type.name]));

const UNDEFINED = sha256('f1u');
const NULL = sha256('f1n');
const TRUE = sha256('f1t');
const FALSE = sha256('f1f');
const HOLE = sha256('f1h');
/** Small counts, indexes and flags make up most numbers that are met; those that were. */
const SMALL = new Array<Digest | undefined>(1024);
/** Bodies are hashed in pieces from this length on: V8 refuses strings of half a billion characters. */
const PIECE = 2 ** 24;

/**
 * A member that has no faithful digest. The way to it is collected while the walk unwinds, innermost step first, and
 * put into words only at the end: down there the stack may be nearly used up.
 */
class Indigestible extends Error {
  readonly holders: object[] = [];
  readonly steps: (() => string)[] = [];
  readonly isDepth: boolean;

  constructor(message: string, isDepth = false) {
    super(message);
    this.isDepth = isDepth;
  }
}

/**
 * The digest of a value. Throws `INDIGESTIBLE` with the path of the first member that has no faithful digest.
 * `name` is how the value is called in that path, such as `args[0]`.
 */
export function digest(value: unknown, name = 'value'): Digest {
  try {
    return node(value, 0);
  } catch (error) {
    if (!(error instanceof Indigestible)) throw error;
    throw new FlecheError('INDIGESTIBLE', describe(error, name), {
      hint: 'Pass plain data, ignore the argument, or let its class opt in (registerClass or the DIGEST symbol).',
    });
  }
}

/** A structure that is too deep is most often one that contains itself; then the path ends where it first does so. */
function describe(error: Indigestible, name: string): string {
  const holders = error.holders.reverse();
  const steps = error.steps.reverse();
  const seen = new Set<object>();
  const again = error.isDepth ? holders.findIndex((holder) => seen.size === seen.add(holder).size) : -1;
  const path = steps.slice(0, again < 0 ? undefined : again).map((step) => step());
  const short = path.length > 20 ? [...path.slice(0, 10), '…', ...path.slice(-5)] : path;
  return `${name}${short.join('')} ${again < 0 ? error.message : 'contains itself'}`;
}

/** Notes one step of the way to a member, on the way back up. */
function at(error: unknown, holder: object, step: () => string): unknown {
  if (error instanceof Indigestible) {
    error.holders.push(holder);
    error.steps.push(step);
  }
  return error;
}

function member(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function node(value: unknown, depth: number): Digest {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? text(value) : sha256(`f1S${JSON.stringify(value)}`);
    case 'number':
      return number(value);
    case 'boolean':
      return value ? TRUE : FALSE;
    case 'undefined':
      return UNDEFINED;
    case 'bigint':
      return sha256(`f1i${value.toString(16)}`);
    case 'symbol':
      return symbol(value);
    case 'function': {
      const own = (value as unknown as Record<symbol, unknown>)[DIGEST];
      if (typeof own === 'function') return sha256(`f1F${node(own.call(value), depth + 1)}`);
      throw new Indigestible('is a function without an identity (only memoised functions have one)');
    }
    case 'object':
      return value === null ? NULL : object(value, depth);
  }
}

function text(value: string): Digest {
  if (value.length <= PIECE) return sha256(`f1s${value}`);
  return new Sha256().update('f1s').update(value).digest();
}

function number(value: number): Digest {
  if (Object.is(value, -0)) return sha256('f1d-0');
  const known = SMALL[value];
  if (known !== undefined) return known;
  const found = sha256(`f1d${value}`);
  if (Number.isInteger(value) && value >= 0 && value < SMALL.length) SMALL[value] = found;
  return found;
}

function symbol(value: symbol): Digest {
  const registered = Symbol.keyFor(value);
  if (registered === undefined) throw new Indigestible('is a symbol outside the registry');
  return sha256(`f1y${frame(registered)}`);
}

function object(value: object, depth: number): Digest {
  if (depth >= MAX_DEPTH) throw new Indigestible(`is nested more than ${MAX_DEPTH} levels deep`, true);
  if (types.isProxy(value)) throw new Indigestible('is a proxy');
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return sha256(`f1o${plain(value, depth + 1)}`);
  if (prototype === Array.prototype && Array.isArray(value)) return array(value, depth + 1);
  if (prototype === null) return sha256(`f1O${plain(value, depth + 1)}`);
  if (prototype === Map.prototype && types.isMap(value)) return map(value, depth + 1);
  if (prototype === Set.prototype && types.isSet(value)) return set(value, depth + 1);
  return instance(value, prototype, depth + 1);
}

/** Members of what looks like a plain object; `arguments`, `Math` and module namespaces look so too, but hold more. */
function plain(value: object, depth: number): string {
  const tag = Object.prototype.toString.call(value);
  if (tag !== '[object Object]' && !Object.prototype.propertyIsEnumerable.call(value, Symbol.toStringTag)) {
    throw new Indigestible(`is no plain object, but ${tag}`);
  }
  return members(value, Object.keys(value), depth);
}

/** `count{frame(key) digest}` over own enumerable members, sorted by code unit; registered symbols come last. */
function members(value: object, keys: string[], depth: number): string {
  let body = '';
  for (const key of keys.length > 1 ? keys.sort(byCodeUnit) : keys) {
    body += frame(key);
    try {
      body += node((value as Record<string, unknown>)[key], depth);
    } catch (error) {
      throw at(error, value, () => member(key));
    }
  }
  const symbols = Object.getOwnPropertySymbols(value);
  return symbols.length === 0
    ? `${keys.length}{${body}}`
    : `${keys.length}{${body}}${symbolMembers(value, symbols, depth)}`;
}

function symbolMembers(value: object, symbols: readonly symbol[], depth: number): string {
  const entries: string[] = [];
  for (const key of symbols) {
    if (!Object.prototype.propertyIsEnumerable.call(value, key)) continue;
    try {
      const registered = Symbol.keyFor(key);
      if (registered === undefined) throw new Indigestible('is a member under a symbol outside the registry');
      entries.push(frame(registered) + node((value as Record<symbol, unknown>)[key], depth));
    } catch (error) {
      throw at(error, value, () => `[${String(key)}]`);
    }
  }
  return entries.length === 0 ? '' : `${entries.length}<${entries.sort(byCodeUnit).join('')}>`;
}

function array(value: readonly unknown[], depth: number): Digest {
  let body = `f1a${value.length}[`;
  let hash: Sha256 | undefined;
  for (let i = 0; i < value.length; i++) {
    try {
      const element = value[i];
      body += element === undefined && !(i in value) ? HOLE : node(element, depth);
    } catch (error) {
      throw at(error, value, () => `[${i}]`);
    }
    if (body.length > PIECE) {
      hash = (hash ?? new Sha256()).update(body);
      body = '';
    }
  }
  body += `]${extras(value, depth)}`;
  return hash === undefined ? sha256(body) : hash.update(body).digest();
}

function map(value: ReadonlyMap<unknown, unknown>, depth: number): Digest {
  const entries: string[] = [];
  for (const [key, content] of value) {
    let entry = '';
    try {
      entry += node(key, depth);
    } catch (error) {
      throw at(error, value, () => `.keys()[${entries.length}]`);
    }
    try {
      entry += node(content, depth);
    } catch (error) {
      throw at(error, value, () => (typeof key === 'object' ? `.values()[${entries.length}]` : `.get(${shown(key)})`));
    }
    entries.push(entry);
  }
  return unordered('m', value, entries, depth);
}

function shown(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key) : String(key);
}

function set(value: ReadonlySet<unknown>, depth: number): Digest {
  const entries: string[] = [];
  for (const content of value) {
    try {
      entries.push(node(content, depth));
    } catch (error) {
      throw at(error, value, () => `.values()[${entries.length}]`);
    }
  }
  return unordered('e', value, entries, depth);
}

function unordered(tag: string, value: object, entries: string[], depth: number): Digest {
  let body = `f1${tag}${entries.length}{`;
  let hash: Sha256 | undefined;
  for (const entry of entries.sort(byCodeUnit)) {
    body += entry;
    if (body.length > PIECE) {
      hash = (hash ?? new Sha256()).update(body);
      body = '';
    }
  }
  body += `}${extras(value, depth)}`;
  return hash === undefined ? sha256(body) : hash.update(body).digest();
}

/** Named members beside the elements of an array, or beside the content of a date, map, error and the like. */
function extras(value: object, depth: number): string {
  const keys = Object.keys(value);
  const named = Array.isArray(value) ? keys.filter((key) => !isIndex(key)) : keys;
  if (named.length === 0 && Object.getOwnPropertySymbols(value).length === 0) return '';
  const found = members(value, named, depth);
  return found === '0{}' ? '' : found;
}

function isIndex(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 48 && first <= 57 && String(Number(key) >>> 0) === key && key !== '4294967295';
}

function instance(value: object, prototype: unknown, depth: number): Digest {
  if (value instanceof Ref) {
    const named = value.digest;
    if (named === undefined) throw new Indigestible(`is the prefix "${value.prefix}", which only a cache can complete`);
    return named;
  }
  const codec = classCodecOf(prototype);
  if (codec !== undefined) return sha256(`f1c${frame(codec.name)}${node(codec.identity(value), depth)}`);
  const own = (value as Record<symbol, unknown>)[DIGEST];
  if (typeof own === 'function') return sha256(`f1c${frame(className(prototype))}${node(own.call(value), depth)}`);
  if (ArrayBuffer.isView(value)) return view(value, prototype);
  if (prototype === ArrayBuffer.prototype && types.isArrayBuffer(value)) {
    const hash = new Sha256().update(`f1B${value.byteLength}:`).update(new Uint8Array(value));
    return hash.update(extras(value, depth)).digest();
  }
  const body = builtIn(value, prototype, depth);
  if (body === undefined) throw new Indigestible(`is an instance of ${className(prototype)}`);
  return sha256(`f1${body}${extras(value, depth)}`);
}

function builtIn(value: object, prototype: unknown, depth: number): string | undefined {
  if (prototype === Date.prototype && types.isDate(value)) return `D${value.getTime()};`;
  if (prototype === RegExp.prototype && types.isRegExp(value))
    return `r${frame(value.source)}${frame(value.flags)}${value.lastIndex};`;
  if (typeof URL !== 'undefined' && prototype === URL.prototype) return `U${frame((value as URL).href)}`;
  const errorType = ERROR_NAMES.get(prototype);
  if (errorType !== undefined && types.isNativeError(value)) return error(value, errorType, depth);
  return undefined;
}

/** Bytes under their type's name. Named members of a view are not looked at: finding them would list every index. */
function view(value: ArrayBufferView, prototype: unknown): Digest {
  const type = Buffer.isBuffer(value) && prototype === Buffer.prototype ? 'Buffer' : className(prototype);
  const global: unknown = (globalThis as Record<string, unknown>)[type];
  if (typeof global !== 'function' || global.prototype !== prototype || !VIEWS.includes(type)) {
    throw new Indigestible(`is an instance of ${type}`);
  }
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return new Sha256()
    .update(`f1T${frame(type)}${bytes.length}:`)
    .update(bytes)
    .digest();
}

/** Errors compare by type, name, message, cause and own members; the stack names files of one machine and is left out. */
function error(value: Error, type: string, depth: number): string {
  let body = `x${frame(type)}${label(value, 'name', depth)}${label(value, 'message', depth)}`;
  if (Object.hasOwn(value, 'cause')) body += `c${within(value, value.cause, '.cause', depth)}`;
  if (value instanceof AggregateError) body += `e${within(value, value.errors, '.errors', depth)}`;
  return `${body};`;
}

/** Name and message of an error are text unless somebody assigned something else. */
function label(value: Error, key: 'name' | 'message', depth: number): string {
  const content: unknown = value[key];
  return typeof content === 'string' ? frame(content) : `!${within(value, content, `.${key}`, depth)}`;
}

function within(holder: object, value: unknown, step: string, depth: number): Digest {
  try {
    return node(value, depth);
  } catch (error) {
    throw at(error, holder, () => step);
  }
}

function className(prototype: unknown): string {
  const type = (prototype as { constructor?: unknown }).constructor;
  return typeof type === 'function' && type.name !== '' ? type.name : 'an unnamed class';
}
