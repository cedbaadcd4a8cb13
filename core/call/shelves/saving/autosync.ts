/**
 * Saving by itself: looks at every edit whether it is time, and sets a timer for when it will be if there are no more, so
 * that the last edit is saved too. Knows nothing of what is saved.
 */
import type { Clock } from '../../../base/clock.ts';
import { type Band, EditAges } from './edit-ages.ts';

/** Waits before saving is tried again: the first, and the longest, ms. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 60_000;

export class Autosync {
  readonly #clock: Clock;
  readonly #ages: EditAges;
  readonly #save: () => void;
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;
  #pause = FIRST_PAUSE;
  /** When to try again after a failure, whatever the ages say. */
  #retry: number | undefined;

  /** `save` must not throw. Throws as `checkBands`. */
  constructor(bands: readonly Band[], clock: Clock, save: () => void) {
    this.#clock = clock;
    this.#ages = new EditAges(bands);
    this.#save = save;
  }

  /** Notes that so many edits were made just now. May save. */
  edited(count: number): void {
    this.#ages.add(this.#clock.now(), count);
    this.#look();
  }

  /** All edits so far are being saved. */
  began(): void {
    this.#ages.clear();
    this.#retry = undefined;
    this.#disarm();
  }

  succeeded(): void {
    this.#pause = FIRST_PAUSE;
  }

  /** What was being saved has not been, and is tried again after a pause. */
  failed(): void {
    this.#retry = this.#clock.now() + this.#pause;
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    this.#look();
  }

  /** There is nothing to save. */
  stop(): void {
    this.began();
    this.succeeded();
  }

  #look(): void {
    const due = this.#retry ?? this.#ages.due();
    const now = this.#clock.now();
    if (due <= now) return this.#save();
    if (due === this.#timer?.at) return;
    this.#disarm();
    if (due === Number.POSITIVE_INFINITY) return;
    const cancel = this.#clock.after(due - now, () => {
      this.#timer = undefined;
      this.#look();
    });
    this.#timer = { at: due, cancel };
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
