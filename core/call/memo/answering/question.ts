/** The question a memoised function asks: digests of its arguments in a fixed order, and the key made of them. */
import { digest } from '../../../base/digest.ts';
import { FlecheError } from '../../../base/errors.ts';
import { type Digest, frame, type Key } from '../../../base/hash.ts';
import type { Part, StoredValue } from '../../../store/record.ts';
import { keyOfText, part, partText } from '../../fingerprint.ts';
import type { FunctionIdentity } from '../function/function-identity.ts';

/** What the names of argument parts begin with. */
export const ARGUMENT = 'arg:';
/** The name of the instance that a method is called on, among the arguments. */
export const THIS = 'this';

/** A question as a template: what is the same for every call of a function. */
export class Form {
  readonly identity: FunctionIdentity;
  /** Framed names of the declared arguments' parts, ready for the key. */
  readonly frames: readonly string[];
  /** Arguments that are left out of the key and the record. */
  readonly ignored: ReadonlySet<string>;
  #head: Head | undefined;

  /** Throws `USAGE` if an argument to ignore is not one of the function's. */
  constructor(identity: FunctionIdentity, ignored: readonly string[]) {
    for (const name of ignored) if (name !== THIS) requireArgument(identity, name);
    this.identity = identity;
    this.frames = identity.parameters.names.map((name) => frame(ARGUMENT + name));
    this.ignored = new Set(ignored);
  }

  /** The parts before those of the arguments. Throws what `identity.code` throws. */
  get head(): Head {
    this.#head ??= headOf(this.identity);
    return this.#head;
  }
}

interface Head {
  readonly parts: readonly Part[];
  /** Their text, ready for the key. */
  readonly text: string;
}

function headOf({ name, module, version, code }: FunctionIdentity): Head {
  const parts = [
    part('identity', 'name', digest(name)),
    part('identity', 'module', digest(module)),
    part('option', 'version', digest(version)),
    part('code', 'code', code ?? digest(null)),
  ];
  return { parts, text: parts.map(({ name, digest }) => partText(name, digest)).join('') };
}

/** Throws `USAGE` if the function declares no such argument. */
export function requireArgument({ name, parameters }: FunctionIdentity, argument: string): void {
  if (parameters.names.includes(argument)) return;
  throw new FlecheError('USAGE', `"${name}" has no argument "${argument}"`, {
    hint: `It has: ${parameters.names.join(', ') || 'none'}. Arguments are named with the option args.`,
  });
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
  /** How what the function is made from besides its arguments stood when it was asked. */
  readonly origins: readonly Part[];
}

/** The parts of a question's fingerprint, in key order. `stored` says where each argument's value is kept. */
export function partsOf(form: Form, question: Question, stored: readonly (StoredValue | null)[]): readonly Part[] {
  const args = question.arguments.map(({ name, digest }, at) =>
    part('argument', ARGUMENT + name, digest, stored[at]?.blob ?? null),
  );
  return [...form.head.parts, ...args, ...question.origins];
}

/**
 * Asks. Arguments that the function cannot see do not count; undeclared ones that it can see are named by position.
 * Throws `INDIGESTIBLE` with the argument's name, and what `head` throws.
 */
export function ask(form: Form, receiver: unknown, args: readonly unknown[], origins: readonly Part[]): Question {
  const { identity, ignored, frames, head } = form;
  const { names, rest, closed } = identity.parameters;
  const found: Argument[] = [];
  let { text } = head;
  const add = (name: string, framed: string, value: unknown): void => {
    if (ignored.size > 0 && ignored.has(name)) return;
    const argument = { name, value, digest: digest(value, name) };
    text += framed + argument.digest;
    found.push(argument);
  };
  if (identity.usesThis && receiver !== undefined) add(THIS, frame(ARGUMENT + THIS), receiver);
  const plain = rest ? names.length - 1 : names.length;
  const count = closed ? plain : rest ? Math.min(plain, args.length) : args.length;
  for (let at = 0; at < count; at++) {
    const name = names[at] ?? String(at);
    add(name, frames[at] ?? frame(ARGUMENT + name), args[at]);
  }
  if (rest) add(names[plain] ?? String(plain), frames[plain] ?? '', args.slice(plain));
  for (const { name, digest } of origins) text += partText(name, digest);
  return { key: keyOfText(head.parts.length + found.length + origins.length, text), arguments: found, origins };
}

/** Whether an error says that something has no digest. */
export function isIndigestible(error: unknown): boolean {
  return error instanceof FlecheError && error.code === 'INDIGESTIBLE';
}
