/**
 * The record pack of a project's tasks, as one tier uses it: it is fetched once so many answers were asked for that one request
 * for all of them takes less time, and it is made anew when answers were sent. Trouble with it costs time and no answer.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Key } from '../../base/hash.ts';
import type { Place } from '../../store/remote/envelope.ts';
import { bind, MAX_RECORD_PACK, type PackedRecord, recordPackKey, unbind } from '../../store/remote/record-pack.ts';
import type { RemoteStore } from '../../store/remote/remote.ts';
import { isSigned, type Sealed, unsealVouched } from '../../store/remote/sealed.ts';
import type { Signer, Verifier } from '../../store/remote/signing.ts';
import type { SharedTally } from './tally.ts';

interface RecordPackOptions {
  readonly store: RemoteStore;
  readonly namespace: string;
  readonly verifier: Verifier | undefined;
  readonly signer: Signer | undefined;
  readonly tally: SharedTally;
  readonly signal: AbortSignal;
}

/** What a record pack has of a key. */
interface Found {
  readonly sealed: Sealed;
  readonly signer: string | null;
}

/** A record pack as it came. */
interface Fetched {
  readonly entries: ReadonlyMap<Key, PackedRecord>;
  readonly signer: string | null;
}

const NOTHING: Fetched = { entries: new Map(), signer: null };

/** There is no record pack of fewer tasks, or of fewer records. */
const LEAST = 16;
/** So many answers are asked for one by one at least. */
const FEW = 8;
/** As many records of a record pack take as long to come as one answer that is asked for by itself. */
const AT_A_TIME = 50;
/** Larger records are asked for by themselves, bytes. */
const LARGEST = 32 * 1024;

export class SharedRecordPack {
  readonly #options: RecordPackOptions;
  readonly #place: Place;
  readonly #few: number;
  #asked = 0;
  #turn: Promise<void> | undefined;
  #fetched: Promise<Fetched> | undefined;
  /** Records that came to this process or were made by it, by name. */
  readonly #own = new Map<string, PackedRecord>();
  /** Those that were verified here. For others it is somebody's word that they were. */
  readonly #verified = new Set<Key>();
  #isNews = false;

  /** Undefined for too few tasks. */
  static of(tasks: readonly string[], options: RecordPackOptions): SharedRecordPack | undefined {
    return tasks.length < LEAST ? undefined : new SharedRecordPack(tasks, options);
  }

  private constructor(tasks: readonly string[], options: RecordPackOptions) {
    this.#options = options;
    this.#place = { key: recordPackKey(tasks), namespace: options.namespace };
    this.#few = Math.max(FEW, tasks.length / AT_A_TIME);
  }

  /** What the record pack has of a key. Undefined where the key is to be asked for by itself. */
  async find(key: Key): Promise<Found | undefined> {
    this.#asked++;
    await this.#allAsked();
    if (this.#asked <= this.#few) return undefined;
    // Without it everything is as it is with an empty one.
    this.#fetched ??= this.#fetch().catch(() => NOTHING);
    const { entries, signer } = await this.#fetched;
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    const opened = unsealVouched(entry.bytes, key, this.#options.verifier, { signer });
    if ('distrust' in opened) return undefined;
    if (!this.#verified.has(key)) this.#own.set(entry.name, entry);
    return opened;
  }

  /** Who asks for many at a time does so in one turn of the event loop. */
  #allAsked(): Promise<void> {
    this.#turn ??= turn().then(() => {
      this.#turn = undefined;
    });
    return this.#turn;
  }

  async #fetch(): Promise<Fetched> {
    const { store, verifier, tally, signal } = this.#options;
    const bytes = await store.getRecord(this.#place.key, { limit: MAX_RECORD_PACK, signal });
    if (bytes === undefined) return NOTHING;
    tally.bytesReceived += bytes.length;
    const unbound = await unbind(bytes, this.#place, verifier);
    if ('entries' in unbound) return { ...unbound, entries: byKey(unbound.entries) };
    tally.reject(unbound.distrust);
    return NOTHING;
  }

  /** Notes a sealed record that came from the tier and was verified. */
  keep(entry: PackedRecord): void {
    if (entry.bytes.length > LARGEST) return;
    this.#own.set(entry.name, entry);
    this.#verified.add(entry.key);
  }

  /** Notes one that was put there. */
  add(entry: PackedRecord): void {
    this.keep(entry);
    this.#isNews = true;
  }

  /**
   * Puts a new record pack in the place of the one that is there, if something was sent or much was not in it: with the records
   * of this process, and those of other tasks as they are by now. Who does so at the same time may win. Rejects with a
   * `RemoteFault`.
   */
  async send(): Promise<void> {
    const known = await this.#fetched;
    const lacking = [...this.#own.values()].filter(({ key }) => known?.entries.has(key) !== true).length;
    if (lacking < (this.#isNews ? 1 : LEAST)) return;
    this.#isNews = false;
    const { store, signer, tally, signal } = this.#options;
    const others = [...(await this.#fetch()).entries.values()].filter(({ name }) => !this.#own.has(name));
    const entries = await this.#signed([...this.#own.values(), ...others]);
    if (entries.length < LEAST) return;
    const bytes = bind(entries, this.#place, signer);
    await store.putRecord(this.#place.key, bytes, signal);
    tally.bytesSent += bytes.length;
    this.#fetched = Promise.resolve({ entries: byKey(entries), signer: signer?.key ?? null });
  }

  /** Those that this process may vouch for: somebody's word is not passed on. */
  async #signed(entries: readonly PackedRecord[]): Promise<readonly PackedRecord[]> {
    const { namespace, verifier } = this.#options;
    const are = await Promise.all(
      entries.map(({ key, bytes }) => this.#verified.has(key) || isSigned(bytes, { key, namespace }, verifier)),
    );
    return entries.filter((_, at) => are[at]);
  }
}

function byKey(entries: readonly PackedRecord[]): ReadonlyMap<Key, PackedRecord> {
  return new Map(entries.map((entry) => [entry.key, entry]));
}
