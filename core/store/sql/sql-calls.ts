/**
 * A calls store in a SQLite database, which other programs can query while it is in use. Answers at once; several
 * processes can share the file, on a local disk. A row whose record does not decode is absent.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Key } from '../../base/hash.ts';
import { type CallTerms, holds, type SyncCallStore } from '../calls.ts';
import { syncIfThere } from '../folder/unsynced.ts';
import { frozenRecord } from '../frozen.ts';
import { type CallRecord, decodeRecord, encodeRecord } from '../record.ts';
import { columnText, type Dialect, endOfPrefix, findQuery, type Position, schemaOf, tagsOf } from './sql-terms.ts';
import {
  blobOf,
  guarded,
  openSqlite,
  type Row,
  type SqliteConnection,
  type SqlValue,
  type Statement,
} from './sqlite.ts';
import { IN_MEMORY } from './sqlite-path.ts';

const DIALECT: Dialect = {
  prefix: '',
  parameter: () => '?',
  types: { digest: 'TEXT', time: 'REAL', bytes: 'BLOB' },
};

/** Records read at a time by `find`: no cursor stays open while the caller works on them. */
const PAGE = 64;

interface SqliteOptions {
  /** Absolute path of the database file, made with its folder when missing; `:memory:` for one without a file. */
  readonly path: string;
}

/** Everything throws `STORE_UNUSABLE` when the database cannot be read or written. */
export class SqlCallStore implements SyncCallStore {
  readonly location: string | undefined;
  readonly #path: string;
  readonly #connection: SqliteConnection;
  readonly #statements = new Map<string, Statement>();
  #unsynced = false;

  /** Throws `PEER_MISSING` if this Node has no SQLite and `libsql` is not installed. */
  constructor({ path }: SqliteOptions) {
    this.#path = path;
    this.location = path === IN_MEMORY ? undefined : path;
    this.#connection = guarded(path, () => {
      if (path !== IN_MEMORY) mkdirSync(dirname(path), { recursive: true });
      return openSqlite(path);
    });
    guarded(path, () => this.#prepareSchema());
  }

  /** Writes nothing when the tables are there, so that opening does not wait for a writer. */
  #prepareSchema(): void {
    const last = this.#connection.prepare("SELECT 1 FROM sqlite_master WHERE name = 'tags_by_value'").get();
    if (last === undefined) this.#transaction(() => this.#connection.exec(schemaOf(DIALECT)));
  }

  #statement(text: string): Statement {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = this.#connection.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }

  #run(text: string, ...values: SqlValue[]): void {
    this.#statement(text).run(...values);
  }

  #transaction(action: () => void): void {
    // Taken for writing from the start: a transaction that began by reading could not wait for another writer.
    this.#connection.exec('BEGIN IMMEDIATE');
    try {
      action();
      this.#connection.exec('COMMIT');
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    try {
      this.#connection.exec('ROLLBACK');
    } catch {
      // On a full disk SQLite has done so itself.
    }
  }

  get(key: Key): CallRecord | undefined {
    const row = guarded(this.#path, () => this.#statement('SELECT key, record FROM calls WHERE key = ?').get(key));
    return recordOf(row);
  }

  put(given: CallRecord): void {
    const record = frozenRecord(given);
    const { key, kind, name, module, result, outputs, filed } = record;
    const moduleText = module === null ? null : columnText(module);
    guarded(this.#path, () =>
      this.#transaction(() => {
        this.#forget(key);
        this.#run(
          'INSERT INTO calls (key, kind, name, module, result, outputs, filed, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
          ...[key, kind, columnText(name), moduleText, result?.digest ?? null, outputs, filed, encodeRecord(record)],
        );
        for (const part of record.parts) {
          this.#run(
            'INSERT INTO parts (call_key, name, digest) VALUES (?, ?, ?)',
            key,
            columnText(part.name),
            part.digest,
          );
        }
        for (const [tag, json] of tagsOf(record)) {
          this.#run('INSERT INTO tags (call_key, tag, json) VALUES (?, ?, ?)', key, tag, json);
        }
      }),
    );
    this.#unsynced = true;
  }

  #forget(key: Key): void {
    this.#run('DELETE FROM parts WHERE call_key = ?', key);
    this.#run('DELETE FROM tags WHERE call_key = ?', key);
    this.#run('DELETE FROM calls WHERE key = ?', key);
  }

  delete(key: Key): boolean {
    return this.deleteAll([key]) === 1;
  }

  deleteAll(keys: Iterable<Key>): number {
    return guarded(this.#path, () => {
      let count = 0;
      this.#transaction(() => {
        for (const key of keys) {
          if (this.#statement('SELECT 1 FROM calls WHERE key = ?').get(key) === undefined) continue;
          this.#forget(key);
          count++;
        }
      });
      return count;
    });
  }

  *find(terms: CallTerms): Generator<CallRecord, void, undefined> {
    let after: Position | undefined;
    do {
      const { text, values } = findQuery(terms, after, PAGE, DIALECT);
      const rows = guarded(this.#path, () => this.#statement(text).all(...values)) as readonly Row[];
      for (const row of rows) {
        const record = recordOf(row);
        if (record !== undefined && holds(terms, record)) yield record;
      }
      after = rows.length < PAGE ? undefined : positionOf(rows.at(-1));
    } while (after !== undefined);
  }

  matching(prefix: string, limit: number): readonly Key[] {
    const text = 'SELECT key FROM calls WHERE key >= ? AND key < ? ORDER BY key LIMIT ?';
    const rows = guarded(this.#path, () => this.#statement(text).all(prefix, endOfPrefix(prefix), limit));
    return (rows as readonly Row[]).map((row) => row['key'] as Key);
  }

  count(): number {
    const row = guarded(this.#path, () => this.#statement('SELECT count(*) AS count FROM calls').get()) as Row;
    return Number(row['count']);
  }

  /** What was committed is in the write-ahead log, or was moved on from there and synced. */
  flush(): void {
    if (!this.#unsynced || this.location === undefined) return;
    this.#unsynced = false;
    // Without a log, where write-ahead mode is not possible, each commit was synced.
    syncIfThere(`${this.location}-wal`, 'r+');
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }
}

function recordOf(row: unknown): CallRecord | undefined {
  const { key, record } = (row ?? {}) as Row;
  const bytes = blobOf(record);
  const decoded = bytes === undefined ? undefined : decodeRecord(bytes);
  return decoded?.key === key ? decoded : undefined;
}

function positionOf(row: Row | undefined): Position | undefined {
  return row === undefined ? undefined : { filed: Number(row['filed']), key: String(row['key']) };
}
