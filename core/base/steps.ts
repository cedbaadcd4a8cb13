/**
 * Procedures over values that may be there at once or later, written once: without a promise on the way they are done
 * when `run` returns, else when its promise settles.
 *
 *     const size = run((function* () {
 *       const text = yield* wait(load());
 *       return text.length;
 *     })());
 */
import { type Awaitable, isPromise } from './awaitable.ts';

/** A procedure with the result `T`; it yields what it waits for. */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/** Waits for a value, if it has to be waited for. */
export function* wait<T>(value: Awaitable<T>): Steps<T> {
  // What `run` gives back is what the promise was kept with.
  return isPromise(value) ? ((yield value) as T) : value;
}

/** Goes through a procedure. Throws at once what is thrown before the first wait. */
export function run<T>(steps: Steps<T>): Awaitable<T> {
  const next = (step: IteratorResult<Promise<unknown>, T>): Awaitable<T> => {
    if (step.done) return step.value;
    return Promise.resolve(step.value).then(
      (value) => next(steps.next(value)),
      (error: unknown) => next(steps.throw(error)),
    );
  };
  return next(steps.next());
}

/** As `run`, for callers that wait in any case: everything thrown is a rejection. */
export async function later<T>(steps: Steps<T>): Promise<T> {
  return run(steps);
}
