/**
 * The record packs of a project's tasks, as one tier uses them: whatever is found out of a task, or sent, concerns the pack
 * that has its name. What is kept of them in memory is bounded; nothing but time depends on it.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Key } from '../../base/hash.ts';
import { Lanes } from '../../base/lanes.ts';
import { type PackedRecord, recordPackKeys, recordPackOf } from '../../store/remote/record-pack.ts';
import { type Found, type RecordPackOptions, SharedRecordPack } from './shared-record-pack.ts';

/** There are no record packs of fewer tasks. */
const LEAST = 16;
/** The most that is kept of those that came, and of what they are to be made of, bytes each. */
const MOST = 128 * 1024 * 1024;
/** Record packs that are made at a time. */
const MAKERS = 4;

export class SharedRecordPacks {
  readonly #packs: readonly SharedRecordPack[];
  readonly #makers = new Lanes(MAKERS);
  #turn: Promise<void> | undefined;
  /** Those that came, in this order. */
  readonly #held = new Set<SharedRecordPack>();
  #room = MOST;

  /** Undefined for too few tasks. */
  static of(tasks: readonly string[], options: RecordPackOptions): SharedRecordPacks | undefined {
    return tasks.length < LEAST ? undefined : new SharedRecordPacks(tasks, options);
  }

  private constructor(tasks: readonly string[], options: RecordPackOptions) {
    this.#packs = recordPackKeys(tasks).map((key) => new SharedRecordPack(key, options));
  }

  #of(name: string): SharedRecordPack | undefined {
    return this.#packs[recordPackOf(name, this.#packs.length)];
  }

  /** What there is of a key, under which a record of this name would be. Undefined where it is to be asked for by itself. */
  async find(key: Key, name: string): Promise<Found | undefined> {
    const pack = this.#of(name);
    pack?.expect();
    await this.#allAsked();
    const found = await pack?.find(key);
    if (pack !== undefined && pack.held > 0) this.#hold(pack);
    return found;
  }

  /** Who asks for many at a time does so in one turn of the event loop. */
  #allAsked(): Promise<void> {
    this.#turn ??= turn().then(() => {
      this.#turn = undefined;
    });
    return this.#turn;
  }

  #hold(pack: SharedRecordPack): void {
    if (this.#held.has(pack)) return;
    this.#held.add(pack);
    let sum = 0;
    for (const { held } of this.#held) sum += held;
    for (const oldest of this.#held) {
      if (sum <= MOST || oldest === pack) return;
      sum -= oldest.held;
      oldest.letGo();
      this.#held.delete(oldest);
    }
  }

  /** Notes a sealed record that came from the tier by itself and was verified. */
  keep(entry: PackedRecord): void {
    if (this.#hasRoom(entry)) this.#of(entry.name)?.keep(entry);
  }

  /** Notes one that was put there. */
  add(entry: PackedRecord): void {
    if (this.#hasRoom(entry)) this.#of(entry.name)?.add(entry);
  }

  #hasRoom({ bytes }: PackedRecord): boolean {
    if (bytes.length > this.#room) return false;
    this.#room -= bytes.length;
    return true;
  }

  /** Makes those anew that have news. Rejects with a `RemoteFault`. */
  async send(): Promise<void> {
    await Promise.all(this.#packs.map((pack) => this.#makers.run(() => pack.send())));
  }
}
