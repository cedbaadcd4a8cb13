/** Orders that do not depend on the machine: never `localeCompare`, whose answer changes with the locale. */

/** Compares two strings by UTF-16 code unit. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The place of a text among `count` different ones that are sorted by code unit, or -1 (binary search). */
export function placeAmong(count: number, at: (place: number) => string, wanted: string): number {
  let low = 0;
  let high = count - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = at(middle);
    if (found === wanted) return middle;
    if (found < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** A topological order, or the cycle that forbids one (first name repeated at the end). */
type Topology =
  | { readonly kind: 'ordered'; readonly order: readonly string[] }
  | { readonly kind: 'cycle'; readonly path: readonly string[] };

/**
 * Orders `names` so that everything `needs(name)` yields comes before `name`. Deterministic: ties keep the order in
 * which names are given. Names reached through `needs` alone are included.
 */
export function topologicalOrder(names: Iterable<string>, needs: (name: string) => Iterable<string>): Topology {
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  /** What is being ordered, each because of the one before. */
  const stack: { readonly name: string; readonly rest: Iterator<string> }[] = [];
  const open = (name: string): void => {
    state.set(name, 'open');
    stack.push({ name, rest: needs(name)[Symbol.iterator]() });
  };
  for (const root of names) {
    if (state.has(root)) continue;
    open(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.rest.next();
      if (next.done) {
        state.set(top.name, 'done');
        order.push(top.name);
        stack.pop();
      } else if (state.get(next.value) === 'open') {
        const from = stack.findIndex((frame) => frame.name === next.value);
        return { kind: 'cycle', path: [...stack.slice(from).map((frame) => frame.name), next.value] };
      } else if (!state.has(next.value)) {
        open(next.value);
      }
    }
  }
  return { kind: 'ordered', order };
}
