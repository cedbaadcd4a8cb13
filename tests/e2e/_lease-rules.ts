/** What processes that share a cache under stress agree about. */

/** The one right answer to a key; every tenth is too large for the database. */
export function answerOf(key: number): string {
  return `${key * key}:`.repeat(key % 10 === 0 ? 10_000 : 3);
}

/** Numbers from 0 up to 1, the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = (seed * 2_654_435_761) % 4_294_967_296;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

/** 0 up to `count`, in a random order. */
export function shuffled(count: number, random: () => number): readonly number[] {
  const keys = Array.from({ length: count }, (_, key) => ({ key, at: random() }));
  return keys.sort((a, b) => a.at - b.at).map(({ key }) => key);
}
