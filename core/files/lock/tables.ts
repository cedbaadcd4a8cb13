/** What is under the keys of parsed data; what is inherited is not in it. Pure. */
import { type Table, tableOf } from '../../base/table.ts';
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
