/**
 * Leases on disk, in an LMDB environment of their own that never waits for the disk: a lease is taken in microseconds.
 * A crash of a process loses nothing. A power cut could leave the files damaged, but with them goes every holder: the
 * environment's folder is named by the machine's start, and one of an earlier start is never opened again.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, RootDatabaseOptions } from 'lmdb';
import { FlecheError } from '../../base/errors.ts';
import { sweep } from '../hold.ts';
import { dataFile, isTurnOf, type Layout, layoutOf, leasesFolder, lockFile } from '../layout.ts';
import type { Acquired, Lease, LeaseStore } from '../leases.ts';
import { bootId, SELF } from '../owner.ts';
import { SturdyLeases, type SturdyOptions } from '../sturdy-leases.ts';
import { damageOf, requireUsable, unusable } from './lmdb-guard.ts';
import { Root } from './lmdb-root.ts';
import { removeMarks, staleMarks } from './lmdb-users.ts';

type Bytes = Uint8Array;

/** Sorts before every name, which are at least one character long. */
const COUNTER = Buffer.of(0);
const LONGEST_NAME = 1500;

const SETTINGS: RootDatabaseOptions = {
  encoding: 'binary',
  keyEncoding: 'binary',
  noSync: true,
  overlappingSync: false,
  ...{ eventTurnBatching: false },
  maxReaders: 1024,
  maxDbs: 2,
};

/**
 * Opens the leases of a cache folder (absolute), and removes what processes that are gone left there. Throws `STORE_UNUSABLE`, or what
 * LMDB throws.
 */
export function openLeases(root: string, options: SturdyOptions): LeaseStore {
  const layout = layoutOf(root);
  const all = leasesFolder(layout);
  const boot = bootId(options.now());
  const db = join(all, boot);
  mkdirSync(db, { recursive: true });
  for (const old of readdirSync(all)) {
    if (old !== boot && !isTurnOf(old, boot)) rmSync(join(all, old), { recursive: true, force: true });
  }
  const place = { ...layout, db };
  const isSound = (): boolean => {
    mend(place, options.now());
    return true;
  };
  const opened = Root.enter(place, { settings: SETTINGS, readOnly: false, isSound });
  if (opened === undefined) throw unusable(place, 'its leases cannot be opened');
  const leases = new SturdyLeases(new LmdbLeases(opened, db, options), options);
  sweep(leases, options.now());
  return leases;
}

/** Makes the place one that can be opened. */
function mend(place: Layout, now: number): void {
  requireUsable(place, false);
  removeMarks(staleMarks(place, now));
  if (damageOf(place) === undefined) return;
  // With its locks: who has the damaged one open must not share them with those who open the next.
  for (const file of [dataFile(place), lockFile(place)]) rmSync(file, { recursive: true, force: true });
}

class LmdbLeases implements LeaseStore {
  readonly #root: Root;
  readonly #table: Database<Bytes, Bytes>;
  /** Whether steps are being taken as one. */
  #isTogether = false;
  /** The last token that was given out by the steps of this moment, if one was. */
  #token: number | undefined;
  readonly #folder: string;
  readonly #options: SturdyOptions;
  #closed = false;

  constructor(root: Root, folder: string, options: SturdyOptions) {
    this.#root = root;
    this.#table = root.transact(() =>
      root.database.openDB<Bytes, Bytes>({ name: 'leases', encoding: 'binary', keyEncoding: 'binary' }),
    );
    this.#folder = folder;
    this.#options = options;
  }

  acquire(name: string, mayTake: (held: Lease) => boolean): Acquired {
    return this.#write(() => {
      const { lease: held, note } = this.#get(name);
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
      this.#put(name, { lease, note });
      return { kind: 'acquired', lease, note: note?.text };
    });
  }

  #nextToken(): number {
    this.#token = (this.#token ?? this.#lastToken()) + 1;
    return this.#token;
  }

  #lastToken(): number {
    const counter = this.#table.getBinary(COUNTER);
    return counter?.length === TOKEN_BYTES ? counter.readDoubleBE() : 0;
  }

  /** Takes steps between which no other process comes, and puts down the last token once for all of them. */
  #step<T>(steps: () => T): T {
    try {
      return steps();
    } finally {
      if (this.#token !== undefined) {
        const bytes = Buffer.allocUnsafe(TOKEN_BYTES);
        bytes.writeDoubleBE(this.#token);
        this.#token = undefined;
        this.#table.putSync(COUNTER, bytes);
      }
    }
  }

  renew(lease: Lease): boolean {
    return this.#write(() => {
      const { lease: held, note } = this.#get(lease.name);
      if (held?.token !== lease.token) return false;
      this.#put(lease.name, { lease: { ...held, renewed: this.#options.now() }, note });
      return true;
    });
  }

  release(lease: Lease, note?: Uint8Array): void {
    this.#write(() => {
      const entry = this.#get(lease.name);
      if (entry.lease?.token !== lease.token) return;
      this.#put(lease.name, { lease: undefined, note: note === undefined ? entry.note : { lease, text: note } });
    });
  }

  together(steps: () => void): void {
    if (this.#isTogether) return steps();
    this.#write(() => {
      this.#isTogether = true;
      try {
        steps();
      } finally {
        this.#isTogether = false;
      }
    });
  }

  forget(leases: readonly Lease[]): void {
    this.#write(() => {
      for (const { name, token } of leases) {
        const bytes = this.#table.getBinary(keyOf(name));
        if (bytes === undefined || bytes.length < TOKEN_BYTES || bytes.readDoubleBE() !== token) continue;
        this.#put(name, { lease: this.#get(name).lease, note: undefined });
      }
    });
  }

  holder(name: string): Lease | undefined {
    this.#requireOpen();
    this.#root.database.resetReadTxn();
    return this.#get(name).lease;
  }

  list(which?: (name: string) => boolean): readonly Lease[] {
    this.#requireOpen();
    this.#root.database.resetReadTxn();
    return [...this.#entries(which)].flatMap(({ lease }) =>
      lease === undefined || which?.(lease.name) === false ? [] : lease,
    );
  }

  clear(which: (lease: Lease) => boolean): number {
    return this.#write(() => {
      let gone = 0;
      for (const { lease, note } of [...this.#entries()]) {
        const isGone = lease !== undefined && which(lease);
        const isForgotten = note !== undefined && which(note.lease);
        const name = lease?.name ?? note?.lease.name;
        if (name === undefined || !(isGone || isForgotten)) continue;
        if (isGone) gone++;
        this.#put(name, { lease: isGone ? undefined : lease, note: isForgotten ? undefined : note });
      }
      return gone;
    });
  }

  /** Holders that are not done yet find no leases any more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#root.leave();
  }

  #requireOpen(): void {
    if (this.#closed) throw new FlecheError('STORE_UNUSABLE', `the leases in ${this.#folder} are closed`);
  }

  #get(name: string): Entry {
    const bytes = this.#table.getBinary(keyOf(name));
    return bytes === undefined ? NOTHING : readEntry(bytes);
  }

  /** Those that `which` does not take are not read, as far as their names can be told from where they stand. */
  *#entries(which?: (name: string) => boolean): Generator<Entry, void, undefined> {
    for (const { key, value } of this.#table.getRange()) {
      if (key.length === 1 && key[0] === 0) continue;
      if (which === undefined || key.length === LONGEST_NAME || which(nameOf(key))) yield readEntry(Buffer.from(value));
    }
  }

  #put(name: string, entry: Entry): void {
    if (entry.lease === undefined && entry.note === undefined) this.#table.removeSync(keyOf(name));
    else this.#table.putSync(keyOf(name), entryBytes(entry));
  }

  /** One step that no other process can come between. A folder that was removed meanwhile has no leases to respect. */
  #write<T>(step: () => T): T {
    this.#requireOpen();
    if (this.#isTogether) return step();
    const whole = (): T => this.#step(step);
    return existsSync(this.#folder) ? this.#root.transact(whole) : whole();
  }
}

function keyOf(name: string): Buffer {
  return Buffer.from(name).subarray(0, LONGEST_NAME);
}

/** The name of a key that is not cut short. */
function nameOf(key: Bytes): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString();
}

/** What stands under a name: who holds it now, and what somebody left there. */
interface Entry {
  readonly lease: Lease | undefined;
  readonly note: { readonly lease: Lease; readonly text: Uint8Array } | undefined;
}

const NOTHING: Entry = { lease: undefined, note: undefined };

/**
 * At rest: the token of who left the note (8 bytes, 0 if there is none), the length of the leases (4 bytes), the leases
 * of holder and leaver in JSON, the note. Leases are no answers, and of another version nobody's: what is quick is best.
 */
const TOKEN_BYTES = 8;
const HEADER_BYTES = TOKEN_BYTES + 4;

function entryBytes({ lease, note }: Entry): Buffer {
  const leases = JSON.stringify([lease && fieldsOf(lease), note && fieldsOf(note.lease)]);
  const length = Buffer.byteLength(leases);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length + (note?.text.length ?? 0));
  bytes.writeDoubleBE(note?.lease.token ?? 0);
  bytes.writeUInt32BE(length, TOKEN_BYTES);
  bytes.write(leases, HEADER_BYTES);
  if (note !== undefined) bytes.set(note.text, HEADER_BYTES + length);
  return bytes;
}

/** Nothing for bytes of another format: such a lease is nobody's. */
function readEntry(bytes: Buffer): Entry {
  try {
    const end = HEADER_BYTES + bytes.readUInt32BE(TOKEN_BYTES);
    const [holder, leaver] = JSON.parse(bytes.toString('utf8', HEADER_BYTES, end)) as [unknown, unknown];
    const left = leaseOf(leaver);
    return { lease: leaseOf(holder), note: left && { lease: left, text: Buffer.from(bytes.subarray(end)) } };
  } catch {
    return NOTHING;
  }
}

function fieldsOf({ name, owner, token, acquired, renewed, ttl }: Lease): readonly unknown[] {
  return [name, owner.id, owner.pid, owner.host, token, acquired, renewed, ttl];
}

function leaseOf(fields: unknown): Lease | undefined {
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
