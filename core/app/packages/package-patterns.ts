/** Which packages a person means by a pattern. Pure. */
import type { RelPath } from '../../base/paths.ts';
import { Globs } from '../../files/globs/globs.ts';
import type { Package } from './packages.ts';

/** Ordered patterns over names of packages, or over their folders if they begin with `./`; `!` takes away. */
export class PackagePatterns {
  readonly #rules: readonly { readonly takes: boolean; readonly test: (one: Package) => boolean }[];

  /** If the first pattern takes away, it takes away from all packages. */
  constructor(patterns: readonly string[]) {
    const all = patterns[0]?.startsWith('!') ? ['**', ...patterns] : patterns;
    this.#rules = all.map((pattern) => {
      const takes = !pattern.startsWith('!');
      const text = takes ? pattern : pattern.slice(1);
      return { takes, test: packageTest(text) };
    });
  }

  matches(one: Package): boolean {
    return this.#rules.findLast(({ test }) => test(one))?.takes ?? false;
  }
}

/** Whether a package has the name, or is at or below the folder, that a pattern speaks of. */
export function packageTest(pattern: string): (one: Package) => boolean {
  const isPath = isPathPattern(pattern);
  // A name without its scope is enough; a "*" stands for any part of a name.
  const globs = new Globs([isPath || pattern.includes('/') || pattern.startsWith('@') ? pattern : `{,@*/}${pattern}`]);
  return ({ name, folder }) => globs.matches((isPath ? folder : name) as RelPath);
}

/** Whether a pattern speaks of folders. */
export function isPathPattern(pattern: string): boolean {
  return /^\.{1,2}(?:\/|$)/.test(pattern);
}
