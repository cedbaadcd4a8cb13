/**
 * What a lock file says, whoever wrote it: things that are installed, and which of them each thing is given under which
 * name. Slices are walks over it. Pure; an answer holds for one content.
 */
import { sha256 } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';

/** The name by which something is loaded. */
export interface Given {
  readonly name: string;
  /** What is loaded, by its name in the lock file; undefined if it is not installed, as what is optional may be. */
  readonly to: string | undefined;
}

export interface Described {
  /** As people know it. */
  readonly version: string;
  /** Where it is, among what, and of what content: everything else by which it is told from others. */
  readonly content: string;
}

export interface Lock {
  /** What code of the package in a folder (`.` is the root) can load; undefined if the lock file does not tell. */
  own(folder: RelPath): readonly Given[] | undefined;
  /** What code of an installed thing can load; undefined if the lock file does not tell. */
  given(id: string): readonly Given[] | undefined;
  described(id: string): Described;
}

/** A package of the workspace, as far as its manifest tells what lock files leave out. */
export interface Member {
  readonly name: string;
  readonly folder: RelPath;
  /** What is installed for it: names, and the ranges it asks for. */
  readonly requests: readonly (readonly [name: string, range: string])[];
  /** Names of what who depends on it depends on too. */
  readonly passedOn: readonly string[];
  /** In the root: whose versions it decides for all, as `resolutions` names them. */
  readonly forced: readonly string[];
  /** In the root: files by which packages are changed after they were fetched, by `name@version`. */
  readonly patches: Readonly<Record<string, string>>;
}

/** Why a lock file cannot be told apart, in words that follow its name. */
export interface Illegible {
  readonly trouble: string;
}

/** Characters of a digest. A slice has thousands of lines, and is kept for each package. */
const SHORT = 32;

/** Something given, and the line that tells of it. */
interface Line {
  readonly text: string;
  readonly to: string | undefined;
}

export class Slices {
  readonly #lock: Lock;
  readonly #described = new Map<string, string>();
  /** Lines are made once, for all packages: joining texts costs more than all of the walk. */
  readonly #given = new Map<string, readonly Line[] | undefined>();

  constructor(lock: Lock) {
    this.#lock = lock;
  }

  /**
   * One line for each installed thing that the packages in `folders` can load, directly or through others: name, version
   * and a digest of the rest, separated by tabs; sorted. Undefined if the lock file does not tell.
   */
  of(folders: readonly RelPath[]): readonly string[] | undefined {
    const lines = new Set<string>();
    const seen = new Set<string>();
    const rest: (readonly Line[] | undefined)[] = folders.map((folder) => this.#lines(this.#lock.own(folder)));
    while (rest.length > 0) {
      const next = rest.pop();
      if (next === undefined) return undefined;
      for (const { text, to } of next) {
        lines.add(text);
        if (to === undefined || seen.has(to)) continue;
        seen.add(to);
        if (!this.#given.has(to)) this.#given.set(to, this.#lines(this.#lock.given(to)));
        rest.push(this.#given.get(to));
      }
    }
    // By code unit, as it is without a comparison, and twice as fast.
    return [...lines].sort();
  }

  #lines(given: readonly Given[] | undefined): readonly Line[] | undefined {
    return given?.map(({ name, to }) => ({ text: `${name}\t${to === undefined ? '\t' : this.#description(to)}`, to }));
  }

  #description(id: string): string {
    const known = this.#described.get(id);
    if (known !== undefined) return known;
    const { version, content } = this.#lock.described(id);
    const text = `${version}\t${sha256(content).slice(0, SHORT)}`;
    this.#described.set(id, text);
    return text;
  }
}
