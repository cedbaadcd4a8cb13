/** Managers in folders of their own, on a machine whose time passes when it is told to and that never ends by itself. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import { FlecheError } from '../../../core/base/errors.ts';
import { Manager, type ManagerOptions } from '../../../core/call/shelves/manager.ts';
import type { EndListener } from '../../../core/store/process-end.ts';
import { type ShelfHost, systemHost } from '../../../core/store/shelf-host.ts';
import type { ShelfStore, ShelfWrites } from '../../../core/store/shelf-store.ts';
import { codeOfLater } from '../../_thrown.ts';

const system = systemHost({});

export class FakeHost implements ShelfHost {
  /** Whether the disk is full. */
  isFull = false;
  /** Whether no store can be opened. */
  isLocked = false;
  /** Write transactions so far. */
  writes = 0;
  readonly #root: string;
  #now = 0;
  #timers: { readonly at: number; readonly call: () => void }[] = [];
  readonly #listeners = new Set<EndListener>();

  constructor(root: string) {
    this.#root = root;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.#now + ms, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Lets time pass, with every timer at its own time. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.reduce<{ at: number; call: () => void } | undefined>(
        (first, timer) => (timer.at <= end && timer.at < (first?.at ?? Number.POSITIVE_INFINITY) ? timer : first),
        undefined,
      );
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
    }
    this.#now = end;
  }

  folderOf(manager: string, dir: string | undefined): string {
    return system.folderOf(manager, dir ?? this.#root);
  }

  exists(folder: string): boolean {
    return system.exists(folder);
  }

  open(folder: string, onTrouble: (message: string) => void): ShelfStore {
    if (this.isLocked) throw new FlecheError('STORE_UNUSABLE', 'no permission');
    const store = system.open(folder, onTrouble);
    const host = this;
    return {
      read: (work) => store.read(work),
      write<T>(work: (writes: ShelfWrites) => T): T {
        if (host.isFull) throw new Error('no space left');
        host.writes++;
        return store.write(work);
      },
      stamp: () => store.stamp(),
      identity() {
        if (host.isFull) throw new Error('no space left');
        return store.identity();
      },
      close: () => store.close(),
    };
  }

  onEnd(listener: EndListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The process has nothing left to do. */
  idle(): void {
    for (const listener of this.#listeners) listener.idle();
  }

  /** The process exits. */
  exit(): void {
    for (const listener of this.#listeners) listener.exit();
  }
}

interface Desk {
  readonly root: string;
  readonly host: FakeHost;
  /** Errors that nobody else was told of. */
  readonly errors: unknown[];
  /** A manager as a process of its own would have it; the ones before are still there. */
  start(options?: ManagerOptions, name?: string): Manager;
}

/** A test with a folder of its own; managers are closed afterwards, without saving. */
export function check(name: string, work: (desk: Desk) => Promise<void> | void): void {
  test(name, async () => {
    const root = mkdtempSync(join(tmpdir(), 'fleche-'));
    const host = new FakeHost(root);
    const errors: unknown[] = [];
    const started: Manager[] = [];
    try {
      await work({
        root,
        host,
        errors,
        start(options, name = 'test') {
          const manager = new Manager(
            name,
            { onError: (error) => void errors.push(error), ...options },
            host,
            () => {},
          );
          started.push(manager);
          return manager;
        },
      });
    } finally {
      for (const manager of started) await manager.close({ discard: true });
      rmSync(root, { recursive: true, force: true });
    }
  });
}

/** The code of what a promise was rejected with. */
export function rejection(promise: Promise<unknown>): Promise<string | undefined> {
  return codeOfLater(() => promise);
}

/** The error that a promise was rejected with, of a type. */
export async function rejectionOf<T>(
  type: abstract new (...args: never[]) => T,
  promise: Promise<unknown>,
): Promise<T> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof type) return error;
    throw error;
  }
  throw new Error('it was not rejected');
}

/** A promise and what settles it. */
export function deferred<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
