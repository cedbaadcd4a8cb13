/**
 * Listings that may arrive later, worked on in steps. A step is written once, over a sink that takes one item after
 * another; what drives it is synchronous for as long as everything is there at once.
 */
import { type Awaitable, isPromise } from '../../base/awaitable.ts';

export type Listing<T> = Iterable<T> | AsyncIterable<T>;

/** Takes items one after another; the next only when the one before is dealt with. */
export interface Sink<T> {
  /** False when no more items are wanted. */
  take(item: T): Awaitable<boolean>;
  /** Called once after the last item. */
  end(): Awaitable<void>;
}

/** What to do with each item on its way: makes a sink of one that takes what comes out. Has no state of its own. */
export type Step<A, B> = (next: Sink<B>) => Sink<A>;

/** Gives all items of a listing to a sink, at once if neither makes it wait. */
export function pour<T>(listing: Listing<T>, sink: Sink<T>): Awaitable<void> {
  return Symbol.iterator in listing ? pourSync(listing[Symbol.iterator](), sink) : pourAsync(listing, sink);
}

function pourSync<T>(items: Iterator<T>, sink: Sink<T>): Awaitable<void> {
  let more: Awaitable<boolean> = true;
  try {
    while (more === true) {
      const next = items.next();
      if (next.done) return sink.end();
      more = sink.take(next.value);
    }
  } catch (error) {
    items.return?.();
    throw error;
  }
  if (isPromise(more)) return pourRest(items, sink, more);
  items.return?.();
  return sink.end();
}

/** Goes on where an item is still being dealt with. */
async function pourRest<T>(items: Iterator<T>, sink: Sink<T>, pending: Promise<boolean>): Promise<void> {
  let more = false;
  try {
    more = await pending;
  } finally {
    if (!more) items.return?.();
  }
  return more ? pourAsync({ [Symbol.iterator]: () => items }, sink) : sink.end();
}

async function pourAsync<T>(listing: Listing<T>, sink: Sink<T>): Promise<void> {
  for await (const item of listing) if (!(await sink.take(item))) break;
  await sink.end();
}

/** What comes out of a step, item by item. Throws what `late` makes when a step makes it wait. */
export function* through<A, B>(
  listing: Iterable<A>,
  step: Step<A, B>,
  late: () => Error,
): Generator<B, void, undefined> {
  const out: B[] = [];
  const sink = step(collector(out));
  for (const item of listing) {
    const more = atOnce(sink.take(item), late);
    yield* out.splice(0);
    if (!more) break;
  }
  atOnce(sink.end(), late);
  yield* out;
}

/** What is there; throws what `late` makes when it is not there yet. */
export function atOnce<T>(value: Awaitable<T>, late: () => Error): T {
  if (!isPromise(value)) return value;
  // Nobody will ask how it ends.
  value.then(undefined, () => {});
  throw late();
}

/** As `through`, waiting where a step or the listing makes it wait. */
export async function* throughLater<A, B>(listing: Listing<A>, step: Step<A, B>): AsyncGenerator<B, void, undefined> {
  const out: B[] = [];
  const sink = step(collector(out));
  for await (const item of listing) {
    const more = await sink.take(item);
    yield* out.splice(0);
    if (!more) break;
  }
  await sink.end();
  yield* out;
}

/** Puts every item into a list. */
export function collector<T>(list: T[]): Sink<T> {
  return {
    take: (item) => {
      list.push(item);
      return true;
    },
    end: () => {},
  };
}
