/**
 * Answers as single texts: their structure as JSON, and behind it their longer texts as they are. A text is hashed,
 * written and read in one go, which for the many small members of an answer costs several times as much. Knows nothing of
 * what answers mean. What has no such text is kept as the value that it is.
 */
import { digest } from '../../core/index.ts';
import { isMapInstance, plainMap } from './plain.ts';

/** An answer that nobody can change any more. */
export type Packed = string | { readonly value: unknown };

/** Texts up to this length stay in the structure. */
const SHORT = 40;
/** Deeper than any answer that means something; a cycle gets there. */
const MOST_LEVELS = 100;

/** Thrown on the way down where a value has no text. */
const NO_TEXT = Symbol('no text');

/** A text, or else a copy. Throws `INDIGESTIBLE` for what cannot be kept. */
export function pack(value: unknown): Packed {
  const texts: string[] = [];
  try {
    const form = formOf(value, texts, 0);
    const lengths = texts.map((text) => text.length);
    return `${JSON.stringify([form, lengths])}\n${texts.join('')}`;
  } catch (error) {
    if (error !== NO_TEXT) throw error;
    const copy = copied(value);
    digest(copy, 'result');
    return { value: copy };
  }
}

/** What was packed, as nobody else has it. */
export function unpack(packed: Packed): unknown {
  if (typeof packed !== 'string') return copied(packed.value);
  const head = packed.indexOf('\n');
  const [form, lengths] = JSON.parse(packed.slice(0, head)) as [unknown, readonly number[]];
  let from = head + 1;
  const texts = lengths.map((length) => {
    const start = from;
    from += length;
    return packed.slice(start, from);
  });
  return restored(form, texts);
}

/** The structure in terms of JSON: of strings the first character says what they stand for. */
function formOf(value: unknown, texts: string[], depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return value.length <= SHORT ? `s${value}` : `t${texts.push(value) - 1}`;
    case 'boolean':
      return value;
    case 'undefined':
      return 'u';
    case 'number':
      if (Number.isFinite(value) && !Object.is(value, -0)) return value;
      throw NO_TEXT;
    case 'object':
      break;
    default:
      throw NO_TEXT;
  }
  if (value === null) return null;
  if (depth > MOST_LEVELS || Object.getOwnPropertySymbols(value).length > 0) throw NO_TEXT;
  if (Array.isArray(value)) {
    if (Object.keys(value).length !== value.length) throw NO_TEXT;
    return value.map((member) => formOf(member, texts, depth + 1));
  }
  if (isMapInstance(value)) return formOf(plainMap(value), texts, depth + 1);
  if (Object.getPrototypeOf(value) !== Object.prototype) throw NO_TEXT;
  const form: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (name === '__proto__') throw NO_TEXT;
    form[name] = formOf(member, texts, depth + 1);
  }
  return form;
}

/** Makes a value of its structure, in its place. */
function restored(form: unknown, texts: readonly string[]): unknown {
  if (typeof form === 'string') {
    if (form === 'u') return undefined;
    return form.startsWith('s') ? form.slice(1) : texts[Number(form.slice(1))];
  }
  if (typeof form !== 'object' || form === null) return form;
  const members = form as Record<string, unknown>;
  for (const name of Object.keys(members)) members[name] = restored(members[name], texts);
  return form;
}

function copied(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > MOST_LEVELS) return value;
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (value instanceof Uint8Array) return value.slice();
  if (Array.isArray(value) && Object.keys(value).length === value.length)
    return value.map((member) => copied(member, depth + 1));
  if (isMapInstance(value)) return copied(plainMap(value), depth + 1);
  if (Object.getPrototypeOf(value) !== Object.prototype || Object.getOwnPropertySymbols(value).length > 0) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copied(member, depth + 1)]));
}
