/**
 * Answers that other machines made, as those see them who need one: shared tiers in their order, in front of the stores of
 * this machine.
 */
import type { Digest, Key } from '../../base/hash.ts';
import type { CallRecord } from '../../store/record.ts';
import type { SharedReport } from './tally.ts';

/** What contents are brought for: to have them, or to put them into the workspace next. */
export type Purpose = 'keep' | 'place';

export interface SharedAnswers {
  /** Says that answers of some of these tasks, all that a project has, are about to be asked for and given. */
  expect(tasks: readonly string[]): void;
  /**
   * Looks for the answer to a key, and files it here with all that a hit needs but the contents of output files. The name
   * of the tier that had it, or undefined. `name`, if it is known, is that of the record: many of a project come together.
   * Rejects with `STORE_UNUSABLE` if a tier is required and in trouble.
   */
  ask(key: Key, name?: string): Promise<string | undefined>;
  /** Brings contents of output files of the answer to a key. Whether all of them are here now. Rejects like `ask`. */
  bring(key: Key, blobs: readonly Digest[], purpose: Purpose): Promise<boolean>;
  /** Gives an answer to the tiers that are written to, in the background. */
  push(record: CallRecord): void;
  /** What every tier did so far, in their order; nothing of one that was not needed yet. */
  reports(): readonly SharedReport[];
  /** What there is to say of answers that were not believed, and was not said yet. */
  news(): readonly string[];
}
