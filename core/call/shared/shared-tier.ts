/**
 * One shared tier: answers that other machines made, behind a remote store that is not trusted. What comes is verified,
 * whole, before any of it is filed here; what goes is sent in the background, values before the record that names them.
 * Trouble costs an answer and one word, never a result; if the tier is required it is thrown instead.
 */
import { setMaxListeners } from 'node:events';
import { FlecheError, messageOf } from '../../base/errors.ts';
import type { Digest, Key } from '../../base/hash.ts';
import { Lanes } from '../../base/lanes.ts';
import type { CallRecord } from '../../store/record.ts';
import { type FaultKind, RemoteFault, type RemoteStore } from '../../store/remote/remote.ts';
import { MAX_SEALED, type Sealed, sentApart, unseal } from '../../store/remote/sealed.ts';
import type { Signer, Verifier } from '../../store/remote/signing.ts';
import { Breaker } from './breaker.ts';
import { Incoming } from './incoming.ts';
import type { LocalSide } from './local-side.ts';
import { Outgoing } from './outgoing.ts';
import type { Purpose } from './shared-answers.ts';
import { SharedRecordPacks } from './shared-record-packs.ts';
import { type SharedReport, SharedTally } from './tally.ts';

export interface TierOptions {
  readonly name: string;
  readonly store: RemoteStore;
  readonly namespace: string;
  readonly reads: boolean;
  readonly writes: boolean;
  /** Whose signatures count; undefined where unsigned answers are believed. */
  readonly verifier: Verifier | undefined;
  /** Signs what is sent; undefined for what goes unsigned. */
  readonly signer: Signer | undefined;
  /** Told of whatever is sent. */
  readonly producer: string | null;
  /** Whether trouble is an error. */
  readonly require: boolean;
  /** The most that one answer may have, bytes. */
  readonly maxAnswer: number;
  /** Texts that never leave this machine, such as tokens: what has one of them in its output is not sent. */
  readonly secrets: () => Promise<readonly string[]>;
  /** Told once what went wrong. */
  readonly onTrouble: (message: string) => void;
  /** ms by a clock that does not go back. */
  readonly now: () => number;
  /** Questions and transfers at a time. */
  readonly width: number;
  /** How long the end of the process is to wait for what is being sent, ms. */
  readonly exitMs: number;
}

/** For so long a key that nobody had is not asked for again, ms. */
const ABSENT_FOR = 10_000;
/** Answers of which it is known where their content is; of others the record is asked for again. */
const KNOWN = 500;
/** Answers that are sent at a time. */
const SENDERS = 4;

export class SharedTier {
  readonly #options: TierOptions;
  readonly #tally: SharedTally;
  readonly #lanes: Lanes;
  readonly #senders = new Lanes(SENDERS);
  readonly #reading: Breaker;
  readonly #writing: Breaker;
  readonly #ending = new AbortController();
  /** When keys were found to be nowhere. */
  readonly #absent = new Map<Key, number>();
  readonly #asking = new Map<Key, Promise<boolean>>();
  /** What answers say of their content, of those that came in this process. */
  readonly #known = new Map<Key, Sealed>();
  readonly #pushing = new Set<Promise<void>>();
  /** Who signed the answers that came in this process. */
  readonly #signers = new Map<Key, string | null>();
  #recordPacks: SharedRecordPacks | undefined;

  constructor(options: TierOptions) {
    this.#options = options;
    this.#tally = new SharedTally(options.name, options.store.location);
    this.#lanes = new Lanes(options.width);
    this.#reading = new Breaker(options.now);
    this.#writing = new Breaker(options.now);
    // However much is under way, each has an ear for it.
    setMaxListeners(0, this.#ending.signal);
  }

  get name(): string {
    return this.#options.name;
  }

  /** What may be done with it, in words. */
  get mode(): string {
    const { reads, writes } = this.#options;
    return reads && writes ? 'read and written' : reads ? 'only read' : 'only written';
  }

  get writes(): boolean {
    return this.#options.writes;
  }

  get exitMs(): number {
    return this.#options.exitMs;
  }

  get report(): SharedReport {
    return this.#tally.report();
  }

  /** Answers that are being sent. */
  get pending(): number {
    return this.#pushing.size;
  }

  /** Says that answers of some of these tasks, all that a project has, are about to be asked for and sent. */
  expect(tasks: readonly string[]): void {
    const { store, namespace, verifier, signer } = this.#options;
    this.#recordPacks ??= SharedRecordPacks.of(tasks, {
      store,
      namespace,
      verifier,
      signer,
      lanes: this.#lanes,
      tally: this.#tally,
      signal: this.#ending.signal,
    });
  }

  /**
   * Looks for the answer to a key, and files it here with all that a hit needs but the contents of output files. Whether
   * it did. `name` is that of its record; an answer without one is asked for by itself. Rejects with `STORE_UNUSABLE` if the
   * tier is required and in trouble.
   */
  ask(key: Key, side: LocalSide, name?: string): Promise<boolean> {
    const asking = this.#asking.get(key);
    if (asking !== undefined) return asking;
    const asked = this.#ask(key, side, name).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
    return asked;
  }

  async #ask(key: Key, side: LocalSide, name: string | undefined): Promise<boolean> {
    const { reads, now } = this.#options;
    const absent = this.#absent.get(key);
    if (!reads || (absent !== undefined && now() - absent < ABSENT_FOR) || !this.#reading.allows()) return false;
    const isOver = this.#patience();
    const isHere = await this.#attempt(this.#reading, async () => {
      const packed = name === undefined ? undefined : await this.#fromRecordPack(key, name);
      const sealed = packed ?? (await this.#open(key, isOver));
      return sealed !== undefined && (await this.#incoming(sealed, side).accept());
    });
    if (isHere === true) this.#tally.hits++;
    else {
      this.#tally.misses++;
      this.#absent.set(key, now());
    }
    return isHere === true;
  }

  /**
   * Brings contents of output files that are named by the answer to a key. Whether all of them are here now. Rejects like
   * `ask`.
   */
  async bring(key: Key, blobs: readonly Digest[], side: LocalSide, purpose: Purpose): Promise<boolean> {
    if (!this.#options.reads || !this.#reading.allows()) return false;
    const brought = await this.#attempt(this.#reading, async () => {
      const sealed = this.#known.get(key) ?? (await this.#open(key));
      return sealed !== undefined && (await this.#incoming(sealed, side).bring(blobs, purpose));
    });
    return brought === true;
  }

  #incoming(sealed: Sealed, side: LocalSide): Incoming {
    const { store, maxAnswer } = this.#options;
    return new Incoming(sealed, side, {
      store,
      maxAnswer,
      lanes: this.#lanes,
      tally: this.#tally,
      signal: this.#ending.signal,
    });
  }

  /** Tells whoever is waiting whether so much has failed since that there is nothing to wait for. */
  #patience(): () => boolean {
    const { stops } = this.#reading;
    return () => this.#reading.stops !== stops;
  }

  async #fromRecordPack(key: Key, name: string): Promise<Sealed | undefined> {
    const found = await this.#recordPacks?.find(key, name);
    return found && this.#take(key, found);
  }

  /** What is shared under a key, if it is to be believed. */
  async #open(key: Key, isOver = this.#patience()): Promise<Sealed | undefined> {
    const { store, namespace, verifier } = this.#options;
    const expected = { limit: MAX_SEALED, signal: this.#ending.signal };
    const bytes = await this.#lanes.run(async () => (isOver() ? undefined : store.getRecord(key, expected)));
    if (bytes === undefined) return undefined;
    this.#tally.bytesReceived += bytes.length;
    const opened = await unseal(bytes, { key, namespace }, verifier);
    if ('distrust' in opened) {
      this.#tally.reject(opened.distrust);
      return undefined;
    }
    const { sealed } = opened;
    this.#recordPacks?.keep({ key, name: sealed.record.name, bytes });
    return this.#take(key, opened);
  }

  /** Takes in what is known of an answer that is believed. */
  #take(key: Key, { sealed, signer }: { sealed: Sealed; signer: string | null }): Sealed {
    this.#signers.set(key, signer);
    this.#remember(key, sealed);
    return sealed;
  }

  /** What came whole with its record need not be known any more; the rest is, as long as there is not too much of it. */
  #remember(key: Key, sealed: Sealed): void {
    if (sealed.packs.length === 0 && sealed.single.size === 0) return;
    this.#known.set(key, sealed);
    if (this.#known.size <= KNOWN) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }

  /**
   * Whether an answer that came from another tier may be put here under the signature of this machine: only if who made
   * it is believed here too, for otherwise this machine would vouch for a stranger.
   */
  mayRelay(key: Key, from: SharedTier): boolean {
    const { writes, verifier } = this.#options;
    const signer = from.#signers.get(key);
    return writes && signer !== undefined && (verifier === undefined || (signer !== null && verifier.knows(signer)));
  }

  /** Sends an answer in the background; failures are never sent. */
  push(record: CallRecord, side: LocalSide): void {
    if (!this.#options.writes || record.failure !== null) return;
    const pushing = this.#senders.run(() => this.#push(record, side)).finally(() => this.#pushing.delete(pushing));
    this.#pushing.add(pushing);
    // Under `require` it is told by `close`.
    pushing.catch(() => {});
  }

  async #push(record: CallRecord, side: LocalSide): Promise<void> {
    const { store, namespace, signer, producer, secrets, maxAnswer } = this.#options;
    this.#absent.delete(record.key);
    if (this.#ending.signal.aborted || !this.#writing.allows()) {
      this.#tally.unstored++;
      return;
    }
    const outgoing = new Outgoing(record, side, {
      store,
      namespace,
      signer,
      producer,
      secrets,
      maxAnswer,
      lanes: this.#lanes,
      tally: this.#tally,
      signal: this.#ending.signal,
    });
    const sent = await this.#attempt(this.#writing, () => outgoing.send());
    if (sent instanceof Uint8Array) {
      this.#tally.stored++;
      this.#recordPacks?.add({ key: record.key, name: record.name, bytes: sent });
    } else this.#tally.unstored++;
    if (typeof sent === 'string') this.#options.onTrouble(`${sent} (the shared cache "${this.name}")`);
  }

  /** Those of these keys that have no whole answer there which is to be believed, asked as few questions. */
  async lacking(keys: readonly Key[]): Promise<ReadonlySet<Key>> {
    const { store } = this.#options;
    const lacking = new Set(keys);
    await this.#attempt(this.#writing, async () => {
      const named = new Map<Key, readonly Digest[]>();
      await Promise.all(
        keys.map(async (key) => {
          const sealed = await this.#open(key);
          if (sealed !== undefined) named.set(key, sentApart(sealed));
        }),
      );
      const names = [...new Set([...named.values()].flat())];
      const there = names.length === 0 ? new Set() : await store.has(names, this.#ending.signal);
      for (const [key, digests] of named) if (digests.every((digest) => there.has(digest))) lacking.delete(key);
    });
    return lacking;
  }

  /** Removes all that is shared in its namespace. Rejects with a `RemoteFault`. */
  purge(): Promise<void> {
    this.#known.clear();
    return this.#options.store.purge(this.#ending.signal);
  }

  /** Waits for what is being sent, at most so long, ms. Whether everything was. */
  async flush(deadline: number): Promise<boolean> {
    const sent = this.#sent().then(() => this.#sendRecordPacks());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadline);
    });
    await Promise.race([sent, late]);
    clearTimeout(timer);
    return this.#pushing.size === 0;
  }

  /** Nobody needs them: what becomes of them is told like all trouble, and that is all. */
  async #sendRecordPacks(): Promise<void> {
    const packs = this.#recordPacks;
    if (packs === undefined || !this.#options.writes || this.#ending.signal.aborted || !this.#writing.allows()) return;
    await this.#attempt(this.#writing, () => packs.send()).catch(() => {});
  }

  async #sent(): Promise<void> {
    while (this.#pushing.size > 0) await Promise.allSettled(this.#pushing);
  }

  /** Makes sure that the server answers. Rejects with a `RemoteFault`. */
  ping(): Promise<void> {
    return this.#options.store.ping(this.#ending.signal);
  }

  /** Waits for what is being sent, at most so long, and gives up the rest. Rejects like `ask`. */
  async close(deadline: number): Promise<void> {
    const isSent = await this.flush(deadline);
    const left = this.#pushing.size;
    this.#ending.abort();
    await this.#sent();
    await this.#options.store.close();
    if (!isSent) this.#trouble(`${left} ${left === 1 ? 'answer was' : 'answers were'} not sent in time`);
    else if (this.#options.require && this.report.trouble !== null) throw this.#error(this.report.trouble);
  }

  /** Undefined if it failed for reasons of the server. */
  async #attempt<T>(breaker: Breaker, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const done = await work();
      breaker.answered();
      return done;
    } catch (error) {
      if (this.#ending.signal.aborted) return undefined;
      const kind: FaultKind = error instanceof RemoteFault ? error.kind : 'down';
      breaker.failed(kind);
      if (kind === 'bad') this.#tally.reject('damaged');
      this.#trouble(messageOf(error));
      return undefined;
    }
  }

  #trouble(what: string): void {
    const { require, onTrouble } = this.#options;
    const isFirst = this.#tally.note(what);
    if (require) throw this.#error(what);
    if (isFirst) onTrouble(`${this.#told(what)}; going on without it`);
  }

  #told(what: string): string {
    const { name, store } = this.#options;
    return `the shared cache "${name}" (${store.location}): ${what}`;
  }

  #error(what: string): FlecheError {
    return new FlecheError('STORE_UNUSABLE', this.#told(what), {
      hint: 'This cache is required; without require = true (or --strict) this costs answers and is no error.',
    });
  }
}
