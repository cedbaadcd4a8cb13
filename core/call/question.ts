/** The question a memoised function asks: digests of its arguments in a fixed order, and the key made of them. */
import { type Awaitable, chain, isPromise } from '../base/awaitable.ts';
import { digest } from '../base/digest.ts';
import { FlecheError } from '../base/errors.ts';
import type { Digest, Key } from '../base/hash.ts';
import { Ref } from '../base/ref.ts';
import type { Part, StoredValue } from '../store/record.ts';
import type { CacheCore } from './cache-core.ts';
import { keyOfText, part, partText } from './fingerprint.ts';
import type { FunctionIdentity } from './function-identity.ts';
import { expandValue } from './prefix.ts';

/** A question as a template: the parts that are the same for every call of a function. */
export interface Form {
  readonly identity: FunctionIdentity;
  readonly fixed: readonly Part[];
  /** Text of the fixed parts, ready for the key. */
  readonly text: string;
  /** Arguments that are left out of the key and the record. */
  readonly ignored: ReadonlySet<string>;
}

export function formOf(identity: FunctionIdentity, ignored: readonly string[]): Form {
  for (const name of ignored) {
    if (identity.parameters.names.includes(name)) continue;
    throw new FlecheError('USAGE', `"${identity.name}" has no argument "${name}" to ignore`, {
      hint: `It has: ${identity.parameters.names.join(', ') || 'none'}. Name arguments with the option args.`,
    });
  }
  const fixed = [
    part('identity', 'name', digest(identity.name)),
    part('identity', 'module', digest(identity.module)),
    part('option', 'version', digest(identity.version)),
    part('code', 'code', identity.code ?? digest(null)),
  ];
  const text = fixed.map(({ name, digest }) => partText(name, digest)).join('');
  return { identity, fixed, text, ignored: new Set(ignored) };
}

/** One argument of one call. */
export interface Argument {
  readonly name: string;
  readonly value: unknown;
  readonly digest: Digest;
}

export interface Question {
  readonly key: Key;
  readonly arguments: readonly Argument[];
}

/** The parts of a question's fingerprint, in key order. `stored` says where each argument's value is kept. */
export function partsOf(form: Form, question: Question, stored: readonly (StoredValue | null)[]): readonly Part[] {
  const args = question.arguments.map(({ name, digest }, at) =>
    part('argument', `arg:${name}`, digest, stored[at]?.blob ?? null),
  );
  return [...form.fixed, ...args];
}

/**
 * Asks. Arguments beyond the declared ones are named by position; declared ones that were left out count as undefined
 * where the function cannot tell the difference. Throws `INDIGESTIBLE` with the argument's name.
 */
export function ask(form: Form, receiver: unknown, args: readonly unknown[]): Question {
  const { identity, ignored } = form;
  const { names, rest, closed } = identity.parameters;
  const found: Argument[] = [];
  let text = form.text;
  const add = (name: string, value: unknown): void => {
    if (ignored.has(name)) return;
    const argument = { name, value, digest: digest(value, name) };
    text += partText(`arg:${name}`, argument.digest);
    found.push(argument);
  };
  if (identity.usesThis && receiver !== undefined) add('this', receiver);
  const plain = rest ? names.length - 1 : names.length;
  const count = closed ? Math.max(plain, args.length) : rest ? plain : args.length;
  for (let at = 0; at < count; at++) add(names[at] ?? String(at), args[at]);
  if (rest) add(names[plain] ?? String(plain), args.slice(plain));
  return { key: keyOfText(form.fixed.length + found.length, text), arguments: found };
}

/** Whether a value is or contains a digest prefix or reference; looks no deeper than plain containers. */
export function containsRef(value: unknown): boolean {
  if (value instanceof Ref) return true;
  if (Array.isArray(value)) return value.some(containsRef);
  return isPlain(value) && Object.values(value).some(containsRef);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The same value with every prefix completed. */
export function completeRefs(cache: CacheCore, value: unknown): Awaitable<unknown> {
  return replaceRefs(value, (ref) => chain(expandValue(cache, ref.prefix), (digest) => new Ref(digest)));
}

/** The same value with every reference replaced by what it names. Throws `DIGEST_UNKNOWN` for one that is not stored. */
export function loadRefs(cache: CacheCore, value: unknown): Awaitable<unknown> {
  return replaceRefs(value, (ref) =>
    chain(expandValue(cache, ref.prefix), (digest) =>
      chain(cache.target(digest), (blob) =>
        chain(blob === undefined ? undefined : cache.value(blob), (found) => {
          if (found?.found) return found.value;
          throw new FlecheError('DIGEST_UNKNOWN', `the value ${digest} is not in the cache`, {
            hint: 'Make it again, or use the cache that has it.',
          });
        }),
      ),
    ),
  );
}

function replaceRefs(value: unknown, replace: (ref: Ref) => Awaitable<unknown>): Awaitable<unknown> {
  if (value instanceof Ref) return replace(value);
  if (!containsRef(value)) return value;
  if (Array.isArray(value)) return all(value.map((element) => replaceRefs(element, replace)));
  const entries = Object.entries(value as Record<string, unknown>);
  const members = all(entries.map(([, member]) => replaceRefs(member, replace)));
  return chain(members, (members) => {
    const copy: Record<string, unknown> = Object.create(Object.getPrototypeOf(value) as object | null);
    for (const [at, [key]] of entries.entries()) copy[key] = members[at];
    return copy;
  });
}

/** Waits for all, at once if all are there. */
export function all<T>(values: readonly Awaitable<T>[]): Awaitable<readonly T[]> {
  return values.some((value) => isPromise(value)) ? Promise.all(values) : (values as readonly T[]);
}
