/**
 * How a call record lies in SQL tables, and how terms become a query over them. The record itself is one blob; the other
 * columns and tables only narrow down where to look, so they may cut what they hold short: whether a record fits is
 * decided by `holds`, after it was read. Knows no database.
 *
 *     calls (key, kind, name, module, result, outputs, filed, record)
 *     parts (call_key, name, digest)      one row a part of the fingerprint
 *     tags  (call_key, tag, json)         one row a tag
 */
import type { CallTerms } from '../calls.ts';
import type { CallRecord } from '../record.ts';

/** What a database wants its queries to look like. */
export interface Dialect {
  /** What names of tables begin with. */
  readonly prefix: string;
  /** The n-th parameter of a statement, counted from 1. */
  readonly parameter: (n: number) => string;
  /** Types of columns; keys and digests are compared by code unit. */
  readonly types: { readonly digest: string; readonly time: string; readonly bytes: string };
}

/** Makes the tables and indexes that are not there; `tags_by_value` is the last of them. */
export function schemaOf({ prefix, types }: Dialect): string {
  const { digest, time, bytes } = types;
  const indexes = [
    ['calls', 'time', 'filed DESC, key'],
    ['calls', 'name', 'name, filed DESC, key'],
    ['calls', 'result', 'result'],
    ['calls', 'outputs', 'outputs'],
    ['parts', 'call', 'call_key'],
    ['parts', 'digest', 'digest, name'],
    ['tags', 'call', 'call_key'],
    ['tags', 'value', 'tag, json'],
  ];
  return `
CREATE TABLE IF NOT EXISTS ${prefix}calls (
  key ${digest} PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, module TEXT, result TEXT, outputs TEXT,
  filed ${time} NOT NULL, record ${bytes} NOT NULL
);
CREATE TABLE IF NOT EXISTS ${prefix}parts (call_key ${digest} NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ${prefix}tags (call_key ${digest} NOT NULL, tag TEXT NOT NULL, json TEXT NOT NULL);
${indexes.map(([table, by, columns]) => `CREATE INDEX IF NOT EXISTS ${prefix}${table}_by_${by} ON ${prefix}${table} (${columns});`).join('\n')}
`;
}

interface Query {
  readonly text: string;
  readonly values: readonly (string | number)[];
}

/** Where a page of results ends: the next begins after this record. */
export interface Position {
  readonly filed: number;
  readonly key: string;
}

/** Indexes have a limit to the size of what is in them (2704 bytes in PostgreSQL); a UTF-16 unit has at most 3 in UTF-8. */
const MAX_TEXT = 400;

/** Text as a column holds it: short enough for an index, and without what PostgreSQL does not take. */
export function columnText(text: string): string {
  return text.slice(0, MAX_TEXT).replaceAll('\0', '\ufffd').toWellFormed();
}

/** Tags of a record that can be asked for: those with a plain value, as JSON. */
export function tagsOf(record: CallRecord): readonly (readonly [tag: string, json: string])[] {
  return Object.entries(record.metadata['tags'] ?? {})
    .filter(([, value]) => typeof value !== 'object' || value === null)
    .map(([tag, value]) => [columnText(tag), columnText(JSON.stringify(value))]);
}

/** Selects `key`, `filed` and `record` of a superset of what holds, newest first, ties by key, after a position. */
export function findQuery(terms: CallTerms, after: Position | undefined, limit: number, dialect: Dialect): Query {
  const values: (string | number)[] = [];
  const conditions: string[] = [];
  const bind = (value: string | number): string => dialect.parameter(values.push(value));
  const column = (name: string, value: string | undefined): void => {
    if (value !== undefined) conditions.push(`${name} = ${bind(columnText(value))}`);
  };
  const related = (
    table: string,
    [nameColumn, valueColumn]: readonly [string, string],
    name: string,
    value: string,
  ): void => {
    conditions.push(
      `key IN (SELECT call_key FROM ${dialect.prefix}${table} WHERE ${nameColumn} = ${bind(columnText(name))}` +
        ` AND ${valueColumn} = ${bind(columnText(value))})`,
    );
  };
  column('kind', terms.kind);
  column('name', terms.name);
  column('module', terms.module);
  if (terms.since !== undefined) conditions.push(`filed >= ${bind(terms.since)}`);
  if (terms.until !== undefined) conditions.push(`filed < ${bind(terms.until)}`);
  if (terms.result !== undefined) {
    conditions.push(`(result = ${bind(terms.result)} OR outputs = ${bind(terms.result)})`);
  }
  for (const [name, digest] of Object.entries(terms.parts ?? {})) related('parts', ['name', 'digest'], name, digest);
  if (terms.uses !== undefined) {
    conditions.push(`key IN (SELECT call_key FROM ${dialect.prefix}parts WHERE digest = ${bind(terms.uses)})`);
  }
  for (const [tag, value] of Object.entries(terms.tags ?? {})) {
    related('tags', ['tag', 'json'], tag, JSON.stringify(value));
  }
  if (after !== undefined) {
    const { filed, key } = after;
    conditions.push(`(filed < ${bind(filed)} OR (filed = ${bind(filed)} AND key > ${bind(key)}))`);
  }
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const text = `SELECT key, filed, record FROM ${dialect.prefix}calls${where} ORDER BY filed DESC, key LIMIT ${limit}`;
  return { text, values };
}

/** The first string that is above every one with `prefix`; digests have no character above `f`. */
export function endOfPrefix(prefix: string): string {
  return `${prefix}g`;
}
