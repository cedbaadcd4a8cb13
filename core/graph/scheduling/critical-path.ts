/** Longest paths through tasks that need each other, by how long each takes. Pure. */

/** Tasks with what they need; what is no key is left out of account. */
export type Needs = ReadonlyMap<string, readonly string[]>;

/**
 * For each task the time from its beginning to the end of everything that needs it, if nothing ever waits for a place:
 * its own time and the longest way behind it. `needs` has every task after what it needs.
 */
export function remainingTimes(needs: Needs, timeOf: (task: string) => number): ReadonlyMap<string, number> {
  const behind = new Map<string, number>();
  const remaining = new Map<string, number>();
  for (const [task, needed] of [...needs].reverse()) {
    const time = timeOf(task) + (behind.get(task) ?? 0);
    remaining.set(task, time);
    for (const need of needed) behind.set(need, Math.max(behind.get(need) ?? 0, time));
  }
  return remaining;
}

/** The tasks on the longest path, each before what needs it; of equally long ones the first. */
export function criticalPath(needs: Needs, timeOf: (task: string) => number): readonly string[] {
  const remaining = remainingTimes(needs, timeOf);
  const dependents = new Map<string, string[]>();
  for (const [task, needed] of needs) {
    for (const need of needed) dependents.set(need, [...(dependents.get(need) ?? []), task]);
  }
  const path: string[] = [];
  const longest = (tasks: Iterable<string>): string | undefined => {
    let found: string | undefined;
    for (const task of tasks) {
      if (found === undefined || (remaining.get(task) ?? 0) > (remaining.get(found) ?? 0)) found = task;
    }
    return found;
  };
  for (let at = longest(needs.keys()); at !== undefined; at = longest(dependents.get(at) ?? [])) path.push(at);
  return path;
}

/** The middle of some numbers, the lower one of two; undefined for none. */
export function median(numbers: readonly number[]): number | undefined {
  return [...numbers].sort((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)];
}
