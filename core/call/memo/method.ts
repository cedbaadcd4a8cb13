/**
 * Memoised methods, by a standard (stage 3) decorator. The instance is an argument like any other, named `this`: by its
 * digest, and only for a method that mentions it. Helpers reached through an object are about that object.
 */
import { FlecheError } from '../../base/errors.ts';
import type { AnyFunction } from './function/function-identity.ts';
import type { Memo } from './memo.ts';

/** Makes what a method is replaced by, about one receiver or about whatever it is called on. */
export type Wrap = (memoOf: () => Memo, receiver: object | undefined) => AnyFunction;

/**
 * Wraps a method. `makeMemo` is given its full name, `Class.method`, which is known only when there is an instance, or
 * when the method is first used. Throws `USAGE` for anything but a method.
 */
export function memoiseMethod(
  context: ClassMethodDecoratorContext,
  makeMemo: (name: string) => Memo,
  wrap: Wrap,
): AnyFunction {
  if (context.kind !== 'method') {
    throw new FlecheError(
      'USAGE',
      `"${String(context.name)}" is a ${String(context.kind)}; only methods can be memoised`,
    );
  }
  const { name } = context;
  let className: string | undefined;
  let memo: Memo | undefined;
  const memoOf = (): Memo => {
    memo ??= makeMemo(className === undefined ? String(name) : `${className}.${String(name)}`);
    return memo;
  };
  const wrapper = wrap(memoOf, undefined);
  const bound = new WeakMap<object, AnyFunction>();
  const boundTo = (receiver: object): AnyFunction => {
    const known = bound.get(receiver);
    if (known !== undefined) return known;
    const made = wrap(memoOf, receiver);
    bound.set(receiver, made);
    return made;
  };
  context.addInitializer(function (this: unknown) {
    const holder = holderOf(this, name, wrapper);
    if (holder === undefined) return;
    className = context.static ? (holder as { name: string }).name : holder.constructor.name;
    Object.defineProperty(holder, name, {
      configurable: true,
      enumerable: false,
      get(this: object) {
        return this === holder ? wrapper : boundTo(this);
      },
      set(this: object, value: unknown) {
        Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true });
      },
    });
  });
  return wrapper;
}

/** The object on the prototype chain that has the method; undefined for a private one, or when that is done already. */
function holderOf(instance: unknown, name: string | symbol, wrapper: AnyFunction): object | undefined {
  for (let at: unknown = instance; at !== null && at !== undefined; at = Object.getPrototypeOf(at)) {
    if (Object.getOwnPropertyDescriptor(at, name)?.value === wrapper) return at;
  }
  return undefined;
}
