/**
 * The packages of a workspace and how they depend on each other. Pure; an answer holds for the manifests that were read.
 */
import type { Digest } from '../../base/hash.ts';
import { nearestName, suggest } from '../../base/nearest.ts';
import { byCodeUnit, topologicalOrder } from '../../base/order.ts';
import { isWithin, type RelPath } from '../../base/paths.ts';
import type { Member } from '../../files/lock/lock.ts';

/** What the root of a project is called where a package is named. */
export const ROOT = '//';

export interface Package extends Member {
  /** As its manifest says, else the last step of its folder; `ROOT` for the root. */
  readonly name: string;
  /** Commands of its manifest, by name. */
  readonly scripts: Readonly<Record<string, string>>;
  /** Names of what it depends on for itself, in the workspace or not, sorted. */
  readonly dependencies: readonly string[];
  /** Digest of what in its manifest can matter to who loads it; undefined without a manifest. */
  readonly face?: Digest | undefined;
}

export class Packages {
  /** Sorted by folder; without the root. */
  readonly all: readonly Package[];
  readonly root: Package;
  readonly #byName: ReadonlyMap<string, Package>;
  readonly #closures = new Map<string, readonly Package[]>();

  /** Of packages with one name the first is found by it. */
  constructor(root: Package, packages: Iterable<Package>) {
    this.root = root;
    this.all = [...packages].sort((a, b) => byCodeUnit(a.folder, b.folder));
    this.#byName = new Map(this.all.toReversed().map((one) => [one.name, one]));
  }

  /** The root, then the others. */
  get members(): readonly Package[] {
    return [this.root, ...this.all];
  }

  get names(): readonly string[] {
    return this.all.map(({ name }) => name);
  }

  /** A hint at the one that was most likely meant; scopes may have been left out. */
  hint(word: string): string {
    const short = new Map(this.names.map((name) => [name.slice(name.lastIndexOf('/') + 1), name]));
    const near = nearestName(word, this.names) ?? short.get(nearestName(word, short.keys()) ?? '');
    return near === undefined ? suggest(word, this.names) : `Did you mean "${near}"?`;
  }

  /** A package, or the root by its name here. */
  named(name: string): Package | undefined {
    return name === ROOT ? this.root : this.#byName.get(name);
  }

  /** The innermost package that a path lies in; undefined if that is the root alone. */
  around(path: RelPath): Package | undefined {
    let found: Package | undefined;
    for (const one of this.all) {
      if (isWithin(one.folder, path) && one.folder.length > (found?.folder.length ?? -1)) found = one;
    }
    return found;
  }

  /** The packages that one depends on directly, by name. */
  direct({ name, dependencies }: Package): readonly Package[] {
    return this.#among(dependencies, name);
  }

  /** What `^` means in a package: everything that its code can load; in the root all packages. Sorted by folder. */
  below(one: Package): readonly Package[] {
    return one === this.root ? this.all : this.loadable(one);
  }

  /**
   * Everything that code of a package can load of the workspace: what it depends on, and what that passes on. Sorted by
   * folder, without the package itself.
   */
  loadable(one: Package): readonly Package[] {
    const known = this.#closures.get(one.name);
    if (known !== undefined) return known;
    const found = new Set<Package>();
    const rest = [...this.direct(one)];
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      if (next === one || found.has(next)) continue;
      found.add(next);
      rest.push(...this.#among(next.passedOn, next.name));
    }
    const sorted = [...found].sort((a, b) => byCodeUnit(a.folder, b.folder));
    this.#closures.set(one.name, sorted);
    return sorted;
  }

  /** All packages that have one of these below them, without these themselves unless they are below each other. */
  above(some: ReadonlySet<Package>): readonly Package[] {
    return this.all.filter((one) => this.below(one).some((other) => some.has(other)));
  }

  /** The names along a circle of dependencies, the first one again at the end; undefined if there is none. */
  circle(): readonly string[] | undefined {
    const found = topologicalOrder(this.names, (name) => {
      const one = this.#byName.get(name);
      return one === undefined ? [] : this.direct(one).map((other) => other.name);
    });
    return found.kind === 'cycle' ? found.path : undefined;
  }

  #among(names: readonly string[], own: string): readonly Package[] {
    return names.flatMap((name) => (name === own ? [] : (this.#byName.get(name) ?? [])));
  }
}
