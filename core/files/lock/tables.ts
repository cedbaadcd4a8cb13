/** Parsed data of which nothing is known; what is inherited is not in it. Pure. */

export type Table = Readonly<Record<string, unknown>>;

const EMPTY: Table = {};

/** The value itself if it is a table, else an empty one. */
export function tableOf(value: unknown): Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Table) : EMPTY;
}

/** Undefined if the table itself has no such key. */
export function at(table: Table, key: string): unknown {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** The table under a key; empty if there is none. */
export function tableAt(table: Table, key: string): Table {
  return tableOf(at(table, key));
}

/** The text under a key; empty if there is none. */
export function textAt(table: Table, key: string): string {
  const value = at(table, key);
  return typeof value === 'string' ? value : '';
}

/** The names in the tables under some keys, each once. */
export function namesIn(table: Table, keys: readonly string[]): readonly string[] {
  return [...new Set(keys.flatMap((key) => Object.keys(tableAt(table, key))))];
}
