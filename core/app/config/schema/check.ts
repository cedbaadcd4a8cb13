/**
 * Holds a parsed text against its description and notes everything that differs. What a text refers to is collected,
 * since it can be judged only when all files are read. Knows the language of shapes, not what is described in it.
 */
import type { ErrorCode } from '../../../base/errors.ts';
import { suggest } from '../../../base/nearest.ts';
import { isTable, type Table } from '../../../base/table.ts';
import { brokenRule } from '../text/formats.ts';
import type { KeyPath } from '../text/positions.ts';
import { label, type Problems } from '../text/problems.ts';
import { SHAPES } from './schema.ts';
import type { FormsShape, ListShape, Referent, Rest, Shape, TableShape, TextShape } from './shape.ts';

/** A name that stands for something defined elsewhere. */
interface Reference {
  readonly to: Referent;
  readonly name: string;
  readonly path: KeyPath;
}

/** The form that a table has, by its tag, among all that it could have. */
interface Chosen {
  readonly all: FormsShape;
  readonly tag: string;
}

/** Checks one file. */
export class Check {
  readonly references: Reference[] = [];
  readonly #problems: Problems;
  /** Leads to the value at hand. */
  readonly #path: (string | number)[] = [];

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  file(shape: TableShape, table: Table): void {
    this.#table(shape, table);
  }

  /** `example` shows how to write the key that the value belongs to. */
  #value(shape: Shape, value: unknown, example: string): void {
    if (shape.kind === 'shape') return this.#value(SHAPES[shape.name], value, example);
    if (shape.kind === 'either') {
      const fitting = shape.of.find((one) => hasType(one, value));
      return fitting === undefined ? this.#type(shape, value, example) : this.#value(fitting, value, example);
    }
    if (shape.kind === 'forms' && 'plain' in shape.otherwise && !isTable(value)) return;
    if (!hasType(shape, value)) return this.#type(shape, value, example);
    if (shape.kind === 'text' && typeof value === 'string') this.#text(shape, value);
    else if (shape.kind === 'list' && Array.isArray(value)) this.#list(shape, value, example);
    else if (shape.kind === 'table' && isTable(value)) this.#table(shape, value);
    else if (shape.kind === 'forms' && isTable(value)) this.#forms(shape, value);
  }

  /** Checks a member of the value at hand. */
  #member(step: string | number, shape: Shape, value: unknown, example: string): void {
    this.#path.push(step);
    this.#value(shape, value, example);
    this.#path.pop();
  }

  /** Notes that the value at hand is wrong. `says` follows its name in the message. */
  #wrong(says: string, hint: string, code: ErrorCode = 'CONFIG_INVALID'): void {
    const path = [...this.#path];
    this.#problems.add({ code, message: label(path) + says, hint, path, on: 'value' });
  }

  /** Notes that the key of the value at hand, or of the member `name` of it, is wrong. */
  #wrongKey(message: string, hint: string, name?: string, code: ErrorCode = 'CONFIG_INVALID'): void {
    const path = name === undefined ? [...this.#path] : [...this.#path, name];
    this.#problems.add({ code, message, hint, path, on: 'key' });
  }

  #type(shape: Shape, value: unknown, example: string): void {
    const hint = repair(shape, value) ?? `Write it like this: ${example}`;
    this.#wrong(` must be ${expected(shape)}, not ${typeName(value)}`, hint, 'CONFIG_TYPE');
  }

  #text({ format, values, refused, refers }: TextShape, text: string): void {
    const rule = brokenRule(format, text);
    const refusal = own(refused, text);
    if (rule !== undefined) {
      const subject = text.trim() === '' ? '' : `: ${JSON.stringify(text)}`;
      this.#wrong(`${subject} ${rule.says}`, rule.hint, rule.code);
    } else if (refusal !== undefined) {
      this.#wrong(`: ${JSON.stringify(text)} cannot stand here`, refusal);
    } else if (values !== undefined && !Object.hasOwn(values, text)) {
      this.#wrong(`: ${JSON.stringify(text)} is not known`, suggest(text, Object.keys(values)));
    } else if (refers !== undefined) {
      this.references.push({ to: refers, name: text, path: [...this.#path] });
    }
  }

  #list(shape: ListShape, list: readonly unknown[], example: string): void {
    if (shape.nonEmpty && list.length === 0) this.#wrong(' is empty', `Write it like this: ${example}`);
    const seen = shape.ordered ? undefined : new Set<string>();
    for (const [index, element] of list.entries()) {
      if (seen === undefined || typeof element !== 'string' || seen.size < seen.add(element).size) {
        this.#member(index, shape.of, element, example);
      } else {
        this.#path.push(index);
        this.#wrong(`: ${JSON.stringify(element)} is there already`, 'Remove one of them.');
        this.#path.pop();
      }
    }
  }

  #forms(shape: FormsShape, table: Table): void {
    const present = shape.forms.filter(({ tags }) => hasAny(table, tags));
    const [form, ...others] = present;
    if (form !== undefined && others.length === 0) {
      return this.#table(form.shape, table, { all: shape, tag: form.tags[0] ?? '' });
    }
    if (form === undefined) {
      if ('plain' in shape.otherwise) return;
      if ('table' in shape.otherwise) return this.#table(shape.otherwise.table, table);
      const tags = shape.forms.map(({ tags }) => `"${tags[0]}"`);
      const message = `${label(this.#path)} has neither ${tags.slice(0, -1).join(', ')} nor ${tags.at(-1)}`;
      this.#wrongKey(message, shape.otherwise.hint);
    } else {
      const tags = Object.keys(table).filter((key) => present.some((one) => one.tags.includes(key)));
      const message = `${label(this.#path)} has both ${tags.map((tag) => `"${tag}"`).join(' and ')}`;
      this.#wrongKey(message, shape.escape ?? 'Keep one of them.', tags.at(-1));
    }
    this.#table(anyForm(shape), table);
  }

  /** `forms` tells which forms the table could have had instead. */
  #table(shape: TableShape, table: Table, forms?: Chosen): void {
    const kind = shape.variants === undefined ? undefined : table[shape.variants.key];
    const variant = typeof kind === 'string' ? own(shape.variants?.by, kind) : undefined;
    if (variant !== undefined) return this.#table(variant, table);
    for (const name of Object.keys(table)) {
      const value = table[name];
      const key = own(shape.keys, name);
      if (key !== undefined) this.#member(name, key.shape, value, key.example);
      else if (shape.rest !== undefined) this.#rest(shape, shape.rest, name, value);
      else this.#unknown(Object.keys(shape.keys), name, forms);
    }
    const decisive = shape.needs === undefined ? undefined : table[shape.needs.key];
    const needed = typeof decisive === 'string' ? own(shape.needs?.by, decisive) : undefined;
    for (const name of needed === undefined ? requiredOf(shape) : Object.keys(shape.keys)) {
      const key = shape.keys[name];
      if (!(key?.required || needed?.includes(name)) || Object.hasOwn(table, name)) continue;
      this.#wrongKey(`${label(this.#path)} has no "${name}"`, `Add it, such as ${key?.example}`);
    }
  }

  /** A key that has no description of its own, where any may stand. */
  #rest({ keys }: TableShape, rest: Rest, name: string, value: unknown): void {
    // Among names that are free, only another spelling of a known one is a mistake for sure.
    const meant = Object.keys(keys).filter((key) => bare(key) === bare(name));
    if (meant.length > 0) return this.#unknown(meant, name);
    const inner = (): string => label([...this.#path, name]);
    const taken = own(rest.reserved, name);
    const broken = brokenRule(rest.format, name);
    if (taken !== undefined) {
      this.#wrongKey(`${inner()}: the name "${name}" is reserved for ${taken}`, 'Choose another name.', name);
    } else if (broken !== undefined) {
      this.#wrongKey(`${inner()} ${broken.says}`, broken.hint, name);
    }
    this.#member(name, rest.shape, value, rest.example);
  }

  /** `known` are the keys that could have been meant. */
  #unknown(known: readonly string[], name: string, forms?: Chosen): void {
    const other = forms?.all.forms
      .filter(({ shape }) => Object.hasOwn(shape.keys, name))
      .map(({ tags }) => `"${tags[0]}"`);
    if (forms !== undefined && other !== undefined && other.length > 0) {
      const message = `${label(this.#path)}: "${name}" does not go with "${forms.tag}"`;
      return this.#wrongKey(message, `Remove it, or use ${other.join(' or ')} instead.`, name);
    }
    const where = this.#path.length === 0 ? 'at the top' : `in ${label(this.#path)}`;
    const hint = [suggest(name, known), ...(forms?.all.escape === undefined ? [] : [forms.all.escape])].join(' ');
    this.#wrongKey(`unknown key ${JSON.stringify(name)} ${where}`, hint, name, 'CONFIG_UNKNOWN_KEY');
  }
}

const required = new WeakMap<TableShape, readonly string[]>();

/** The keys that every table of a shape must have. */
function requiredOf(shape: TableShape): readonly string[] {
  const known = required.get(shape) ?? Object.keys(shape.keys).filter((name) => shape.keys[name]?.required);
  required.set(shape, known);
  return known;
}

/** A table with the keys of all forms, none of them required. */
function anyForm({ forms }: FormsShape): TableShape {
  const rest = forms.map(({ shape }) => shape.rest).find((one) => one !== undefined);
  const keys = forms.flatMap(({ shape }) => Object.entries(shape.keys));
  const optional = keys.map(([name, { required: _, ...key }]) => [name, key] as const);
  return { kind: 'table', keys: Object.fromEntries(optional), ...(rest === undefined ? {} : { rest }) };
}

/** The entry of a record, never one of its prototype. */
function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

function hasAny(table: Table, keys: readonly string[]): boolean {
  for (const key of keys) if (Object.hasOwn(table, key)) return true;
  return false;
}

/** A name without what people spell differently. */
function bare(name: string): string {
  return name.replace(/[-_]/g, '').toLowerCase();
}

/** Whether the value is of the right type; what is inside is not looked at. */
function hasType(shape: Shape, value: unknown): boolean {
  switch (shape.kind) {
    case 'text':
      return typeof value === 'string';
    case 'flag':
      return typeof value === 'boolean';
    case 'count':
      return typeof value === 'number' && Number.isSafeInteger(value) && value >= shape.min;
    case 'list':
      return Array.isArray(value);
    case 'table':
    case 'forms':
      return isTable(value);
    case 'either':
      return shape.of.some((one) => hasType(one, value));
    case 'shape':
      return hasType(SHAPES[shape.name], value);
    case 'any':
      return true;
  }
}

function expected(shape: Shape): string {
  switch (shape.kind) {
    case 'text':
      return 'a string';
    case 'flag':
      return 'true or false';
    case 'count':
      return `a whole number, ${shape.min} or more`;
    case 'list':
      return shape.of.kind === 'text' ? 'a list of strings' : 'a list';
    case 'either':
      return shape.of.map(expected).join(' or ');
    case 'shape':
      return expected(SHAPES[shape.name]);
    default:
      return 'a table';
  }
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  if (isTable(value)) return 'a table';
  return typeof value === 'string' ? 'a string' : String(value);
}

/** How the value itself would have to be written to be right. */
function repair(shape: Shape, value: unknown): string | undefined {
  const isScalar = typeof value === 'number' || typeof value === 'boolean';
  if (shape.kind === 'text' && shape.format === 'duration' && typeof value === 'number')
    return `Put it in quotes, with its unit: "${value}s"`;
  if (shape.kind === 'text' && isScalar) return `Put it in quotes: "${value}"`;
  if (shape.kind === 'flag' && (value === 'true' || value === 'false')) return `Write ${value} without quotes.`;
  if (shape.kind === 'count' && typeof value === 'string' && /^\d+$/.test(value))
    return `Write ${value} without quotes.`;
  if (shape.kind === 'list' && shape.of.kind === 'text' && typeof value === 'string')
    return `Put it in brackets: [${JSON.stringify(value)}]`;
  return undefined;
}
