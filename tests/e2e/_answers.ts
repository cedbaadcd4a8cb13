/**
 * Which questions were answered, as far as a model of a cache can know: here, and behind that in a cache that is shared.
 * A question is a text.
 */

/** `maybe`: filed by a run that was cut short, or damaged since. */
type Filed = 'yes' | 'maybe';

export class Answers {
  readonly #filed = new Map<string, Filed>();
  readonly #behind: Answers | undefined;
  /** Whether answers may have been filed that nobody here knows of. */
  #isLoose = false;
  /** Whether none of them may be whole, now and later: what is there is not put there again. */
  #isSpoilt = false;

  constructor(behind?: Answers) {
    this.#behind = behind;
  }

  of(question: string): Filed | undefined {
    const there = this.#behind?.of(question);
    const here = this.#filed.get(question) ?? (this.#isLoose ? 'maybe' : undefined);
    if (there === 'yes') return there;
    return here === 'yes' && this.#isSpoilt ? 'maybe' : (here ?? there);
  }

  /**
   * An answer served is one that is whole only if it was so before: what stands in its place is not looked for. A run that
   * was cut short may not have shared what it filed.
   */
  file(question: string, isNew: boolean, end: 'well' | 'cut short' = 'well'): void {
    if (isNew && end === 'well') this.#behind?.file(question, true);
    else if (isNew) this.#behind?.suspect(question);
    const isFromHere = this.#behind === undefined && !this.#filed.has(question);
    if (isNew || isFromHere) this.#filed.set(question, 'yes');
    else this.suspect(question);
  }

  /** It may have been answered. */
  suspect(question: string): void {
    if (!this.#filed.has(question)) this.#filed.set(question, 'maybe');
    this.#behind?.suspect(question);
  }

  /** Any question may have been answered. */
  loosen(): void {
    this.#isLoose = true;
    this.#behind?.loosen();
  }

  /** Of no answer here it is sure any more that it is whole. */
  doubt(): void {
    for (const question of this.#filed.keys()) this.#filed.set(question, 'maybe');
  }

  /** Nothing that is or will be here is sure to be whole. */
  spoil(): void {
    this.#isSpoilt = true;
  }

  clear(): void {
    this.#filed.clear();
  }
}
