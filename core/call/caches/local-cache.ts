/** A cache in a folder of this machine: values and calls in one LMDB environment, large values as files beside it. */
import { resolve } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import type { ValueCodec } from '../../store/codecs/value-codec.ts';
import type { LeaseStore } from '../../store/leases.ts';
import { type LmdbStores, openLmdb } from '../../store/lmdb/lmdb.ts';
import { openLeases } from '../../store/lmdb/lmdb-leases.ts';
import { Cache } from './cache.ts';
import type { Exclusion } from './cache-core.ts';

export interface LocalCacheOptions {
  /** Takes nothing; a folder that is not there is an empty cache. */
  readonly readOnly?: boolean;
  /** How new values are written; those of any codec are read. */
  readonly codec?: ValueCodec;
  /** Told, at most once for each kind of trouble, what went wrong beside the answers. Default: a process warning. */
  readonly onTrouble?: (message: string) => void;
}

/** How long a process on another machine may stay silent before its calls are made here, ms. */
const LEASE_TTL = 30_000;

const now = Date.now;

/** Any number of processes may have the same folder open. What is filed survives this process once it is flushed. */
export class LocalCache extends Cache {
  readonly #stores: LmdbStores;
  readonly #readOnly: boolean;
  readonly #onTrouble: (message: string) => void;
  #leases: LeaseStore | undefined;
  /** Null before it was tried. */
  #exclusion: Exclusion | undefined | null = null;

  /**
   * Opens the cache in `root`, relative to the current folder. If it is not there, its folder is made, and the rest when
   * something is filed. Throws `STORE_UNUSABLE` where no cache can be.
   */
  constructor(root: string, options: LocalCacheOptions = {}) {
    const { readOnly = false, onTrouble = (message) => process.emitWarning(message, 'FlecheWarning') } = options;
    const stores = openLmdb(resolve(root), { readOnly, onTrouble, isMadeLater: true });
    super(stores.values, stores.calls, options.codec);
    this.#stores = stores;
    this.#readOnly = readOnly;
    this.#onTrouble = onTrouble;
  }

  /** Opened when it is first asked for; what keeps it from being opened is told once. */
  override get exclusion(): Exclusion | undefined {
    if (this.#exclusion === null && !this.#readOnly) this.#exclusion = this.#open();
    return this.#exclusion ?? undefined;
  }

  #open(): Exclusion | undefined {
    try {
      this.#leases = openLeases(this.#stores.root, { now, ttlMs: LEASE_TTL, onTrouble: this.#onTrouble });
    } catch (error) {
      this.#onTrouble(`other processes cannot be heard of (${messageOf(error)}); calls may be made twice`);
      return undefined;
    }
    const { refresh, whenVisible } = this.#stores;
    return { leases: this.#leases, now, refresh, whenVisible };
  }

  override async close(): Promise<void> {
    await this.idle();
    // What is done once it is written is done with the leases.
    this.#stores.flush();
    await this.#leases?.close();
    await this.#stores.close();
  }
}
