/**
 * A calls store in a PostgreSQL database, for teams: through the optional peer package `pg`. Connects when it is first
 * used, and makes its tables (`fleche_calls`, `fleche_parts`, `fleche_tags`) in the first schema of the search path if
 * they are missing. Answers later, so synchronous functions cannot be memoised on it.
 */
import type { Pool, PoolClient, QueryResult } from 'pg';
import { FlecheError, messageOf } from '../../base/errors.ts';
import { type Key, sha256 } from '../../base/hash.ts';
import { type CallStore, type CallTerms, holds } from '../calls.ts';
import { frozenRecord } from '../frozen.ts';
import { requirePeer } from '../peer.ts';
import { type CallRecord, decodeRecord, encodeRecord } from '../record.ts';
import { columnText, type Dialect, endOfPrefix, findQuery, type Position, schemaOf, tagsOf } from './sql-terms.ts';

const DIALECT: Dialect = {
  prefix: 'fleche_',
  parameter: (n) => `$${n}`,
  types: { digest: 'TEXT COLLATE "C"', time: 'DOUBLE PRECISION', bytes: 'BYTEA' },
};

const SAVE_CALL = `
INSERT INTO fleche_calls (key, kind, name, module, result, outputs, filed, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (key) DO UPDATE SET kind = $2, name = $3, module = $4, result = $5, outputs = $6, filed = $7, record = $8`;
const FORGET = `
WITH forgotten AS (DELETE FROM fleche_parts WHERE call_key = $1)
DELETE FROM fleche_tags WHERE call_key = $1`;
const FORGET_ALL = `
WITH parts AS (DELETE FROM fleche_parts WHERE call_key = ANY ($1::text[])),
  tags AS (DELETE FROM fleche_tags WHERE call_key = ANY ($1::text[]))
DELETE FROM fleche_calls WHERE key = ANY ($1::text[])`;
const SAVE_DETAILS = `
WITH saved AS (
  INSERT INTO fleche_parts (call_key, name, digest) SELECT $1, p.name, p.digest FROM unnest($2::text[], $3::text[]) AS p (name, digest)
)
INSERT INTO fleche_tags (call_key, tag, json) SELECT $1, t.tag, t.json FROM unnest($4::text[], $5::text[]) AS t (tag, json)`;

/** Records read at a time by `find`. */
const PAGE = 128;
const CONNECTIONS = 4;
/** A server that does not answer in this time is down, ms. */
const CONNECT_TIMEOUT = 5000;
const QUERY_TIMEOUT = 30_000;

interface PostgresOptions {
  /** `postgres://user:password@host:port/database`; what is left out comes from the usual PG* environment variables. */
  readonly url: string;
}

/** Everything rejects with `STORE_UNUSABLE` when the server cannot be used, and with `PEER_MISSING` without `pg`. */
export class PostgresCallStore implements CallStore {
  /** The URL without its password. */
  readonly location: string;
  readonly #url: string;
  #pool: Promise<Pool> | undefined;

  constructor({ url }: PostgresOptions) {
    this.#url = url;
    this.location = withoutPassword(url);
  }

  /** The pool, with the tables made. A failure is not kept: the next use tries again. */
  #connected(): Promise<Pool> {
    this.#pool ??= this.#connect().catch((error: unknown) => {
      this.#pool = undefined;
      throw error;
    });
    return this.#pool;
  }

  async #connect(): Promise<Pool> {
    const pg = requirePeer('pg', 'a PostgreSQL calls store') as { Pool: new (options: object) => Pool };
    const pool = new pg.Pool({
      connectionString: this.#url,
      max: CONNECTIONS,
      connectionTimeoutMillis: CONNECT_TIMEOUT,
      query_timeout: QUERY_TIMEOUT,
      // An open connection does not keep the process alive.
      allowExitOnIdle: true,
      application_name: 'fleche',
    });
    // An idle connection that breaks is replaced when it is needed; without a listener it would end the process.
    pool.on('error', () => {});
    try {
      await transaction(pool, async (client) => {
        // Two processes that make the same table at once would disturb each other.
        await client.query(`SELECT pg_advisory_xact_lock(hashtext('fleche schema'))`);
        await client.query(schemaOf(DIALECT));
      });
      return pool;
    } catch (error) {
      await pool.end();
      throw error;
    }
  }

  async #guarded<T>(use: (pool: Pool) => Promise<T>): Promise<T> {
    try {
      return await use(await this.#connected());
    } catch (cause) {
      if (cause instanceof FlecheError) throw cause;
      throw new FlecheError('STORE_UNUSABLE', `the database ${this.location} cannot be used: ${describe(cause)}`, {
        hint: 'Check that the server runs and that the user may create tables in the database.',
        cause,
      });
    }
  }

  async get(key: Key): Promise<CallRecord | undefined> {
    const text = 'SELECT key, record FROM fleche_calls WHERE key = $1';
    const { rows } = await this.#guarded((pool) => query(pool, text, [key]));
    return recordOf(rows[0]);
  }

  async put(given: CallRecord): Promise<void> {
    const record = frozenRecord(given);
    const { key, kind, name, module, result, outputs, filed, parts } = record;
    const moduleText = module === null ? null : columnText(module);
    const columns = [key, kind, columnText(name), moduleText, result?.digest ?? null, outputs, filed];
    const tags = tagsOf(record);
    await this.#guarded((pool) =>
      transaction(pool, async (client) => {
        // First, because it makes other writers of this key wait until the details are right too.
        await query(client, SAVE_CALL, [...columns, encodeRecord(record)]);
        await query(client, FORGET, [key]);
        await query(client, SAVE_DETAILS, [
          key,
          parts.map((part) => columnText(part.name)),
          parts.map((part) => part.digest),
          tags.map(([tag]) => tag),
          tags.map(([, json]) => json),
        ]);
      }),
    );
  }

  async delete(key: Key): Promise<boolean> {
    return await this.#guarded((pool) =>
      transaction(pool, async (client) => {
        const { rowCount } = await query(client, 'DELETE FROM fleche_calls WHERE key = $1', [key]);
        await query(client, FORGET, [key]);
        return rowCount === 1;
      }),
    );
  }

  async deleteAll(keys: Iterable<Key>): Promise<number> {
    const all = [...new Set(keys)];
    if (all.length === 0) return 0;
    const { rowCount } = await this.#guarded((pool) => query(pool, FORGET_ALL, [all]));
    return rowCount ?? 0;
  }

  async *find(terms: CallTerms): AsyncGenerator<CallRecord, void, undefined> {
    let after: Position | undefined;
    do {
      const { text, values } = findQuery(terms, after, PAGE, DIALECT);
      const { rows } = await this.#guarded((pool) => query(pool, text, values));
      for (const row of rows) {
        const record = recordOf(row);
        if (record !== undefined && holds(terms, record)) yield record;
      }
      const last = rows.at(-1);
      after = last === undefined || rows.length < PAGE ? undefined : { filed: last.filed, key: last.key };
    } while (after !== undefined);
  }

  async matching(prefix: string, limit: number): Promise<readonly Key[]> {
    const text = 'SELECT key FROM fleche_calls WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3';
    const { rows } = await this.#guarded((pool) => query(pool, text, [prefix, endOfPrefix(prefix), limit]));
    return rows.map((row) => row.key as Key);
  }

  async count(): Promise<number> {
    const { rows } = await this.#guarded((pool) => query(pool, 'SELECT count(*) AS count FROM fleche_calls', []));
    return Number(rows[0]?.count);
  }

  /** A commit is durable when `put` resolves. */
  flush(): void {}

  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => undefined);
    this.#pool = undefined;
    await pool?.end();
  }
}

/** The columns that are selected anywhere. */
interface Row {
  readonly key: string;
  readonly filed: number;
  readonly record: unknown;
  readonly count: unknown;
}

/** A prepared statement is known to the server by its name. */
function query(on: Pool | PoolClient, text: string, values: readonly unknown[]): Promise<QueryResult<Row>> {
  return on.query<Row>({ name: `fleche ${sha256(text).slice(0, 32)}`, text, values: [...values] });
}

async function transaction<T>(pool: Pool, action: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failure: unknown;
  try {
    await client.query('BEGIN');
    const done = await action(client);
    await client.query('COMMIT');
    return done;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    // A connection in doubt is closed, which rolls back; it is not given to the next.
    client.release(failure !== undefined);
  }
}

function recordOf(row: Row | undefined): CallRecord | undefined {
  const decoded = row?.record instanceof Uint8Array ? decodeRecord(row.record) : undefined;
  return decoded?.key === row?.key ? decoded : undefined;
}

/** Node reports a host that refuses on several addresses as one error without a message. */
function describe(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
}

function withoutPassword(url: string): string {
  return url.replace(/(\/\/[^/:@]*):[^?]*@/, '$1@').replace(/([?&]password=)[^&]*/, '$1');
}
