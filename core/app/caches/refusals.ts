/**
 * Keys that were invalidated here and are not to be answered by shared caches until they are made anew: otherwise what
 * was put away would come back at once. Part of the state of a workspace; losing it brings such answers back.
 */
import type { Key } from '../../base/hash.ts';
import type { StateStore } from '../../store/state.ts';

const MARK = new Uint8Array(1);

export class Refusals {
  readonly #state: StateStore;

  constructor(state: StateStore) {
    this.#state = state;
  }

  has(key: Key): boolean {
    return this.#state.get(nameOf(key)) !== undefined;
  }

  add(keys: Iterable<Key>): void {
    for (const key of keys) this.#state.put(nameOf(key), MARK);
    this.#state.flush();
  }

  delete(key: Key): void {
    if (this.has(key)) this.#state.delete(nameOf(key));
  }
}

function nameOf(key: Key): string {
  return `shared-refused/${key}`;
}
