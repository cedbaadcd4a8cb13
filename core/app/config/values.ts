/**
 * Values out of parsed TOML, as the program uses them. Everything here is lenient: what has the wrong type is left out,
 * for it has been noted by the checks and nothing that is read from such a file will be used.
 */
import { isTable, type Table } from './check.ts';

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((element) => typeof element === 'string') : [];
}

export function tableOf(value: unknown): Table {
  return isTable(value) ? value : {};
}

/**
 * A TOML value as a JavaScript value of everyday types: plain objects and arrays. A date-time with an offset becomes a
 * `Date`, a local one, which is no point in time, the text it is written as.
 */
export function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  if (value instanceof Date) return isPointInTime(value) ? new Date(value.getTime()) : value.toISOString();
  if (!isTable(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plainValue(member)]));
}

function isPointInTime(date: Date): boolean {
  return !('isLocal' in date && typeof date.isLocal === 'function' && date.isLocal());
}
