/**
 * What all items of a task read, and whether it changed while they were at work. Where looking at it takes long, one look
 * serves all items that came to their end since the last one: a look is good for whoever was done when it began.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RelPath } from '../../base/paths.ts';

/** How long it is not looked at again, ms. */
const PAUSE = 50;

export class CommonReads {
  readonly #look: () => readonly RelPath[];
  readonly #now: () => number;
  #due: Promise<readonly RelPath[]> | undefined;
  #isDear = false;

  /** `look` gives the paths that changed, `now` ms since some moment. */
  constructor(look: () => readonly RelPath[], now: () => number) {
    this.#look = look;
    this.#now = now;
  }

  /** What has changed by now, and maybe a moment later. */
  async changes(): Promise<readonly RelPath[]> {
    if (!this.#isDear) return this.#looked();
    this.#due ??= delay(PAUSE).then(() => {
      this.#due = undefined;
      return this.#looked();
    });
    return this.#due;
  }

  #looked(): readonly RelPath[] {
    const began = this.#now();
    const changed = this.#look();
    this.#isDear ||= this.#now() - began >= 1;
    return changed;
  }
}
