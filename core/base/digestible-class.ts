/** `@digestible`: opts in a class whose instances are nothing but their fields. */
import { type AnyClass, registerClass } from './digestible.ts';
import { FlecheError } from './errors.ts';

export interface DigestibleOptions {
  /** Part of the digest of every instance, and unique in a process; the name of the class by default. */
  readonly name?: string;
  /** The fields that make an instance what it is; all own enumerable ones by default. */
  readonly fields?: readonly string[];
}

type ClassDecorator = <C extends AnyClass>(type: C, context?: ClassDecoratorContext<C>) => void;

/**
 * Makes instances digestible and storable by their fields: `@digestible class Point {…}`. They are equal when they have
 * the same class and equal fields; one that is read back is made without its constructor. Whoever writes it says that
 * the fields are all there is: private members and what is kept elsewhere are not seen. Subclasses opt in themselves.
 * Throws `DUPLICATE_NAME` when another class has the name, `USAGE` for a class without a name.
 */
export function digestible<C extends AnyClass>(type: C, context?: ClassDecoratorContext<C>): void;
/** With options: `@digestible({ name: 'geometry.Point' })`. */
export function digestible(options: DigestibleOptions): ClassDecorator;
export function digestible(
  first: AnyClass | DigestibleOptions,
  context?: ClassDecoratorContext,
): ClassDecorator | undefined {
  if (typeof first !== 'function') return (type, context) => register(type, first, context?.name);
  register(first, {}, context?.name);
  return undefined;
}

function register(type: AnyClass, options: DigestibleOptions, ownName: string | undefined): void {
  const name = options.name ?? ownName ?? type.name;
  if (name === '') {
    throw new FlecheError('USAGE', 'a digestible class needs a name', { hint: "Name it, or pass { name: '…' }." });
  }
  registerClass<unknown>(name, type, {
    encode: (instance) => fieldsOf(instance as object, options.fields),
    decode: (fields) => withFields(type.prototype as object, fields),
  });
}

function fieldsOf(instance: object, names: readonly string[] | undefined): Record<string, unknown> {
  const own = instance as Readonly<Record<string, unknown>>;
  const present = names === undefined ? Object.keys(own) : names.filter((name) => Object.hasOwn(own, name));
  return Object.fromEntries(present.map((name) => [name, own[name]]));
}

function withFields(prototype: object, fields: unknown): object {
  const instance = Object.create(prototype) as object;
  for (const [name, value] of Object.entries(fields as object)) {
    Object.defineProperty(instance, name, { value, configurable: true, enumerable: true, writable: true });
  }
  return instance;
}
