/** What happened when in a run, for who wants to look at it afterwards. Knows nothing of tasks but their names. */

/**
 * `lookup`: a question and the search for its answer. `wait`: for a place, or for services that other processes have.
 * `restore`: an answer is put into the workspace. `run`: the work. `service`: a service is up.
 */
export type SpanKind = 'lookup' | 'wait' | 'restore' | 'run' | 'service';

export interface Span {
  readonly task: string;
  readonly kind: SpanKind;
  /** ms since some moment. */
  readonly start: number;
  readonly end: number;
  /** The place where the work was done, from 0. */
  readonly lane: number | undefined;
}

export class Timeline {
  readonly #now: () => number;
  readonly #spans: Span[] = [];

  /** `now`: ms since some moment, as finely as can be told. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Begins; the returned function ends it. */
  begin(task: string, kind: SpanKind, lane?: number): () => void {
    const start = this.#now();
    let isOver = false;
    return () => {
      if (!isOver) this.#spans.push({ task, kind, start, end: this.#now(), lane });
      isOver = true;
    };
  }

  /** In the order of their ends. */
  get spans(): readonly Span[] {
    return this.#spans;
  }
}

/** Notes how long something takes, if anyone wants to know. */
export function timed<T>(
  timeline: Timeline | undefined,
  task: string,
  kind: SpanKind,
  work: () => Promise<T>,
  lane?: number,
): Promise<T> {
  if (timeline === undefined) return work();
  const over = timeline.begin(task, kind, lane);
  return work().finally(over);
}
