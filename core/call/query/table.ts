/**
 * Past calls as rows: what a person scans and a data frame takes in. A row has the key (short), name and module, the
 * arguments and the result that were asked for, and the metadata, one column for each field. Immutable; it shows the
 * calls as they were when it was made.
 */
import { inspect } from 'node:util';
import { type Awaitable, chain, isPromise } from '../../base/awaitable.ts';
import { FlecheError } from '../../base/errors.ts';
import { importPeer } from '../../store/peer.ts';
import { all } from '../references.ts';
import type { LazyCall, Signature } from './lazy-call.ts';
import { alignedText, csvText, jsonText } from './table-text.ts';

export type ArgumentName<S extends Signature> = keyof S['arguments'] & string;

export interface TableOptions<N extends string, R extends boolean> {
  /** Arguments to load, in the order of their columns; true for all that any call has. */
  readonly arguments?: readonly N[] | true;
  /** Whether to load results. */
  readonly results?: R;
  /** Keys in full. Otherwise they are short: unique within the table, which `cache.load` nearly always completes. */
  readonly fullKeys?: boolean;
}

/** Columns that are there before any argument's. An argument of such a name is called `a_name`. */
type Reserved = 'key' | 'name' | 'module' | 'result' | 'failure';
type ColumnOf<N extends string> = N extends Reserved ? `a_${N}` : N;

/** Metadata that most calls have. Other fields are there too, under their names; `column` reads them. */
interface Noted {
  /** What went wrong, if the call failed. */
  readonly failure?: string;
  readonly timestart?: Date;
  readonly timestop?: Date;
  /** ms, like the next two. */
  readonly walltime?: number;
  readonly cputime?: number;
  readonly systime?: number;
}

/** A row with exactly the columns that were asked for. */
export type Row<S extends Signature, N extends string, R extends boolean> = {
  readonly key: string;
  readonly name: string;
  readonly module: string | null;
} & { readonly [K in N as ColumnOf<K>]: S['arguments'][K] } & (R extends true
    ? { readonly result: S['result'] }
    : unknown) &
  Noted;

// biome-ignore lint/suspicious/noTsIgnore: the declarations are read where the peer is missing, and where it is not
/** @ts-ignore arquero is an optional peer: without it this is any. */
type ArqueroTable = import('arquero').ColumnTable;

export class Table<R extends object = Readonly<Record<string, unknown>>> implements Iterable<R> {
  readonly rows: readonly R[];
  /** Names of all columns, in order. A row lacks those that its call has no value for. */
  readonly columns: readonly string[];

  constructor(rows: readonly R[], columns: readonly string[]) {
    this.rows = rows;
    this.columns = columns;
  }

  [Symbol.iterator](): Iterator<R> {
    return this.rows[Symbol.iterator]();
  }

  get length(): number {
    return this.rows.length;
  }

  /** The first rows. */
  head(count = 5): Table<R> {
    return new Table(this.rows.slice(0, count), this.columns);
  }

  /** The rows that `accepts` lets through. */
  filter(accepts: (row: R) => boolean): Table<R> {
    return new Table(this.rows.filter(accepts), this.columns);
  }

  /** The values of one column, undefined where a row has none. */
  column(name: string): readonly unknown[] {
    return this.rows.map((row) => (row as Readonly<Record<string, unknown>>)[name]);
  }

  /** Aligned columns under their names, for people. */
  toString(): string {
    return alignedText(this.columns, this.#cells());
  }

  /** RFC 4180 with a line of names and LF; what is no text, number or date is written as JSON. */
  toCsv(): string {
    return csvText(this.columns, this.#cells());
  }

  /** An array of one object a row. */
  toJson(): string {
    return jsonText(this.rows);
  }

  /** A table of the package arquero. Throws `PEER_MISSING` if that is not installed. */
  async toArquero(): Promise<ArqueroTable> {
    const { table } = (await importPeer('arquero', 'toArquero()')) as Pick<typeof import('arquero'), 'table'>;
    return table(Object.fromEntries(this.columns.map((name) => [name, [...this.column(name)]])), [...this.columns]);
  }

  #cells(): readonly (readonly unknown[])[] {
    return this.rows.map((row) => this.columns.map((name) => (row as Readonly<Record<string, unknown>>)[name]));
  }
}

Object.defineProperty(Table.prototype, inspect.custom, {
  value(this: Table): string {
    return this.toString();
  },
});

/** The table of some calls. */
export function tableOf<S extends Signature, N extends string, R extends boolean>(
  calls: readonly LazyCall<S>[],
  options: TableOptions<N, R>,
): Awaitable<Table<Row<S, N, R>>> {
  const names = options.arguments === true ? argumentsOf(calls) : (options.arguments ?? []);
  const args = all(calls.map((call) => all(names.map((name) => argument(call, name)))));
  const results = options.results === true ? all(calls.map(result)) : [];
  const keys = options.fullKeys === true ? calls.map((call): string => call.key) : shortKeys(calls);
  return chain(args, (args) =>
    chain(results, (results) => {
      const table = new Columns(names, options.results === true);
      for (const [at, call] of calls.entries()) table.add(keys[at] ?? call.key, call, args[at] ?? [], results[at]);
      return table.finish() as unknown as Table<Row<S, N, R>>;
    }),
  );
}

/** Stands for a value that a call does not have. */
const NONE = Symbol('none');

function argumentsOf(calls: readonly LazyCall[]): readonly string[] {
  return [...new Set(calls.flatMap((call) => call.arguments.names))];
}

function argument(call: LazyCall, name: string): Awaitable<unknown> {
  return call.arguments.has(name) ? loaded(() => call.arguments.get(name)) : NONE;
}

function result(call: LazyCall): Awaitable<unknown> {
  return call.record.result === null ? NONE : loaded(() => call.result);
}

/** A value, or `NONE` if it is not kept (any more): the rest of the row is worth showing. */
function loaded(load: () => unknown): Awaitable<unknown> {
  const gone = (error: unknown): symbol => {
    if (error instanceof FlecheError && error.code === 'CALL_UNKNOWN') return NONE;
    throw error;
  };
  try {
    const value = load();
    return isPromise(value) ? value.then(undefined, gone) : value;
  } catch (error) {
    return gone(error);
  }
}

/** Short enough to read, long enough that two of a million calls hardly ever share one. */
const SHORT = 12;

function shortKeys(calls: readonly LazyCall[]): readonly string[] {
  const keys = new Set(calls.map((call): string => call.key));
  let length = SHORT;
  while (new Set([...keys].map((key) => key.slice(0, length))).size < keys.size) length++;
  return calls.map((call) => call.key.slice(0, length));
}

type Cells = Record<string, unknown>;

/** Rows in the making. Which columns there are is known only when the last call has been seen. */
class Columns {
  readonly #rows: Cells[] = [];
  readonly #args: readonly string[];
  readonly #hasResults: boolean;
  #hasFailures = false;
  /** Metadata columns in the order they were met: `namespace.field` to column name. */
  readonly #fields = new Map<string, string>();

  constructor(args: readonly string[], hasResults: boolean) {
    this.#args = args.map((name) => (RESERVED.has(name) ? `a_${name}` : name));
    this.#hasResults = hasResults;
  }

  add(key: string, call: LazyCall, args: readonly unknown[], result: unknown): void {
    const row: Cells = { key, name: call.name, module: call.module };
    for (const [at, name] of this.#args.entries()) if (args[at] !== NONE) row[name] = args[at];
    if (this.#hasResults && result !== NONE) row['result'] = result;
    if (call.failure !== null) {
      this.#hasFailures = true;
      row['failure'] = call.failure.message;
    }
    for (const [namespace, fields] of Object.entries(call.metadata)) {
      // Name and module of the call, which have their columns.
      if (namespace === 'callInfo') continue;
      for (const [field, value] of Object.entries(fields))
        row[this.#column(namespace, field)] = shown(namespace, field, value);
    }
    this.#rows.push(row);
  }

  /** The field's own name, unless another column has it. */
  #column(namespace: string, field: string): string {
    const id = `${namespace}.${field}`;
    const known = this.#fields.get(id);
    if (known !== undefined) return known;
    const taken = RESERVED.has(field) || this.#args.includes(field) || [...this.#fields.values()].includes(field);
    const column = taken ? `${namespace}_${field}` : field;
    this.#fields.set(id, column);
    return column;
  }

  finish(): Table {
    const columns = ['key', 'name', 'module', ...this.#args];
    if (this.#hasResults) columns.push('result');
    if (this.#hasFailures) columns.push('failure');
    return new Table(this.#rows, [...columns, ...this.#fields.values()]);
  }
}

const RESERVED = new Set<string>(['key', 'name', 'module', 'result', 'failure'] satisfies Reserved[]);

/** Points in time are dates in a table. */
function shown(namespace: string, field: string, value: unknown): unknown {
  const isTime = namespace === 'runtime' && (field === 'timestart' || field === 'timestop');
  return isTime && typeof value === 'number' ? new Date(value) : value;
}
