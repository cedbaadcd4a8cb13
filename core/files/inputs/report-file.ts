/**
 * A file in which a program tells something about its own run, such as a depfile. What was there before the run began
 * and was left alone does not count: it tells of an earlier one.
 */
import { readFileSync, rmSync, type Stats } from 'node:fs';
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
    if (!this.#isNew(stats)) return { why: 'was left as an earlier run wrote it' };
    return textAt(this.#place) ?? { why: 'is not a file' };
  }

  /** Removes what was written since this was made. */
  remove(): void {
    if (this.#isNew(lookThrough(this.#place))) rmSync(this.#place, { force: true });
  }

  #isNew(stats: Stats | undefined): boolean {
    return stats !== undefined && (this.#before === undefined || !sameKey(this.#before, stats));
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
