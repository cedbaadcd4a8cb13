/**
 * Random TOML documents together with what they mean and where everything in them stands. The writer notes the place of
 * every key and value while it writes, so that it shares no code with the scanner under test.
 */
import fc from 'fast-check';
import type { KeyPath } from '../../../core/app/config/text/positions.ts';

type Model = string | number | boolean | Model[] | { [key: string]: Model };

export interface Written {
  readonly text: string;
  readonly model: Model;
  /** Offsets of the last key of a path and of its value. */
  readonly marks: ReadonlyMap<string, { readonly path: KeyPath; readonly key: number; readonly value: number }>;
}

const names = fc.oneof(
  fc.constantFrom('a', 'b', 'tasks', 'x-y', '1', 'true', 'key_2'),
  fc.constantFrom('', ' ', 'a.b', '#', '"', "'", 'ä', '=', '[', ']', '\\', '\n', '😀', 'constructor', '__proto__'),
);
const strings = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom('', '"', "'", '"""', "'''", '# no', 'a\nb', '\\', '"\n"', ']', '}', ',', '=', '[x]\ny = 1', "''"),
);
const scalars = fc.oneof(strings, fc.integer(), fc.boolean(), fc.double({ noNaN: true, noDefaultInfinity: true }));
const { value: values } = fc.letrec<{ value: Model; list: Model[]; table: { [key: string]: Model } }>((tie) => ({
  value: fc.oneof({ maxDepth: 3, depthIdentifier: 'toml' }, scalars, tie('list'), tie('table')),
  list: fc.array(tie('value'), { maxLength: 3, depthIdentifier: 'toml' }),
  table: fc.dictionary(names, tie('value'), { maxKeys: 3, depthIdentifier: 'toml' }),
}));

/** Documents in all the forms of TOML; `choices` decides between forms that mean the same. */
export const documents: fc.Arbitrary<Written> = fc
  .tuple(fc.dictionary(names, values, { maxKeys: 4 }), fc.infiniteStream(fc.nat(1000)))
  .map(([model, choices]) => new Writer(choices).document(model));

const isTable = (value: Model | undefined): value is { [key: string]: Model } =>
  typeof value === 'object' && !Array.isArray(value);

class Writer {
  readonly #choices: Iterator<number>;
  readonly #marks = new Map<string, { path: KeyPath; key: number; value: number }>();
  #text = '';

  constructor(choices: Iterator<number>) {
    this.#choices = choices;
  }

  #pick<T>(...options: readonly [T, ...T[]]): T {
    return options[Number(this.#choices.next().value) % options.length] ?? options[0];
  }

  #add(text: string): void {
    this.#text += text;
  }

  document(model: { [key: string]: Model }): Written {
    this.#blank();
    this.#body([], model);
    return { text: this.#text, model, marks: this.#marks };
  }

  /** Pairs first, then the tables that get headers of their own. */
  #body(path: KeyPath, table: { [key: string]: Model }): void {
    const later: (() => void)[] = [];
    for (const [key, value] of Object.entries(table)) {
      const inner = [...path, key];
      if (isTable(value) && this.#pick(true, true, false)) {
        if (Object.keys(value).length > 0 && this.#pick(true, false, false)) this.#dotted(inner, 1, value);
        else later.push(() => this.#header(inner, value));
      } else if (Array.isArray(value) && value.length > 0 && value.every(isTable) && this.#pick(true, false)) {
        later.push(() => this.#tables(inner, value));
      } else {
        this.#pair(inner, 1, value);
      }
    }
    for (const write of later) write();
  }

  #header(path: KeyPath, table: { [key: string]: Model }): void {
    const value = this.#text.length;
    this.#add(`[${this.#spaces()}`);
    const key = this.#dottedName(path.filter((step) => typeof step === 'string'));
    this.#add(']');
    this.#endOfLine();
    this.#marks.set(JSON.stringify(path), { path, key, value });
    this.#body(path, table);
  }

  #tables(path: KeyPath, list: readonly { [key: string]: Model }[]): void {
    for (const [index, table] of list.entries()) {
      const value = this.#text.length;
      this.#add(`[[${this.#spaces()}`);
      const key = this.#dottedName(path.filter((step) => typeof step === 'string'));
      this.#add(']]');
      this.#endOfLine();
      if (index === 0) this.#marks.set(JSON.stringify(path), { path, key, value });
      const element = [...path, index];
      this.#marks.set(JSON.stringify(element), { path: element, key: value, value });
      this.#body(element, table);
    }
  }

  /** A table as dotted keys; `count` names at the end of the path have not been written by a header. */
  #dotted(path: KeyPath, count: number, table: { [key: string]: Model }): void {
    for (const [key, value] of Object.entries(table)) {
      const inner = [...path, key];
      if (isTable(value) && Object.keys(value).length > 0 && this.#pick(true, false))
        this.#dotted(inner, count + 1, value);
      else this.#pair(inner, count + 1, value);
    }
  }

  #pair(path: KeyPath, count: number, value: Model): void {
    this.#add(this.#spaces());
    this.#inlinePair(path, count, value);
    this.#endOfLine();
  }

  #inlinePair(path: KeyPath, count: number, value: Model): void {
    const parts = path.slice(-count);
    const starts: number[] = [];
    const last = this.#dottedName(
      parts.filter((part) => typeof part === 'string'),
      starts,
    );
    for (const [at, start] of starts.slice(0, -1).entries()) {
      const above = path.slice(0, path.length - count + at + 1);
      if (!this.#marks.has(JSON.stringify(above)))
        this.#marks.set(JSON.stringify(above), { path: above, key: start, value: start });
    }
    this.#add(`=${this.#spaces()}`);
    this.#value(path, last, value);
  }

  /** Writes the parts of a key and returns where the last of them begins. */
  #dottedName(parts: readonly string[], starts: number[] = []): number {
    for (const [at, part] of parts.entries()) {
      if (at > 0) this.#add(`.${this.#spaces()}`);
      starts.push(this.#text.length);
      this.#add(this.#name(part));
      this.#add(this.#spaces());
    }
    return starts.at(-1) ?? -1;
  }

  #name(name: string): string {
    if (/^[\w-]+$/.test(name) && this.#pick(true, true, false)) return name;
    if (!/['\n]/.test(name) && this.#pick(true, false)) return `'${name}'`;
    return this.#basic(name);
  }

  #basic(text: string): string {
    const escaped = [...text].map((char) => {
      const point = char.codePointAt(0) ?? 0;
      if (char === '"' || char === '\\') return `\\${char}`;
      if (char === '\n' && this.#pick(true, false)) return '\\n';
      if (point >= 32 && point < 127 && this.#pick(true, true, true, false)) return char;
      if (point > 127 && this.#pick(true, false)) return char;
      if (point < 256 && this.#pick(true, false)) return `\\x${point.toString(16).padStart(2, '0')}`;
      return point > 0xffff ? `\\U${point.toString(16).padStart(8, '0')}` : `\\u${point.toString(16).padStart(4, '0')}`;
    });
    return `"${escaped.join('')}"`;
  }

  #value(path: KeyPath, key: number, value: Model): void {
    this.#marks.set(JSON.stringify(path), { path, key, value: this.#text.length });
    if (Array.isArray(value)) {
      this.#add('[');
      this.#blank();
      for (const [index, element] of value.entries()) {
        this.#value([...path, index], this.#text.length, element);
        this.#separator(index === value.length - 1);
      }
      this.#add(']');
    } else if (isTable(value)) {
      this.#add('{');
      this.#blank();
      const entries = Object.entries(value);
      for (const [index, [name, member]] of entries.entries()) {
        this.#inlinePair([...path, name], 1, member);
        this.#separator(index === entries.length - 1);
      }
      this.#add('}');
    } else {
      this.#add(typeof value === 'string' ? this.#string(value) : this.#number(value));
    }
  }

  #separator(isLast: boolean): void {
    this.#blank();
    if (!isLast || this.#pick(true, false)) this.#add(',');
    this.#blank();
  }

  #number(value: number | boolean): string {
    if (typeof value === 'boolean' || !Number.isInteger(value)) return String(value).replace(/^(-?\d+)e/, '$1.0e');
    if (Object.is(value, -0)) return '-0.0';
    if (!Number.isSafeInteger(value)) return `${value.toExponential().replace(/^(-?\d+)e/, '$1.0e')}`;
    return this.#pick(String(value), value >= 0 ? `0x${value.toString(16)}` : String(value), `${value}.0`);
  }

  #string(text: string): string {
    const isPlain = /^[\x20-\x7e]*$/.test(text);
    const isPlainLong = /^[\x20-\x7e\n]*$/.test(text);
    const form = this.#pick('basic', 'literal', 'long', 'long literal');
    if (form === 'literal' && isPlain && !text.includes("'")) return `'${text}'`;
    if (form === 'long literal' && isPlainLong && !text.includes("'''"))
      return `'''${this.#firstNewline(text)}${text}'''`;
    if (form === 'long' && isPlainLong && !text.includes('"""')) {
      const body = text.replaceAll('\\', '\\\\');
      // A line end that is escaped takes the space after it along; smol-toml 1.9 then drops a quote that ends the string.
      const isFolded = /^[^\s"]/.test(body) && this.#pick(false, true);
      return `"""${isFolded ? '\\\n   ' : this.#firstNewline(body)}${body}"""`;
    }
    return this.#basic(text);
  }

  /** A newline right after the opening quotes is not content, so content that begins with one needs another. */
  #firstNewline(text: string): string {
    return text.startsWith('\n') ? '\n' : this.#pick('', '\n');
  }

  #spaces(): string {
    return this.#pick('', '', ' ', '\t ');
  }

  #blank(): void {
    this.#add(this.#pick('', '', ' ', '\n', ' # [x] "y" = \'z\' {,}\n\t', '\r\n'));
  }

  #endOfLine(): void {
    this.#add(this.#pick('\n', '\n', '\r\n', ' \n\n', " # ] } \" ''' [t]\n"));
  }
}
