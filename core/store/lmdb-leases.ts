/**
 * Leases on disk, in an LMDB environment of their own that never waits for the disk: a lease is taken in microseconds.
 * A crash of a process loses nothing. A power cut could leave the files damaged, but with them goes every holder: the
 * environment's folder is named by the machine's start, and one of an earlier start is never opened again.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { decode, encode } from '../base/codec.ts';
import { FlecheError } from '../base/errors.ts';
import { layoutOf, leasesFolder } from './layout.ts';
import type { Acquired, Lease, LeaseStore } from './leases.ts';
import { damageOf, requireUsable } from './lmdb-guard.ts';
import { loadLmdb } from './lmdb-load.ts';
import { bootId, SELF } from './owner.ts';

type Bytes = Uint8Array;

/** Sorts before every name, which are at least one character long. */
const COUNTER = Buffer.of(0);
const LONGEST_NAME = 1500;

export interface LeaseOptions {
  /** ms since the epoch. */
  readonly now: () => number;
  /** How long a holder elsewhere may stay silent before its lease can be taken over, ms. */
  readonly ttlMs: number;
}

/** Opens the leases of a cache folder (absolute). Throws `STORE_UNUSABLE`, or what LMDB throws. */
export function openLeases(root: string, options: LeaseOptions): LeaseStore {
  const layout = layoutOf(root);
  const all = leasesFolder(layout);
  const boot = bootId(options.now());
  const db = join(all, boot);
  mkdirSync(db, { recursive: true });
  for (const old of readdirSync(all)) if (old !== boot) rmSync(join(all, old), { recursive: true, force: true });
  const place = { ...layout, db };
  requireUsable(place, false);
  if (damageOf(place) !== undefined) rmSync(join(db, 'data.mdb'), { force: true });
  const env = loadLmdb().open<Bytes, Bytes>({
    path: db,
    encoding: 'binary',
    keyEncoding: 'binary',
    noSync: true,
    overlappingSync: false,
    ...{ eventTurnBatching: false },
    maxReaders: 1024,
    maxDbs: 4,
  });
  return new LmdbLeases(env, db, options);
}

class LmdbLeases implements LeaseStore {
  readonly #env: RootDatabase<Bytes, Bytes>;
  readonly #table: Database<Bytes, Bytes>;
  /** By the same names: a lease and what it left, as one value. */
  readonly #notes: Database<Bytes, Bytes>;
  readonly #folder: string;
  readonly #options: LeaseOptions;
  #closed = false;

  constructor(env: RootDatabase<Bytes, Bytes>, folder: string, options: LeaseOptions) {
    this.#env = env;
    this.#table = env.openDB<Bytes, Bytes>({ name: 'leases', encoding: 'binary', keyEncoding: 'binary' });
    this.#notes = env.openDB<Bytes, Bytes>({ name: 'notes', encoding: 'binary', keyEncoding: 'binary' });
    this.#folder = folder;
    this.#options = options;
  }

  acquire(name: string, mayTake: (held: Lease) => boolean): Acquired {
    return this.#write(() => {
      const held = this.#get(name);
      if (held !== undefined && !mayTake(held)) return { kind: 'held', lease: held };
      const now = this.#options.now();
      const lease = {
        name,
        owner: SELF,
        token: this.#nextToken(),
        acquired: now,
        renewed: now,
        ttl: this.#options.ttlMs,
      };
      this.#put(lease);
      return { kind: 'acquired', lease, note: this.#note(name)?.text };
    });
  }

  #nextToken(): number {
    const counter = this.#table.getBinary(COUNTER);
    const token = (counter === undefined ? 0 : Number(readStored(counter))) + 1;
    this.#table.putSync(COUNTER, Buffer.from(encode(token)));
    return token;
  }

  renew(lease: Lease): boolean {
    return this.#write(() => {
      const held = this.#get(lease.name);
      if (held?.token !== lease.token) return false;
      this.#put({ ...held, renewed: this.#options.now() });
      return true;
    });
  }

  release(lease: Lease, note?: Uint8Array): void {
    this.#write(() => {
      if (this.#get(lease.name)?.token !== lease.token) return;
      const key = keyOf(lease.name);
      this.#table.removeSync(key);
      if (note !== undefined) this.#notes.putSync(key, Buffer.from(encode([fieldsOf(lease), note])));
    });
  }

  forget(leases: readonly Lease[]): void {
    this.#write(() => {
      for (const { name, token } of leases) {
        if (this.#note(name)?.lease.token === token) this.#notes.removeSync(keyOf(name));
      }
    });
  }

  holder(name: string): Lease | undefined {
    this.#requireOpen();
    this.#env.resetReadTxn();
    return this.#get(name);
  }

  list(): readonly Lease[] {
    this.#requireOpen();
    this.#env.resetReadTxn();
    const leases: Lease[] = [];
    for (const { key, value } of this.#table.getRange()) {
      const lease = key.length === 1 && key[0] === 0 ? undefined : leaseOf(value);
      if (lease !== undefined) leases.push(lease);
    }
    return leases;
  }

  clear(which: (lease: Lease) => boolean): number {
    return this.#write(() => {
      const gone = this.list().filter(which);
      for (const lease of gone) this.#table.removeSync(keyOf(lease.name));
      const notes = [...this.#notes.getRange()].map(({ value }) => noteOf(value));
      for (const note of notes)
        if (note !== undefined && which(note.lease)) this.#notes.removeSync(keyOf(note.lease.name));
      return gone.length;
    });
  }

  /** Holders that are not done yet find no leases any more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#env.close();
  }

  #requireOpen(): void {
    if (this.#closed) throw new FlecheError('STORE_UNUSABLE', `the leases in ${this.#folder} are closed`);
  }

  #get(name: string): Lease | undefined {
    const bytes = this.#table.getBinary(keyOf(name));
    return bytes === undefined ? undefined : leaseOf(bytes);
  }

  #note(name: string): Note | undefined {
    const bytes = this.#notes.getBinary(keyOf(name));
    return bytes === undefined ? undefined : noteOf(bytes);
  }

  #put(lease: Lease): void {
    this.#table.putSync(keyOf(lease.name), Buffer.from(encode(fieldsOf(lease))));
  }

  /** One step that no other process can come between. A folder that was removed meanwhile has no leases to respect. */
  #write<T>(step: () => T): T {
    this.#requireOpen();
    if (!existsSync(this.#folder)) return step();
    return this.#env.transactionSync(step);
  }
}

function keyOf(name: string): Buffer {
  return Buffer.from(name).subarray(0, LONGEST_NAME);
}

/** What was stored, or undefined for bytes of another format: such a lease is nobody's. */
function readStored(bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

function fieldsOf({ name, owner, token, acquired, renewed, ttl }: Lease): readonly unknown[] {
  return [name, owner.id, owner.pid, owner.host, token, acquired, renewed, ttl];
}

function leaseOf(bytes: Uint8Array): Lease | undefined {
  return leaseOfFields(readStored(bytes));
}

interface Note {
  readonly lease: Lease;
  readonly text: Uint8Array;
}

function noteOf(bytes: Uint8Array): Note | undefined {
  const stored = readStored(bytes);
  if (!Array.isArray(stored)) return undefined;
  const lease = leaseOfFields(stored[0]);
  const text: unknown = stored[1];
  return lease === undefined || !(text instanceof Uint8Array) ? undefined : { lease, text };
}

function leaseOfFields(fields: unknown): Lease | undefined {
  if (!Array.isArray(fields) || fields.length !== 8) return undefined;
  const [name, id, pid, host, token, acquired, renewed, ttl] = fields as [
    string,
    string,
    number,
    string,
    number,
    number,
    number,
    number,
  ];
  return { name, owner: { id, pid, host }, token, acquired, renewed, ttl };
}
