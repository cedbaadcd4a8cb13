/**
 * Symbolic links among the files of a project, and which of them lead to something that has changed: what is read through a
 * link changes without it.
 */
import { readlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type AbsPath, isWithin, normalRel, type RelPath, toAbs, toRel } from '../../base/paths.ts';

interface Link {
  readonly path: RelPath;
  /** Where it says that it leads, relative to the project; on the way there may be other links. */
  readonly target: RelPath;
}

/** Those that are under version control. `staged`: what `git ls-files --stage -z` prints in the folder of the project. */
export function linksOf(root: AbsPath, staged: string): readonly Link[] {
  const names = staged.split('\0').flatMap((line) => /^120000 \S+ \d\t(.+)$/s.exec(line)?.[1] ?? []);
  return names.flatMap((name) => {
    const path = normalRel(name);
    const place = toAbs(root, path);
    try {
      return { path, target: toRel(root, resolve(dirname(place), readlinkSync(place))) };
    } catch {
      // Gone, or no link in this checkout: then it is among the changes itself.
      return [];
    }
  });
}

/** Links that lead to one of these paths, into it, or to a folder around it, through other links too. */
export function linksTo(changed: Iterable<RelPath>, links: readonly Link[]): readonly RelPath[] {
  const found: RelPath[] = [];
  let [fresh, left] = [[...changed], links];
  while (fresh.length > 0 && left.length > 0) {
    const leads = ({ target }: Link): boolean => fresh.some((path) => isWithin(target, path) || isWithin(path, target));
    const leading = left.filter(leads);
    left = left.filter((link) => !leading.includes(link));
    fresh = leading.map(({ path }) => path);
    found.push(...fresh);
  }
  return found;
}
