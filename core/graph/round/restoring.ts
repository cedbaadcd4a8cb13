/**
 * Puts answers into the workspace, those of several tasks together: what is about to be written must be on disk before it
 * is, and one wait for the disk serves all that are due. Large contents of all of them are made ready several at a time.
 * Between two of them there is room now and then for everybody else: signals, output, timers.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Begun, BegunRestore, Restored } from '../../files/outputs/restoration.ts';

/** One restoration. `begin` may say that there is none after all. */
export interface Restoring {
  begin(): Begun | undefined;
  readonly done: (result: Restored | undefined) => void;
  readonly failed: (error: unknown) => void;
}

/** As many are noted together. */
const BATCH = 100;
/** How long others may be kept waiting, ms. */
const LONGEST = 20;

export class RestoreQueue {
  readonly #note: () => void;
  readonly #now: () => number;
  #waiting: Restoring[] = [];
  #isAtWork = false;

  /** `note` makes durable what restorations that have begun say of themselves; `now`: ms. */
  constructor(note: () => void, now: () => number) {
    this.#note = note;
    this.#now = now;
  }

  /** Restores when it is its turn. Throws what it throws. */
  restore(begin: Restoring['begin']): Promise<Restored | undefined> {
    return new Promise((done, failed) => {
      this.#waiting.push({ begin, done, failed });
      if (!this.#isAtWork) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isAtWork = true;
    while (this.#waiting.length > 0) {
      await turn();
      const batch = this.#waiting.splice(0, BATCH);
      const begun = batch.flatMap((one) => this.#begin(one));
      this.#note();
      const ready = begun.map(({ rest }) => rest.makeReady());
      let since = this.#now();
      for (const [at, { one, rest }] of begun.entries()) {
        await ready[at];
        if (this.#now() - since > LONGEST) {
          await turn();
          since = this.#now();
        }
        attempt(one, () => one.done(rest.finish()));
      }
    }
    this.#isAtWork = false;
  }

  /** What is left to do of one restoration. */
  #begin(one: Restoring): readonly { readonly one: Restoring; readonly rest: BegunRestore }[] {
    let left: readonly { readonly one: Restoring; readonly rest: BegunRestore }[] = [];
    attempt(one, () => {
      const begun = one.begin();
      if (begun !== undefined && 'finish' in begun) left = [{ one, rest: begun }];
      else one.done(begun);
    });
    return left;
  }
}

function attempt(one: Restoring, action: () => void): void {
  try {
    action();
  } catch (error) {
    one.failed(error);
  }
}
