/**
 * The walk that codecs for plain data make before they encode: it lets through what a codec gives back unchanged, and
 * refuses the first member that would come back as something else, with its path. Arrays and plain objects are walked
 * here; what else is faithful, each codec says.
 */
import { MAX_DEPTH } from '../base/digestible.ts';
import { FlecheError } from '../base/errors.ts';

/** What a codec can give back unchanged. */
export interface Fidelity {
  readonly codec: string;
  /** Whether arrays may have holes and named members. */
  readonly sparse: boolean;
  /** Why a member name cannot be kept, such as `is a symbol`; undefined if it can. */
  readonly key: (key: string | symbol) => string | undefined;
  /**
   * Why a value that is neither an array nor a plain object cannot be kept, such as `is a Map`; undefined if it can.
   * For what has members of its own, `member` is to be called with each.
   */
  readonly leaf: (value: unknown, member: (step: string, value: unknown) => void) => string | undefined;
}

class Unfaithful extends Error {
  path = '';
}

/** Throws `UNSTORABLE` with the path of the first member of `value` that the codec would not give back unchanged. */
export function refuseUnfaithful(value: unknown, fidelity: Fidelity): void {
  try {
    walk(value, fidelity, 0);
  } catch (error) {
    if (!(error instanceof Unfaithful)) throw error;
    throw unstorable(`value${error.path} ${error.message}`, fidelity);
  }
}

function unstorable(what: string, { codec }: Fidelity): FlecheError {
  return new FlecheError('UNSTORABLE', `${what}, which the codec "${codec}" does not keep`, {
    hint: 'The codec "fleche" keeps every value that has a digest.',
  });
}

/** What a value is, for messages: `is an instance of Map`. */
export function described(value: unknown): string {
  if (value === undefined) return 'is undefined';
  if (typeof value !== 'object' || value === null) return `is a ${typeof value}`;
  const type: unknown = Object.getPrototypeOf(value)?.constructor;
  const named = typeof type === 'function' && type.name !== '';
  return named ? `is an instance of ${type.name}` : 'is an object without a class';
}

type Label<Step> = (step: Step) => string;

function walk(value: unknown, fidelity: Fidelity, depth: number): void {
  // Nothing deeper can be digested either.
  if (depth > MAX_DEPTH) throw unstorable(`value contains itself or has more than ${MAX_DEPTH} levels`, fidelity);
  if (Array.isArray(value) && Object.getPrototypeOf(value) === Array.prototype) return elements(value, fidelity, depth);
  if (isPlainObject(value)) return members(value, fidelity, depth);
  const refused = fidelity.leaf(value, (step, member) => within(step, asGiven, member, fidelity, depth));
  if (refused !== undefined) throw new Unfaithful(refused);
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function elements(value: readonly unknown[], fidelity: Fidelity, depth: number): void {
  const keys = Reflect.ownKeys(value);
  const { length } = value;
  // Indexes come first, `length` is always there.
  if (keys.length === length + 1 && (length === 0 || keys[length - 1] === String(length - 1))) {
    for (let at = 0; at < length; at++) within(at, index, value[at], fidelity, depth);
    return;
  }
  if (!fidelity.sparse) throw new Unfaithful('has holes or named members');
  members(value, fidelity, depth);
}

function members(value: object, fidelity: Fidelity, depth: number): void {
  for (const key of Reflect.ownKeys(value)) {
    if (!Object.prototype.propertyIsEnumerable.call(value, key)) continue;
    const refused = fidelity.key(key);
    if (refused !== undefined) throw new Unfaithful(`has the member ${name(key)}, whose name ${refused}`);
    within(key, name, (value as Readonly<Record<string | symbol, unknown>>)[key], fidelity, depth);
  }
}

/** Walks one member; the step to it is put into words only when it is refused. */
function within<Step>(step: Step, label: Label<Step>, member: unknown, fidelity: Fidelity, depth: number): void {
  try {
    walk(member, fidelity, depth + 1);
  } catch (error) {
    if (error instanceof Unfaithful) error.path = label(step) + error.path;
    throw error;
  }
}

const index: Label<number> = (step) => `[${step}]`;
const asGiven: Label<string> = (step) => step;

function name(step: string | symbol): string {
  if (typeof step === 'symbol') return `[${String(step)}]`;
  return /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}
