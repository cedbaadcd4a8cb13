/**
 * A connection to a SQLite database: through what is built into Node since 22.13, else through the optional peer package
 * `libsql`, which installs as a binary from the registry alone. Both write the same files. Knows nothing of calls.
 */
import { FlecheError, messageOf } from '../../base/errors.ts';
import { requirePeer } from '../peer.ts';

export type SqlValue = string | number | null | Uint8Array;
export type Row = Readonly<Record<string, unknown>>;

/** The part that both bindings have in common. */
export interface Statement {
  run(...values: SqlValue[]): unknown;
  get(...values: SqlValue[]): unknown;
  all(...values: SqlValue[]): unknown[];
}

export interface SqliteConnection {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

type Opener = new (path: string) => SqliteConnection;

/** How long a statement waits for another process to finish its transaction, ms. */
const BUSY_TIMEOUT = 5000;

/**
 * Opens or makes a database (`:memory:` for one without a file) in write-ahead mode, in which readers do not wait for
 * writers. Throws `PEER_MISSING` where neither binding is there, and `STORE_UNUSABLE` for a file that is no database.
 */
export function openSqlite(path: string): SqliteConnection {
  const open = builtIn() ?? (requirePeer('libsql', 'a SQLite store on a Node before 22.13') as Opener);
  try {
    const connection = new open(path);
    connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    // Returns the mode that was possible, so it is asked as a query.
    connection.prepare('PRAGMA journal_mode = WAL').get();
    // Commits survive the process; those since the last flush may be lost with the power, the database never is.
    connection.exec('PRAGMA synchronous = NORMAL');
    return connection;
  } catch (cause) {
    throw unusable(path, cause);
  }
}

/** Runs a use of the database and makes its errors ours. */
export function guarded<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw error instanceof FlecheError ? error : unusable(path, error);
  }
}

/** The bytes of a blob column; undefined for a column of another type. */
export function blobOf(column: unknown): Uint8Array | undefined {
  // `libsql` gives blobs of single rows as a Buffer, and of lists of rows as an ArrayBuffer.
  if (column instanceof ArrayBuffer) return new Uint8Array(column);
  return column instanceof Uint8Array ? column : undefined;
}

function unusable(path: string, cause: unknown): FlecheError {
  return new FlecheError('STORE_UNUSABLE', `the database ${path} cannot be used: ${messageOf(cause)}`, {
    hint: 'Check that it is a SQLite database of fleche, that it may be written to, and that its disk is not full.',
    cause,
  });
}

function builtIn(): Opener | undefined {
  const { emitWarning } = process;
  try {
    // Node 22 warns that this module is experimental. That is about its interface, which is ours to follow.
    process.emitWarning = () => {};
    const sqlite = process.getBuiltinModule('node:sqlite') as { readonly DatabaseSync: Opener } | undefined;
    return sqlite?.DatabaseSync;
  } finally {
    process.emitWarning = emitWarning;
  }
}
