/**
 * The shared tiers of a stack, opened when they are first needed: what talks to servers is not even loaded before. Joins
 * them to the stores of this machine.
 */
import type { Digest, Key } from '../../base/hash.ts';
import { treeBlobs } from '../../call/caches/transfer.ts';
import type { LocalSide } from '../../call/shared/local-side.ts';
import type { Purpose } from '../../call/shared/shared-answers.ts';
import type { SharedLine } from '../../call/shared/shared-stack.ts';
import type { SharedTier } from '../../call/shared/shared-tier.ts';
import { rejectedText, type SharedReport } from '../../call/shared/tally.ts';
import type { CallRecord } from '../../store/record.ts';
import type { SharedCacheSpec } from '../config/caches/cache-spec.ts';
import type { Environment } from '../terminal/style.ts';
import type { Refusals } from './refusals.ts';

interface LineOptions {
  readonly env: Environment;
  /** Whether trouble with any of them is an error. */
  readonly strict: boolean;
  readonly onTrouble: (message: string) => void;
  /** Answers are put here, and taken from here. */
  readonly side: () => LocalSide;
  /** What is not to be asked for until it was made anew. */
  readonly refusals?: Refusals;
}

export class TierLine implements SharedLine {
  readonly #specs: readonly SharedCacheSpec[];
  readonly #options: LineOptions;
  #tiers: readonly SharedTier[] = [];
  #opening: Promise<readonly SharedTier[]> | undefined;
  #side: LocalSide | undefined;
  #expected: readonly string[] = [];
  /** Sentences that were said. */
  readonly #said = new Set<string>();
  /** Tiers that lack an answer that came from one behind them. */
  readonly #relays = new Map<Key, readonly SharedTier[]>();
  /** Whether what was being sent took longer than it may. */
  #isLate = false;

  constructor(specs: readonly SharedCacheSpec[], options: LineOptions) {
    this.#specs = specs;
    this.#options = options;
  }

  /** Opens them. Rejects with `CONFIG_INVALID` for keys that are none, in the configuration or in the environment. */
  tiers(): Promise<readonly SharedTier[]> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<readonly SharedTier[]> {
    const { openTier } = await import('./shared-tiers.ts');
    this.#tiers = this.#specs.flatMap((spec) => openTier(spec, this.#options) ?? []);
    for (const tier of this.#tiers) tier.expect(this.#expected);
    return this.#tiers;
  }

  #local(): LocalSide {
    this.#side ??= this.#options.side();
    return this.#side;
  }

  expect(tasks: readonly string[]): void {
    this.#expected = tasks;
    for (const tier of this.#tiers) tier.expect(tasks);
  }

  async ask(key: Key, name?: string): Promise<string | undefined> {
    if (this.#options.refusals?.has(key)) return undefined;
    const side = this.#local();
    const tiers = await this.tiers();
    for (const [at, tier] of tiers.entries()) {
      if (!(await tier.ask(key, side, name))) continue;
      const nearer = tiers.slice(0, at).filter((other) => other.mayRelay(key, tier));
      if (nearer.length > 0) this.#relays.set(key, nearer);
      await this.#relay(key);
      return tier.name;
    }
    return undefined;
  }

  async bring(key: Key, blobs: readonly Digest[], purpose: Purpose): Promise<boolean> {
    const side = this.#local();
    for (const tier of await this.tiers()) {
      if (!(await tier.bring(key, blobs, side, purpose))) continue;
      await this.#relay(key);
      return true;
    }
    return false;
  }

  /** Gives an answer that came from further back to the nearer tiers, once all of it is here. */
  async #relay(key: Key): Promise<void> {
    const nearer = this.#relays.get(key);
    const record = nearer === undefined ? undefined : await this.#local().record(key);
    if (nearer === undefined || record === undefined || !(await isWhole(record, this.#local()))) return;
    this.#relays.delete(key);
    for (const tier of nearer) tier.push(record, this.#local());
  }

  /** Asks for these no more until they were made anew. */
  refuse(keys: Iterable<Key>): void {
    this.#options.refusals?.add(keys);
  }

  push(record: CallRecord): void {
    this.#options.refusals?.delete(record.key);
    const send = (tiers: readonly SharedTier[]): void => {
      for (const tier of tiers) tier.push(record, this.#local());
    };
    if (this.#tiers.length > 0) send(this.#tiers);
    // What keeps them from being opened is told to who asks.
    else this.tiers().then(send, () => {});
  }

  /** Gives those of these answers to a tier that it lacks, or all of them. How many. */
  async send(tier: SharedTier, records: readonly CallRecord[], all: boolean): Promise<number> {
    const lacking = all ? undefined : await tier.lacking(records.map(({ key }) => key));
    const going = lacking === undefined ? records : records.filter(({ key }) => lacking.has(key));
    for (const record of going) tier.push(record, this.#local());
    return going.length;
  }

  /** Answers that are being sent. */
  get pending(): number {
    return this.#tiers.reduce((sum, { pending }) => sum + pending, 0);
  }

  reports(): readonly SharedReport[] {
    return this.#tiers.map(({ report }) => report);
  }

  news(): readonly string[] {
    const sentences = this.reports().flatMap((report) => rejectedText(report) ?? []);
    const fresh = sentences.filter((sentence) => !this.#said.has(sentence));
    for (const sentence of fresh) this.#said.add(sentence);
    return fresh;
  }

  async sent(): Promise<void> {
    await this.#opening?.catch(() => []);
    const sent = await Promise.all(this.#tiers.map((tier) => tier.flush(tier.exitMs)));
    this.#isLate = sent.includes(false);
  }

  /** `isHurried`: what is being sent is not waited for. */
  async close(isHurried = false): Promise<void> {
    await this.#opening?.catch(() => []);
    const isOver = isHurried || this.#isLate;
    const ends = await Promise.allSettled(this.#tiers.map((tier) => tier.close(isOver ? 0 : tier.exitMs)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
}

/** Whether the contents of all output files are here. */
async function isWhole({ outputs }: CallRecord, side: LocalSide): Promise<boolean> {
  const tree = outputs === null ? undefined : await side.bytes(outputs);
  for (const blob of tree === undefined ? [] : treeBlobs(tree)) if (!(await side.has(blob))) return false;
  return outputs === null || tree !== undefined;
}
