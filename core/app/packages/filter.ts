/**
 * Which packages `--filter` chooses. A filter is a pattern over names, or over folders if it begins with `./`; `pattern...`
 * adds what these packages depend on, `...pattern` what depends on them, `^` beside the dots leaves out the packages
 * themselves, and a leading `!` takes away. Pure.
 */
import { FlecheError } from '../../base/errors.ts';
import { suggest } from '../../base/nearest.ts';
import { normalRel, type RelPath } from '../../base/paths.ts';
import { isPathPattern, packageTest } from './package-patterns.ts';
import { type Package, type Packages, ROOT } from './packages.ts';

const DOTS = '...';

interface Filter {
  readonly text: string;
  readonly takes: boolean;
  readonly pattern: string;
  readonly below: boolean;
  readonly above: boolean;
  readonly itself: boolean;
}

/**
 * The packages that at least one filter takes and none takes away; if all of them take away, of all packages and the root.
 * `cwd` is where paths begin, relative to the project. Throws `CONFIG_UNKNOWN_PACKAGE` for a filter that takes nothing, and
 * `USAGE` for one without a pattern.
 */
export function filteredPackages(filters: readonly string[], packages: Packages, cwd: RelPath): ReadonlySet<Package> {
  const parsed = filters.map(parse);
  const taking = parsed.filter(({ takes }) => takes);
  const all = [packages.root, ...packages.all];
  const chosen = new Set(taking.length === 0 ? all : []);
  for (const filter of taking) {
    const found = matching(filter, packages, cwd);
    if (found.size === 0 && named(filter, packages, cwd).length === 0) throw unmatched(filter, packages);
    for (const one of found) chosen.add(one);
  }
  for (const filter of parsed) {
    if (!filter.takes) for (const one of matching(filter, packages, cwd)) chosen.delete(one);
  }
  return new Set(all.filter((one) => chosen.has(one)));
}

function parse(text: string): Filter {
  const takes = !text.startsWith('!');
  let pattern = takes ? text : text.slice(1);
  let itself = true;
  const above = pattern.startsWith(DOTS);
  if (above) pattern = pattern.slice(DOTS.length);
  if (above && pattern.startsWith('^')) {
    itself = false;
    pattern = pattern.slice(1);
  }
  const below = pattern.endsWith(DOTS) && pattern !== DOTS;
  if (below) pattern = pattern.slice(0, -DOTS.length);
  if (below && pattern.endsWith('^')) {
    itself = false;
    pattern = pattern.slice(0, -1);
  }
  if (pattern.trim() !== '') return { text, takes, pattern, below, above, itself };
  throw new FlecheError('USAGE', `--filter: "${text}" names no package`, {
    hint: 'Write a name such as "app", a folder such as "./packages/app", "app..." with what it depends on, or "...app".',
  });
}

function matching(filter: Filter, packages: Packages, cwd: RelPath): ReadonlySet<Package> {
  const start = new Set(named(filter, packages, cwd));
  const found = new Set(filter.itself ? start : []);
  const above = filter.above ? packages.above(start) : [];
  for (const one of above) found.add(one);
  if (filter.below) for (const one of [...start, ...above]) for (const other of packages.below(one)) found.add(other);
  if (!filter.itself) for (const one of start) found.delete(one);
  return found;
}

function named({ pattern }: Filter, packages: Packages, cwd: RelPath): readonly Package[] {
  if (pattern === ROOT) return [packages.root];
  const test = packageTest(isPathPattern(pattern) ? `./${normalRel(`${cwd}/${pattern}`)}` : pattern);
  return packages.all.filter(test);
}

function unmatched({ text, pattern }: Filter, packages: Packages): FlecheError {
  return new FlecheError('CONFIG_UNKNOWN_PACKAGE', `--filter: no package matches "${text}"`, {
    hint: isPathPattern(pattern)
      ? suggest(
          pattern,
          packages.all.map(({ folder }) => `./${folder}`),
        )
      : packages.hint(pattern),
  });
}
