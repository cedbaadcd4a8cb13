/** `fleche(fn)`: memoises a function or method. */
import { DIGEST } from '../../base/digestible.ts';
import { FlecheError } from '../../base/errors.ts';
import { callerSite, type SourceSite } from '../../files/code/source-file.ts';
import { FOLLOWER } from '../follower.ts';
import { type AnyFunction, type FunctionIdentity, identityOf } from './function/function-identity.ts';
import { helpersOf } from './helpers.ts';
import { Memo } from './memo.ts';
import { settingsOf } from './memo-settings.ts';
import type { FlecheOptions, Memoised, Names } from './memoised.ts';
import { memoiseMethod } from './method.ts';

/** Turns a method into a memoised one of the same type. */
export type MethodDecorator = <T, A extends unknown[], R>(
  method: (this: T, ...args: A) => R,
  context: ClassMethodDecoratorContext<T>,
) => (this: T, ...args: A) => R;

/**
 * Memoises a method: `@fleche method(…) {…}`. The instance is an argument like any other, by its digest. Its helpers:
 * `memoised(object.method).query(…)`.
 */
export function fleche<T, A extends unknown[], R>(
  method: (this: T, ...args: A) => R,
  context: ClassMethodDecoratorContext<T>,
): (this: T, ...args: A) => R;
/**
 * Memoises a function. Throws `USAGE` for one without a name and `DUPLICATE_NAME` when another function of the module
 * has the name, because both would answer for each other.
 */
export function fleche<F extends AnyFunction, const N extends Names = Names>(
  fn: F,
  options?: FlecheOptions<N, Awaited<ReturnType<F>>>,
): Memoised<F, N>;
/** Memoises a method with options: `@fleche({ version: 2 }) method(…) {…}`. */
export function fleche(options: FlecheOptions): MethodDecorator;
export function fleche(
  first: AnyFunction | FlecheOptions,
  second?: FlecheOptions | ClassMethodDecoratorContext,
): AnyFunction {
  const site = callerSite(fleche);
  if (isDecoratorContext(second)) return decorated(first as AnyFunction, second, {}, site);
  if (typeof first !== 'function') {
    return (method: AnyFunction, context: ClassMethodDecoratorContext) => decorated(method, context, first, site);
  }
  const fn = wrappers.has(first) ? (first as Memoised<AnyFunction>).original : first;
  const memo = memoOf(fn, second ?? {}, site);
  return wrap(() => memo, fn, undefined);
}

/**
 * The memoised function or method that `fn` is, with its helpers: the compiler does not see that a decorator adds any.
 * Throws `USAGE` for any other function.
 */
export function memoised<F extends AnyFunction>(fn: F): Memoised<F> {
  if (wrappers.has(fn)) return fn as Memoised<F>;
  throw new FlecheError('USAGE', `"${fn.name}" is not a memoised function`, {
    hint: 'Pass what fleche(fn) gave back, or a method with the decorator @fleche.',
  });
}

function isDecoratorContext(value: unknown): value is ClassMethodDecoratorContext {
  return typeof value === 'object' && value !== null && 'kind' in value && 'addInitializer' in value;
}

function decorated(
  method: AnyFunction,
  context: ClassMethodDecoratorContext,
  options: FlecheOptions,
  site: SourceSite | undefined,
): AnyFunction {
  const makeMemo = (name: string): Memo => memoOf(method, { name, export: name.split('.', 1)[0], ...options }, site);
  return memoiseMethod(context, makeMemo, (memoOf, receiver) => {
    const wrapper = wrap(memoOf, method, receiver);
    return receiver === undefined ? withoutOwnCall(wrapper) : wrapper;
  });
}

/** What is in the class itself may be called as compilers call private and inherited methods: `method.call(this, …)`. */
function withoutOwnCall(wrapper: AnyFunction): AnyFunction {
  for (const name of ['call', 'bind']) Reflect.deleteProperty(wrapper, name);
  return wrapper;
}

/** Functions by module and name. */
const known = new Map<
  string,
  { readonly fn: AnyFunction; readonly site: SourceSite | undefined; readonly identity: FunctionIdentity }
>();

function memoOf(fn: AnyFunction, options: FlecheOptions, site: SourceSite | undefined): Memo {
  const identity = identityOf(fn, options, site?.file);
  register(fn, identity, site);
  const memo = new Memo(fn, identity, settingsOf(options, identity));
  for (const feeder of options.dependsOn ?? []) {
    if (typeof feeder?.addDependent !== 'function') {
      throw new FlecheError('USAGE', `${identity.name} depends on something that is not a shelf`, {
        hint: 'dependsOn takes shelves; values are arguments, and files are given with file(…).',
      });
    }
    feeder.addDependent({ [FOLLOWER]: memo.following });
  }
  return memo;
}

/**
 * Takes note of a function's name. A function may take another one's place when its module was loaded anew, or, where
 * there is no module (a REPL), when its code differs and with it its keys.
 */
function register(fn: AnyFunction, identity: FunctionIdentity, site: SourceSite | undefined): void {
  const { name, module } = identity;
  const id = JSON.stringify([module, name]);
  const other = known.get(id);
  const isReloaded = site !== undefined && site.file === other?.site?.file && site.id !== other.site.id;
  const isRedefined =
    site === undefined && other?.site === undefined && identity.code !== null && identity.code !== other?.identity.code;
  if (other !== undefined && other.fn !== fn && !isReloaded && !isRedefined) {
    throw new FlecheError('DUPLICATE_NAME', `two memoised functions are called "${name}" in ${module ?? 'no module'}`, {
      hint: "Each would be given the other's answers. Give one of them another name: { name: '…' }.",
    });
  }
  known.set(id, { fn, site, identity });
}

const wrappers = new WeakSet<AnyFunction>();

function wrap(memoOf: () => Memo, fn: AnyFunction, receiver: object | undefined): Memoised<AnyFunction> {
  const invoke = function (this: unknown, ...args: unknown[]): unknown {
    return memoOf().invoke(receiver ?? this, args);
  };
  Object.defineProperty(invoke, 'name', { value: fn.name, configurable: true });
  Object.defineProperty(invoke, 'length', { value: fn.length, configurable: true });
  Object.defineProperty(invoke, DIGEST, {
    value: () => {
      const { module, name, version, code } = memoOf().identity;
      return [module, name, version, code];
    },
  });
  Object.defineProperty(invoke, FOLLOWER, { get: () => memoOf().following });
  wrappers.add(invoke);
  return Object.assign(invoke, helpersOf(memoOf, fn, receiver)) as unknown as Memoised<AnyFunction>;
}
