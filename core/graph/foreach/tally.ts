/** What has become of the items of one task so far: their answers and failures, how many there are, and what is said of them. */
import type { Digest } from '../../base/hash.ts';
import type { Failure } from '../../store/record.ts';
import type { ItemCounts } from '../tasks/outcome.ts';
import type { ItemCall, TaskCall } from '../tasks/task-call.ts';
import { type AskedItems, contentsOf, type ItemAnswer } from './asked-items.ts';

/** Items of which the same is to be said are named up to this many. */
const MOST_NAMED = 3;

export class Tally {
  readonly #calls: readonly ItemCall[];
  readonly #questions: Map<ItemCall, TaskCall>;
  readonly #answers: Map<ItemCall, ItemAnswer>;
  readonly #failures = new Map<ItemCall, Failure>();
  readonly #warnings: string[] = [];
  /** Items whose answers are none to their questions. */
  readonly #unsound: ItemCall[] = [];
  #cached = 0;

  constructor({ calls, questions, answers }: AskedItems) {
    this.#calls = calls;
    this.#questions = new Map(questions);
    this.#answers = new Map(answers);
  }

  /** The questions of all items, completed as far as that is known. */
  get questions(): ReadonlyMap<ItemCall, TaskCall> {
    return this.#questions;
  }

  get answers(): ReadonlyMap<ItemCall, ItemAnswer> {
    return this.#answers;
  }

  questionOf(call: ItemCall): TaskCall {
    return this.#questions.get(call) ?? call;
  }

  /** Content is lost: what it was the answer of has to be done again. */
  forget(lost: Digest): void {
    const before = this.#answers.size;
    for (const [call, answer] of this.#answers) if (contentsOf(answer).includes(lost)) this.#answers.delete(call);
    if (this.#answers.size === before) this.#answers.clear();
  }

  /** The items that have to be done; the others count as cached from now on. */
  begin(): readonly ItemCall[] {
    this.#cached = this.#answers.size;
    return this.#calls.filter((call) => !this.#answers.has(call));
  }

  answered(call: ItemCall, answer: ItemAnswer, isSound: boolean): void {
    this.#questions.set(call, answer.call);
    this.#answers.set(call, answer);
    if (!isSound) this.#unsound.push(call);
  }

  /** `question` is the one that there is no answer to. */
  failed(call: ItemCall, failure: Failure, question: TaskCall = this.questionOf(call)): void {
    this.#questions.set(call, question);
    this.#failures.set(call, failure);
  }

  /** What to say of an item; undefined once enough was said. */
  warned({ item }: ItemCall, message: string): string | undefined {
    this.#warnings.push(item.name);
    return this.#warnings.length > MOST_NAMED ? undefined : `${item.name}: ${message}`;
  }

  /** What is left to say of items that were not named. */
  get rest(): string | undefined {
    const more = this.#warnings.length - MOST_NAMED;
    if (more <= 0) return undefined;
    return `there is something to say of ${more} more ${more === 1 ? 'item' : 'items'}, such as ${this.#warnings.at(-1)}`;
  }

  get hasFailures(): boolean {
    return this.#failures.size > 0;
  }

  get isComplete(): boolean {
    return this.#answers.size === this.#calls.length;
  }

  get counts(): ItemCounts {
    const [total, failed, done] = [this.#calls.length, this.#failures.size, this.#answers.size];
    return { total, ran: done - this.#cached, cached: this.#cached, failed, skipped: total - done - failed };
  }

  /** Of items whose answers are none to their questions: why, as a sentence without a full stop; undefined for none. */
  get doubts(): string | undefined {
    const [first] = this.#unsound;
    if (first === undefined) return undefined;
    const more = this.#unsound.length - 1;
    const others = more === 0 ? '' : ` and ${more} more ${more === 1 ? 'item' : 'items'}`;
    return `it is not known what ${first.item.name}${others} read`;
  }

  get failure(): Failure {
    const failed = this.#calls.flatMap((call) => {
      const failure = this.#failures.get(call);
      return failure === undefined ? [] : [{ name: call.item.name, failure }];
    });
    const [first] = failed;
    const named = failed.slice(0, MOST_NAMED).map(({ name, failure }) => `${name} ${failure.message}`);
    const more = failed.length > MOST_NAMED ? [`and ${failed.length - MOST_NAMED} more`] : [];
    const head = `${failed.length} of ${this.#calls.length} items failed`;
    const isOne = failed.length === 1;
    return {
      message: isOne ? `${head}: ${named[0]}` : [`${head}:`, ...named, ...more].join('\n'),
      exitCode: isOne ? (first?.failure.exitCode ?? null) : null,
      signal: isOne ? (first?.failure.signal ?? null) : null,
    };
  }
}
