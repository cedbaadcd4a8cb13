/** Which questions were answered, as far as a model of a cache can know. A question is a text. */

/** `maybe`: filed by a run that was cut short, or damaged since. */
type Filed = 'yes' | 'maybe';

export class Answers {
  readonly #filed = new Map<string, Filed>();
  /** Whether answers may have been filed that nobody here knows of. */
  isLoose = false;

  of(question: string): Filed | undefined {
    return this.#filed.get(question) ?? (this.isLoose ? 'maybe' : undefined);
  }

  /** An answer served is one that is whole only if it was so before: what stands in its place is not looked for. */
  file(question: string, isNew: boolean): void {
    if (isNew || this.#filed.get(question) !== 'maybe') this.#filed.set(question, 'yes');
  }

  /** It may have been answered. */
  suspect(question: string): void {
    if (!this.#filed.has(question)) this.#filed.set(question, 'maybe');
  }

  /** Of no answer it is sure any more that it is whole. */
  doubt(): void {
    for (const question of this.#filed.keys()) this.#filed.set(question, 'maybe');
  }

  clear(): void {
    this.#filed.clear();
  }
}
