/** What a run writes: what was there before it, and what of it was needed. */
import { isWithin, type RelPath } from '../../base/paths.ts';
import type { Globs } from '../globs/globs.ts';
import type { PathState } from '../states/path-states.ts';
import type { Tree } from '../trees/tree.ts';
import type { OutputSite, Standing } from './output-site.ts';

/** A run that may begin; for `capture` when it succeeded, for `abandon` when it did not. */
export interface Prepared {
  readonly task: string;
  readonly globs: Globs;
  /** What stood among the outputs and is not the task's, as it was. */
  readonly foreign: ReadonlyMap<RelPath, PathState>;
  /** What the task wrote earlier and was left in place. */
  readonly earlier: ReadonlyMap<RelPath, PathState>;
  /** Pipes, sockets and devices that stood there. */
  readonly odd: ReadonlySet<RelPath>;
}

/** Something that writes outputs, from when room was made for it; one of the two is called when it is over. */
export interface Writing {
  readonly capture: () => Captured;
  readonly abandon: () => void;
}

/** What a run wrote. */
export interface Captured {
  readonly tree: Tree;
  /** Outputs that were needed and not written: patterns without magic, or all patterns if there is none at all. */
  readonly missing: readonly string[];
  /** What is remembered of each path of the tree. */
  readonly states: readonly PathState[];
}

/** What matches after a run, but for what was there before and is untouched. */
export function written(site: OutputSite, { foreign }: Prepared): Standing {
  return site.standing((path) => {
    const noted = foreign.get(path);
    return noted !== undefined && site.isUntouched(noted);
  });
}

/** Outputs that were needed and are not in a tree. */
export function missingFrom(tree: Tree, globs: Globs): readonly string[] {
  if (!tree.entries.some(({ path }) => globs.matches(path)))
    return globs.patterns.filter((pattern) => !pattern.startsWith('!'));
  return globs.literals.filter((literal) => !tree.entries.some(({ path }) => isWithin(literal, path)));
}
