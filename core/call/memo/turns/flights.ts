/** Calls under way, so that one key is calculated once however many ask for it meanwhile. Of this process alone. */
import type { Key } from '../../../base/hash.ts';
import type { CacheCore } from '../../caches/cache-core.ts';

export class Flights {
  /** By cache, because another cache is to have its own answer. */
  readonly #flights = new Map<CacheCore, Map<Key, Promise<unknown>>>();

  /** The call under way for a key, if there is one. */
  of(cache: CacheCore, key: Key): Promise<unknown> | undefined {
    return this.#flights.size === 0 ? undefined : this.#flights.get(cache)?.get(key);
  }

  /** Keys of the calls under way. */
  keys(cache: CacheCore): Iterable<Key> {
    return this.#flights.get(cache)?.keys() ?? [];
  }

  /** Takes note of a call until it is settled; a later one for the same key takes its place. Returns `flight`. */
  track(cache: CacheCore, key: Key, flight: Promise<unknown>): Promise<unknown> {
    const flights = this.#flights.get(cache) ?? new Map<Key, Promise<unknown>>();
    this.#flights.set(cache, flights);
    flights.set(key, flight);
    const land = (): void => {
      if (flights.get(key) === flight) flights.delete(key);
      if (flights.size === 0 && this.#flights.get(cache) === flights) this.#flights.delete(cache);
    };
    flight.then(land, land);
    return flight;
  }

  /** Forgets the call under way for a key; it goes on, and its callers get the answer. */
  forget(cache: CacheCore, key: Key): void {
    this.#flights.get(cache)?.delete(key);
  }

  /** Forgets all of them; those under way go on, and their callers get the answer. */
  clear(): void {
    this.#flights.clear();
  }
}
