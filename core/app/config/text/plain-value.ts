/** TOML values as JavaScript knows them. */
import { isTable } from '../../../base/table.ts';

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
