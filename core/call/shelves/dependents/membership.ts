/** What a shelf needs of its manager, and what the manager needs of its shelves. */
import type { Awaitable } from '../../../base/awaitable.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Steps } from '../../../base/steps.ts';
import type { Epochs } from './epochs.ts';
import type { Dependency, Item, Outsider, ShelfNode } from './graph.ts';

/** A manager as its shelves see it. */
export interface ManagerLink {
  readonly name: string;
  readonly epochs: Epochs;
  readonly clock: Clock;
  /** Told what nobody else was told. */
  report(error: unknown, shelf: string): void;
  /** Empties a shelf and everything made from it, in memory at once, at rest and outside. */
  invalidate(name: string): Steps<void>;
  /** Empties what a shelf is made from, as far as that was invalidated by another process. Tells of trouble itself. */
  catchUp(name: string): void;
  /** Empties a shelf that was invalidated by another process, and every other one that was. */
  notice(name: string): Steps<void>;
  /** Invalidates and builds anew a shelf and everything made from it. */
  rebuild(name: string): Steps<void>;
  link(name: string, parent: Dependency): void;
  unlink(name: string, parent: Dependency): boolean;
  linkOutsider(outsider: Outsider, name: string): void;
  unlinkOutsider(outsider: Outsider, name: string): boolean;
  /** What a shelf is directly made from, and what is directly made from it. */
  parents(name: string): readonly Item[];
  children(name: string): readonly Item[];
  /** The shelf is closed: its name is free. */
  released(name: string): void;
}

/** A shelf as its manager sees it. */
export interface Member extends ShelfNode {
  /** Whether the manager's store must say that it was invalidated although nothing of it is there. */
  readonly isForeign: boolean;
  /** Whether its contents outlive it. */
  readonly keeps: boolean;
  /** Becomes empty in memory, as if it had never been loaded. */
  drop(): void;
  /** Tells that it was emptied. */
  announce(by: string, elsewhere: boolean): void;
  /** Calls the hook that removes what is kept, when no save is under way. */
  erase(): Awaitable<unknown>;
  /** Loads or builds it, if that has not been done. */
  open(): Awaitable<void>;
  /** It could not be built: it is empty until it is invalidated again. */
  leaveEmpty(): void;
  isCurrent(): boolean;
  /** Is emptied, before it returns, if it was invalidated elsewhere. */
  catchUp(): void;
  /** Its edges, or those of what it is made from, are other ones now. */
  relink(): void;
  /** Saves what has changed if it has been loaded. */
  saveIfReady(): Steps<void>;
  /** Saves, unless it is to discard, and closes. */
  close(discard: boolean): Steps<void>;
  /** Nothing is left for the process to do: the time for saves that need some. */
  saveAtIdle(): void;
  /** The last moment of the process: the time for saves that need none. */
  saveAtExit(): void;
}
