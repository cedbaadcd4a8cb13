/** Parsed data (JSON, TOML, YAML) of which nothing is known: what has another type than it should is not there. */

export type Table = Readonly<Record<string, unknown>>;

/** Whether a value is a table: no list and no date. */
export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

const EMPTY: Table = {};
const NONE: readonly string[] = [];

/** The value itself if it is a table, else an empty one. */
export function tableOf(value: unknown): Table {
  return isTable(value) ? value : EMPTY;
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The texts in a list; of anything else none. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : NONE;
}
