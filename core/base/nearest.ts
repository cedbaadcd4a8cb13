/** Suggestions for misspelt names. */

/**
 * The number of single-character edits between two strings, where swapping two neighbours is one edit (optimal string
 * alignment, three-row form).
 */
function editDistance(a: string, b: string): number {
  let beforeThat: readonly number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (beforeThat[j - 2] ?? 0) + 1 : substitution;
      current.push(Math.min(substitution, swap, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    beforeThat = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/**
 * The known name that `word` most likely meant, or undefined if none is near: a third of its length, at least 2 edits, that
 * leave something of it.
 */
export function nearestName(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance < least && distance < Math.max(2, word.length, name.length)) {
      best = name;
      least = distance;
    }
  }
  return best;
}

/** A hint that names the nearest known name, else all of them (at most twelve). */
export function suggest(word: string, known: Iterable<string>): string {
  const names = [...known];
  const near = nearestName(word, names);
  if (near !== undefined) return `Did you mean "${near}"?`;
  if (names.length === 0) return 'There is none to choose from.';
  return `Known: ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}.`;
}
