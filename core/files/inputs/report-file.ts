/**
 * A file in which a program tells something about its own run, such as a depfile. What was there before the run began
 * and was left alone does not count: it tells of an earlier one.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { AbsPath } from '../../base/paths.ts';
import { isGone, lookThrough } from '../look.ts';
import { type StatKey, sameKey, statKey } from '../states/stat-key.ts';

export class ReportFile {
  readonly #place: AbsPath;
  readonly #before: StatKey | undefined;

  /** To be made before the program starts. */
  constructor(place: AbsPath) {
    const stats = lookThrough(place);
    this.#place = place;
    this.#before = stats === undefined ? undefined : statKey(stats);
  }

  /** The text, or why there is none, as what follows the name of the file in a sentence. Throws other system errors. */
  read(): { readonly text: string } | { readonly why: string } {
    const stats = lookThrough(this.#place);
    if (stats === undefined) return { why: 'was not written' };
    if (this.#before !== undefined && sameKey(this.#before, stats))
      return { why: 'was left as an earlier run wrote it' };
    return textAt(this.#place) ?? { why: 'is not a file' };
  }
}

/** The text of a file; undefined if there is none. */
export function textAt(place: string): { readonly text: string } | undefined {
  try {
    return { text: readFileSync(place, 'utf8') };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** A clock of a file system that stands still for longer is not waited for, ms. */
const MOST_WAIT = 60;
/** Then what was stamped within this time before the moment counts as later, ms. */
const COARSE_GRAIN = 2000;

/**
 * This moment by the clock that stamps files (ms since the epoch): whatever is changed from now on has a later stamp. A
 * file is written to `place` to find out. Waits for the clock's next tick, a few milliseconds as a rule.
 */
export async function stampedMoment(place: string): Promise<number> {
  const now = stamp(place);
  for (let waited = 0; waited < MOST_WAIT; waited++) {
    if (stamp(place) > now) return now;
    await wait(1);
  }
  return now - COARSE_GRAIN;
}

function stamp(place: string): number {
  writeFileSync(place, '');
  return lookThrough(place as AbsPath)?.ctimeMs ?? 0;
}
