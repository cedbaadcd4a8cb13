/** What a shelf tells of itself, to whoever listens. */
import type { FlecheError } from '../../base/errors.ts';
import type { Conflict } from './backing/backing.ts';

export interface ShelfEvents<K, V> {
  /** Changes are at rest. */
  readonly saved: { readonly written: number; readonly removed: number };
  /** The contents are in memory: what was kept, or what was made because there was nothing. */
  readonly loaded: { readonly size: number; readonly from: 'rest' | 'build' | 'nothing' };
  /** The shelf was emptied: by the invalidation of the shelf `by`, in this process or `elsewhere`. */
  readonly invalidated: { readonly by: string; readonly elsewhere: boolean };
  /** Something could not be read, or could not be saved and is tried again. */
  readonly error: FlecheError;
  /** This process wrote over a change of somebody else. */
  readonly conflict: Conflict<K, V>;
}

export type ShelfEvent = keyof ShelfEvents<unknown, unknown>;

type Listeners<K, V> = { readonly [E in ShelfEvent]: Set<(event: ShelfEvents<K, V>[E]) => void> };

export class Signals<K, V> {
  readonly #listeners: Listeners<K, V> = {
    saved: new Set(),
    loaded: new Set(),
    invalidated: new Set(),
    error: new Set(),
    conflict: new Set(),
  };
  readonly #onThrown: (error: unknown) => void;

  /** `onThrown` is told what listeners throw: it is nobody else's business. */
  constructor(onThrown: (error: unknown) => void) {
    this.#onThrown = onThrown;
  }

  /** Calls the listener at every such event, until the function it returns is called. */
  on<E extends ShelfEvent>(event: E, listener: (event: ShelfEvents<K, V>[E]) => void): () => void {
    const listeners = this.#listeners[event];
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  /** Whether there was anybody to tell. */
  emit<E extends ShelfEvent>(event: E, about: ShelfEvents<K, V>[E]): boolean {
    const listeners = [...this.#listeners[event]];
    for (const listener of listeners) {
      try {
        listener(about);
      } catch (error) {
        this.#onThrown(error);
      }
    }
    return listeners.length > 0;
  }
}
