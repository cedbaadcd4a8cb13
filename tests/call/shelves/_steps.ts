/** Edits that follow from a number: what a process did before it was killed can be done again. */

/** A small generator of numbers below `limit`, the same for the same seed. */
function numbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Applies the edits before save number `count` (from 1) to a map, one save's worth after the other. */
export function* edit(map: Map<string, unknown>, seed: number): Generator<number, never, undefined> {
  const below = numbers(seed);
  for (let count = 1; ; count++) {
    for (let edits = 1 + below(8); edits > 0; edits--) {
      const key = `key ${below(40)}`;
      const kind = below(20);
      if (kind === 0) map.clear();
      else if (kind < 5) map.delete(key);
      else map.set(key, { count, text: 'x'.repeat(below(3) * 3_000) });
    }
    yield count;
  }
}
