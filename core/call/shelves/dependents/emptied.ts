/** Which shelves an invalidation has emptied so far, of whatever managers: so that it goes no way twice, nor for ever. */
export class Emptied {
  readonly #shelves: ReadonlySet<string>;

  constructor(shelves: ReadonlySet<string> = new Set()) {
    this.#shelves = shelves;
  }

  /** The same with shelves of the manager in `folder`. */
  with(folder: string, names: Iterable<string>): Emptied {
    return new Emptied(new Set([...this.#shelves, ...Array.from(names, (name) => idOf(folder, name))]));
  }

  has(folder: string, name: string): boolean {
    return this.#shelves.has(idOf(folder, name));
  }
}

function idOf(folder: string, name: string): string {
  return JSON.stringify([folder, name]);
}
