/**
 * An environment as this thread has it open: once, by however many stores it is used, since what LMDB opened for reading
 * first cannot be opened for writing as well. Opening, closing and commits are kept apart from those of other processes, and
 * what is still open when the process ends is closed then.
 *
 * Knows nothing of what is in it.
 */
import type { RootDatabase, RootDatabaseOptions } from 'lmdb';
import type { Layout } from '../layout.ts';
import { identityOf, isWritable } from './lmdb-guard.ts';
import { loadLmdb } from './lmdb-load.ts';
import type { Bytes } from './lmdb-table.ts';
import { alone, Mark } from './lmdb-users.ts';

/** Those that are open, by their folder. */
const roots = new Map<string, Root>();

interface RootOptions {
  readonly settings: RootDatabaseOptions;
  /** Nothing is to be written by who says so, though the environment may be one that takes it. */
  readonly readOnly: boolean;
  /** Whether the environment may be opened. Asked while nobody else uses it; may set another in its place. */
  readonly isSound: () => boolean;
}

export class Root {
  readonly layout: Layout;
  /** Tells whether the data file is still the one that is open. */
  readonly identity: string | undefined;
  readonly database: RootDatabase<Bytes, Bytes>;
  #mark: Mark | undefined;
  #users = 0;

  /**
   * Opens an environment, or joins those who have it open. Undefined if it is not sound. Throws what `isSound` throws, and
   * what LMDB throws.
   */
  static enter(layout: Layout, options: RootOptions): Root | undefined {
    // Loading takes longer than all that others have to wait for.
    loadLmdb();
    const marked = roots.get(layout.db)?.mark;
    const made = options.readOnly || marked !== undefined ? undefined : new Mark(layout);
    const mark = made ?? marked;
    const enter = (): Root | undefined => (options.isSound() ? Root.#join(layout, options, made) : undefined);
    let root: Root | undefined;
    try {
      root = mark === undefined ? alone(layout, enter) : mark.alone(enter);
      return root;
    } finally {
      if (root === undefined) made?.remove();
    }
  }

  static #join(layout: Layout, options: RootOptions, made: Mark | undefined): Root {
    const known = roots.get(layout.db);
    const isSame = known !== undefined && known.identity === identityOf(layout);
    const root = isSame ? known : new Root(layout, options);
    if (!options.readOnly) root.#mark ??= made ?? new Mark(layout);
    root.#users++;
    roots.set(layout.db, root);
    return root;
  }

  private constructor(layout: Layout, { settings, readOnly }: RootOptions) {
    this.layout = layout;
    // Who joins later may want to write.
    const isReadOnly = readOnly && !isWritable(layout);
    this.database = loadLmdb().open<Bytes, Bytes>({ ...settings, path: layout.db, readOnly: isReadOnly });
    this.identity = identityOf(layout);
    open.add(this);
    closeRootsAtExit();
  }

  private get mark(): Mark | undefined {
    return this.#mark;
  }

  /** Runs a step that may write, in a transaction: all of it or nothing. Throws what it throws, and what LMDB throws. */
  transact<T>(step: () => T): T {
    const commit = (): T => this.database.transactionSync(step);
    return this.#mark === undefined ? commit() : this.#mark.during(commit);
  }

  /** For each who entered, once. The last one closes it. */
  leave(): void {
    if (--this.#users === 0) this.close();
  }

  close(): void {
    if (!open.delete(this)) return;
    if (roots.get(this.layout.db) === this) roots.delete(this.layout.db);
    // At once, since nothing is ever put outside a transaction that is over.
    const end = (): void => void this.database.close();
    if (this.#mark === undefined) return alone(this.layout, end);
    this.#mark.alone(end);
    this.#mark.remove();
  }
}

const open = new Set<Root>();
let watching = false;

/** After the listeners of those who write until then; to be called before those begin, since they may open one. */
export function closeRootsAtExit(): void {
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const each of open) each.close();
  });
}
