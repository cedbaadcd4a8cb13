/**
 * One record pack of a project's tasks, as one tier uses it: it is fetched once so many of its answers were asked for that one
 * request for all of them takes less time, and it is made anew when answers were sent. Trouble with it costs time and no answer.
 */
import type { Key } from '../../base/hash.ts';
import type { Lanes } from '../../base/lanes.ts';
import type { Place } from '../../store/remote/envelope.ts';
import { bind, MAX_RECORD_PACK, type PackedRecord, unbind } from '../../store/remote/record-pack.ts';
import type { RemoteStore } from '../../store/remote/remote.ts';
import { isSigned, type Sealed, unsealVouched } from '../../store/remote/sealed.ts';
import type { Signer, Verifier } from '../../store/remote/signing.ts';
import type { SharedTally } from './tally.ts';

export interface RecordPackOptions {
  readonly store: RemoteStore;
  readonly namespace: string;
  readonly verifier: Verifier | undefined;
  readonly signer: Signer | undefined;
  readonly lanes: Lanes;
  readonly tally: SharedTally;
  readonly signal: AbortSignal;
}

/** What a record pack has of a key. */
export interface Found {
  readonly sealed: Sealed;
  readonly signer: string | null;
}

/** A record pack as it came. */
interface Fetched {
  readonly keys: ReadonlySet<Key>;
  /** Empty once it was let go. */
  readonly entries: Map<Key, PackedRecord>;
  readonly signer: string | null;
}

/** So many answers are asked for one by one: as many as take about as long as a record pack. */
const FEW = 4;
/** Larger records are asked for by themselves, bytes. */
const LARGEST = 160 * 1024;

export class SharedRecordPack {
  readonly #options: RecordPackOptions;
  readonly #place: Place;
  #asked = 0;
  #held = 0;
  #fetched: Promise<Fetched> | undefined;
  /** Records that were made by this process or came to it by themselves, and were verified, by name. */
  readonly #own = new Map<string, PackedRecord>();
  #isNews = false;

  constructor(key: Key, options: RecordPackOptions) {
    this.#options = options;
    this.#place = { key, namespace: options.namespace };
  }

  /** What is kept of it in memory, bytes. */
  get held(): number {
    return this.#held;
  }

  /** Keeps no more of it. */
  letGo(): void {
    this.#held = 0;
    this.#fetched?.then(({ entries }) => entries.clear());
  }

  /** Says that an answer which may be in it is about to be looked for. */
  expect(): void {
    this.#asked++;
  }

  /** What the record pack has of a key. Undefined where the key is to be asked for by itself. */
  async find(key: Key): Promise<Found | undefined> {
    if (this.#asked <= FEW) return undefined;
    // Without it everything is as it is with an empty one.
    this.#fetched ??= this.#fetch().catch(() => nothing());
    const { entries, signer } = await this.#fetched;
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    const opened = unsealVouched(entry.bytes, key, this.#options.verifier, { signer });
    return 'distrust' in opened ? undefined : opened;
  }

  async #fetch(): Promise<Fetched> {
    const { store, verifier, lanes, tally, signal } = this.#options;
    const bytes = await lanes.run(() => store.getRecord(this.#place.key, { limit: MAX_RECORD_PACK, signal }));
    if (bytes === undefined) return nothing();
    tally.bytesReceived += bytes.length;
    const unbound = await unbind(bytes, this.#place, verifier);
    if ('entries' in unbound) {
      this.#held = unbound.entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
      return fetched(unbound.entries, unbound.signer);
    }
    tally.reject(unbound.distrust);
    return nothing();
  }

  /** Notes a sealed record that came from the tier and was verified. */
  keep(entry: PackedRecord): void {
    if (entry.bytes.length <= LARGEST) this.#own.set(entry.name, entry);
  }

  /** Notes one that was put there. */
  add(entry: PackedRecord): void {
    this.keep(entry);
    this.#isNews = true;
  }

  /**
   * Puts a new record pack in the place of the one that is there, if something was sent or some records were not in it: with
   * those of this process, and those of other tasks as they are by now. Who does so at the same time may win. Rejects with a
   * `RemoteFault`.
   */
  async send(): Promise<void> {
    const known = await this.#fetched;
    const lacking = [...this.#own.values()].filter(({ key }) => known?.keys.has(key) !== true).length;
    if (lacking < (this.#isNews ? 1 : FEW)) return;
    this.#isNews = false;
    const { lanes, store, signer, tally, signal } = this.#options;
    const others = [...(await this.#fetch()).entries.values()].filter(({ name }) => !this.#own.has(name));
    const entries = [...this.#own.values(), ...(await this.#signed(others))];
    const bytes = await bind(entries, this.#place, signer);
    await lanes.run(() => store.putRecord(this.#place.key, bytes, signal));
    tally.bytesSent += bytes.length;
    this.#fetched = Promise.resolve(fetched(entries, signer?.key ?? null));
  }

  /** Those that this process may vouch for: somebody's word is not passed on. */
  async #signed(entries: readonly PackedRecord[]): Promise<readonly PackedRecord[]> {
    const { namespace, verifier } = this.#options;
    const are = await Promise.all(entries.map(({ key, bytes }) => isSigned(bytes, { key, namespace }, verifier)));
    return entries.filter((_, at) => are[at]);
  }
}

function fetched(entries: readonly PackedRecord[], signer: string | null): Fetched {
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  return { keys: new Set(byKey.keys()), entries: byKey, signer };
}

function nothing(): Fetched {
  return fetched([], null);
}
