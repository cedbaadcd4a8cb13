/**
 * The LMDB environment of a cache folder, and the one way things are written into it: what the stores of this process
 * have put is kept back until the next turn of the event loop, or until the last commit is 100 ms past (or 1000 entries, or
 * 4 MB, or a flush), then committed in one transaction. A commit that fails loses what it would have written and is told
 * once; it never throws at a caller. A process that is killed loses what it has kept back.
 *
 * A child process inherits the descriptor of the data file (LMDB does not open it close-on-exec, and Node has no call to
 * change that), so a grandchild that outlives this process keeps the disk space of a deleted cache in use.
 */
import type { RootDatabaseOptions } from 'lmdb';
import { FlecheError, messageOf } from '../../base/errors.ts';
import { type Layout, prepareLayout } from '../layout.ts';
import { steadyNow } from '../pause.ts';
import { damageOf, distrust, identityOf, requireUsable, setAside, unusable } from './lmdb-guard.ts';
import { closeRootsAtExit, Root } from './lmdb-root.ts';
import { Table } from './lmdb-table.ts';
import { removeMarks, staleMarks } from './lmdb-users.ts';

interface EnvOptions {
  /** Told in one sentence, at most once for each kind of trouble, what went wrong beside the answers. */
  readonly onTrouble: (message: string) => void;
  readonly now: () => number;
  readonly readOnly: boolean;
  /** The databases that are used; the others find nothing. Default: those of a cache. */
  readonly tables?: readonly TableName[];
  /** One that is not there is made when something is written first, and opened when it has come to be there. */
  readonly isMadeLater?: boolean;
}

/** What a store keeps back until the next commit. */
export interface Pending {
  /** Puts all of it into the tables. Runs inside a write transaction. */
  write(): void;
  /** Forgets all of it: it has been written, or is lost. */
  clear(): void;
}

/** A commit takes about 1 ms, with a fast disk, so one that follows another waits until this has gone by, ms. */
const INTERVAL = 100;
/** Entries and bytes that may wait for a commit. */
const MOST_ENTRIES = 1000;
const MOST_BYTES = 4 * 1024 * 1024;

/** Named databases only: clearing or sharing the unnamed one is what breaks. Keys are bytes everywhere. */
const CACHE_TABLES = ['values', 'aliases', 'packed', 'calls', 'index', 'state'] as const;
type TableName = (typeof CACHE_TABLES)[number] | 'shelves';

const SETTINGS: RootDatabaseOptions = {
  encoding: 'binary',
  keyEncoding: 'binary',
  overlappingSync: false,
  // Declared nowhere, but read: without it puts outside a transaction can reject where nobody can catch it.
  ...{ eventTurnBatching: false },
  maxReaders: 1024,
  maxDbs: 12,
};

const TABLE_SETTINGS = { encoding: 'binary', keyEncoding: 'binary' } as const;

/**
 * LMDB's error numbers for a file that contradicts itself, as against a full disk or too many readers: PAGE_NOTFOUND,
 * CORRUPTED, INVALID, BAD_TXN (what a failed read of the index comes out as) and PROBLEM.
 */
const CONTRADICTIONS = new Set<unknown>([-30797, -30796, -30793, -30782, -30779]);

type Trouble = 'aside' | 'read' | 'write' | 'damaged' | 'gone';

export class LmdbEnv {
  readonly layout: Layout;
  readonly #options: EnvOptions;
  readonly #tables: Readonly<Record<TableName, Table>>;
  readonly #pending: Pending[] = [];
  readonly #told = new Set<Trouble>();
  #root: Root | undefined;
  #entries = 0;
  #bytes = 0;
  #due: NodeJS.Timeout | undefined;
  /** When the last commit was done, by a clock that is never set. */
  #committed = Number.NEGATIVE_INFINITY;
  #closed = false;
  /** Whether it is still to be made. */
  #isToBeMade = false;

  /** Opens or makes the environment. Throws `STORE_UNUSABLE` where that cannot be done. */
  constructor(layout: Layout, options: EnvOptions) {
    this.layout = layout;
    this.#options = options;
    const table = (): Table =>
      new Table(
        (error) => this.#readFailed(error),
        () => this.#openIfMade(),
      );
    this.#tables = {
      values: table(),
      aliases: table(),
      packed: table(),
      calls: table(),
      index: table(),
      state: table(),
      shelves: table(),
    };
    commitAtExit(this);
    try {
      this.#isToBeMade = options.isMadeLater === true && !options.readOnly && identityOf(layout) === undefined;
      if (this.#isToBeMade) this.#prepareLater();
      else this.#open();
    } catch (error) {
      atExit.delete(this);
      throw error;
    }
  }

  get readOnly(): boolean {
    return this.#options.readOnly;
  }

  now(): number {
    return this.#options.now();
  }

  table(name: TableName): Table {
    return this.#tables[name];
  }

  /** Adds a store whose pending entries join every commit, after those of the stores added before it. */
  join(pending: Pending): void {
    this.#pending.push(pending);
  }

  /** Notes that an entry of about `bytes` bytes waits to be written. May commit. */
  changed(bytes: number): void {
    if (this.#closed) return this.#forget();
    this.#entries++;
    this.#bytes += bytes;
    if (this.#entries >= MOST_ENTRIES || this.#bytes >= MOST_BYTES) return this.commit();
    if (this.#due !== undefined) return;
    // Nothing is lost with a process that ends meanwhile: it commits at its exit.
    const wait = Math.max(0, this.#committed + INTERVAL - steadyNow());
    this.#due = setTimeout(() => this.commit(), wait).unref();
  }

  /** Writes everything that waits, durably, in one transaction. */
  commit(): void {
    clearTimeout(this.#due);
    this.#due = undefined;
    if (this.#entries === 0) return;
    try {
      if (this.#isToBeMade) this.#open();
      else if (identityOf(this.layout) !== this.#root?.identity) this.#reopen();
      this.#root?.transact(() => {
        for (const pending of this.#pending) pending.write();
      });
      this.#forget();
    } catch (error) {
      this.#forget();
      this.#contradicts(error);
      this.lost(error);
    }
    this.#committed = steadyNow();
  }

  /**
   * Runs `action` in one write transaction: all of it or nothing, durable on return. Throws what `action` throws, what
   * the database throws, and `STORE_UNUSABLE` when there is none.
   */
  transact<T>(action: () => T): T {
    this.commit();
    try {
      if (!this.#closed && this.#isToBeMade) this.#open();
      else if (!this.#closed && identityOf(this.layout) !== this.#root?.identity) this.#reopen();
      if (this.#root === undefined) throw unusable(this.layout, 'it is closed');
      return this.#root.transact(action);
    } catch (error) {
      this.#contradicts(error);
      throw error;
    }
  }

  #forget(): void {
    this.#entries = 0;
    this.#bytes = 0;
    for (const pending of this.#pending) pending.clear();
  }

  /**
   * Sees what other processes have committed meanwhile. Reads of one turn of the event loop see one snapshot, which
   * matters only where a turn outlasts another process, as with `spawnSync`.
   */
  refresh(): void {
    this.#root?.database.resetReadTxn();
  }

  /** Afterwards nothing is found and nothing is kept. */
  async close(): Promise<void> {
    this.commit();
    this.#closed = true;
    atExit.delete(this);
    this.#detach();
  }

  #open(): void {
    const { layout } = this;
    const { readOnly } = this.#options;
    if (readOnly) {
      if (identityOf(layout) === undefined) return;
    } else this.#prepare();
    let root: Root | undefined;
    try {
      root = Root.enter(layout, { settings: SETTINGS, readOnly, isSound: () => this.#sound() });
      if (root !== undefined) this.#attach(root);
      this.#root = root;
      this.#isToBeMade = false;
    } catch (error) {
      root?.leave();
      throw error instanceof FlecheError ? error : unusable(layout, messageOf(error), error);
    }
  }

  #prepare(): void {
    const { layout } = this;
    try {
      for (const aside of prepareLayout(layout)) {
        this.#tell('aside', `no folder stood in the place of one of the cache; what did is now ${aside}`);
      }
    } catch (error) {
      throw unusable(layout, messageOf(error), error);
    }
  }

  /** What can be found out now of an environment that is to be made later. */
  #prepareLater(): void {
    this.#prepare();
    requireUsable(this.layout, false);
    closeRootsAtExit();
  }

  /** Somebody else may have made it meanwhile. */
  #openIfMade(): void {
    if (!this.#isToBeMade || this.#closed || identityOf(this.layout) === undefined) return;
    try {
      this.#open();
    } catch (error) {
      this.#isToBeMade = false;
      this.#readFailed(error);
    }
  }

  #attach(root: Root): void {
    const { readOnly, tables = CACHE_TABLES } = this.#options;
    const attach = (): void => {
      for (const name of tables) {
        this.#tables[name].attach(root.database.openDB({ name, ...TABLE_SETTINGS, ...{ create: !readOnly } }));
      }
    };
    // Databases that are new are made in one transaction, hence with one wait for the disk.
    if (readOnly) attach();
    else root.transact(attach);
  }

  /** Whether the environment may be opened; one that may not is set aside if it is ours to write. */
  #sound(): boolean {
    const { layout } = this;
    requireUsable(layout, this.#options.readOnly);
    const stale = staleMarks(layout, this.#options.now());
    const damage = damageOf(layout, stale.length > 0);
    if (damage === undefined) {
      if (!this.#options.readOnly) removeMarks(stale);
      return true;
    }
    if (this.#options.readOnly) {
      this.#tell('damaged', `the cache in ${layout.root} is damaged (${damage}) and is not used`);
      return false;
    }
    const aside = setAside(layout, this.#options.now(), stale.length > 0);
    if (aside !== undefined) {
      this.#tell(
        'damaged',
        `the cache was damaged (${damage}); it is now in ${aside}, and an empty one took its place`,
      );
    }
    return true;
  }

  /** The folder was deleted or replaced while it was open: what is open is nobody's any more. */
  #reopen(): void {
    this.#detach();
    this.#open();
    this.#tell(
      'gone',
      `the cache in ${this.layout.root} was removed or replaced while it was in use; what was in it is made again`,
    );
  }

  #detach(): void {
    const root = this.#root;
    this.#root = undefined;
    for (const table of Object.values(this.#tables)) table.attach(undefined);
    root?.leave();
  }

  #readFailed(error: unknown): void {
    // Every later read would fail too until the snapshot is given up.
    this.#root?.database.resetReadTxn();
    this.#contradicts(error);
    this.#tell('read', `the cache cannot be read (${messageOf(error)}); what it does not give is made again`);
  }

  /** Tells that something could not be kept. */
  lost(error: unknown): void {
    this.#tell('write', `the cache could not be written (${messageOf(error)}); what is not kept is made again`);
  }

  #contradicts(error: unknown): void {
    if (this.#options.readOnly || typeof error !== 'object' || error === null || !('code' in error)) return;
    if (CONTRADICTIONS.has(error.code)) distrust(this.layout, messageOf(error));
  }

  #tell(kind: Trouble, message: string): void {
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#options.onTrouble(message);
  }
}

const atExit = new Set<LmdbEnv>();
let watching = false;

/**
 * Commits what waits when the process ends by itself or by `process.exit`. The listener goes before all others, since
 * LMDB must not be used after those that its package may have added.
 */
function commitAtExit(env: LmdbEnv): void {
  atExit.add(env);
  if (watching) return;
  watching = true;
  process.prependListener('exit', () => {
    for (const each of atExit) each.commit();
  });
}
