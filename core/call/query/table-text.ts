/** Rows of cells as text: aligned for people, CSV and JSON for programs. */
import { inspect } from 'node:util';

type Rows = readonly (readonly unknown[])[];

/** Longer cells are cut. */
const WIDEST = 40;
const GAP = '  ';

/** Columns under their names; numbers end where their column ends, everything else begins where it begins. */
export function alignedText(columns: readonly string[], rows: Rows): string {
  const cells = [columns, ...rows.map((row) => row.map(readable))];
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const isNumeric = columns.map((_, at) => rows.every((row) => isNumber(row[at]) || row[at] === undefined));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (isNumeric[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join(GAP)
      .trimEnd();
  return cells.map(line).join('\n');
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}

function readable(value: unknown): string {
  const text = readableWhole(value).replaceAll(/\s+/g, ' ');
  return text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text;
}

function readableWhole(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(7)));
  if (value instanceof Date) return timeText(value);
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, compact: true });
}

function timeText(time: Date): string {
  return Number.isNaN(time.getTime()) ? 'Invalid Date' : time.toISOString();
}

/** RFC 4180 with LF. */
export function csvText(columns: readonly string[], rows: Rows): string {
  return [columns, ...rows].map((row) => `${row.map(csvCell).join(',')}\n`).join('');
}

function csvCell(value: unknown): string {
  const text = csvValue(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvValue(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Date) return timeText(value);
  return jsonText(value);
}

/** JSON of any value: big integers as text, maps as lists of pairs, sets and views as lists, dates in ISO form. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, plainMember) ?? 'null';
}

/** The replacer of `jsonText`. What it is given has been through `toJSON`, which buffers make too much of. */
function plainMember(this: Readonly<Record<string, unknown>>, key: string, member: unknown): unknown {
  const own = this[key];
  if (typeof own === 'bigint' || typeof own === 'symbol') return String(own);
  if (own instanceof Map || own instanceof Set) return [...own];
  if (ArrayBuffer.isView(own) && !(own instanceof DataView)) return Array.from(own as Uint8Array);
  return own instanceof Error ? `${own.name}: ${own.message}` : member;
}
