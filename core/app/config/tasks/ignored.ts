/**
 * What `.gitignore` files take out of a folder, as ordered patterns. Read are those of the folder itself, of the folders
 * around it up to the root of the repository, and of packages inside it; whether a file is under version control all the
 * same is not asked. Where a line has a meaning that patterns cannot have, nothing is taken away by it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { type AbsPath, isWithin, type RelPath, toAbs, toRel } from '../../../base/paths.ts';

const IGNORE_FILE = '.gitignore';
const MAGIC = /[*?[]/;

export class Ignored {
  readonly #root: AbsPath;
  /** Folders that may have an ignore file, seen from the project; outermost first. */
  readonly #folders: readonly RelPath[];
  readonly #lines = new Map<RelPath, readonly string[]>();
  readonly #files = new Set<AbsPath>();

  /** `packages` are the folders of all packages. */
  constructor(root: AbsPath, packages: readonly RelPath[]) {
    this.#root = root;
    const inside = new Set<RelPath>(packages.flatMap(upToRoot));
    this.#folders = [...outside(root), '.' as RelPath, ...[...inside].sort((a, b) => a.length - b.length)];
  }

  /** Files that were looked for. */
  get files(): readonly AbsPath[] {
    return [...this.#files];
  }

  /** Patterns seen from the project; one with `!` takes away. */
  patternsFor(folder: RelPath): readonly string[] {
    const near = this.#folders.filter(
      (other) => other.startsWith('..') || isWithin(other, folder) || isWithin(folder, other),
    );
    return near.flatMap((from) => this.#linesOf(from).flatMap((line) => patternOf(line, from, folder, this.#root)));
  }

  #linesOf(folder: RelPath): readonly string[] {
    const known = this.#lines.get(folder);
    if (known !== undefined) return known;
    const file = toAbs(this.#root, join(folder, IGNORE_FILE));
    this.#files.add(file);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split(/\r?\n/) : [];
    this.#lines.set(folder, lines);
    return lines;
  }
}

/** A folder and those above it, without the root. */
function upToRoot(folder: RelPath): readonly RelPath[] {
  const steps = folder.split('/');
  return steps.map((_, at) => steps.slice(0, at + 1).join('/') as RelPath);
}

/** The folders around the project that belong to its repository, outermost first. */
function outside(root: AbsPath): readonly RelPath[] {
  const found: RelPath[] = [];
  for (let at: string = root; !existsSync(join(at, '.git')); at = dirname(at)) {
    if (dirname(at) === at) return [];
    found.unshift(toRel(root, dirname(at)));
  }
  return found;
}

/** The patterns of one line of the ignore file in `from`, for what is in `folder`; none if it says nothing about that. */
function patternOf(line: string, from: RelPath, folder: RelPath, root: AbsPath): readonly string[] {
  const text = line.replace(/\s+$/, '');
  if (text === '' || text.startsWith('#') || /[\\{}()]/.test(text)) return [];
  const isBack = text.startsWith('!');
  const bare = isBack ? text.slice(1) : text;
  const isFolder = bare.endsWith('/');
  const name = bare.replace(/\/$/, '');
  if (name === '' || name.startsWith('!')) return [];
  // What a pattern matches it takes away with all below; of one for folders only what is in them must go.
  const tail = isFolder ? '/*' : '';
  if (name.includes('/')) {
    const anchored = anchor(name.replace(/^\//, ''), from, root);
    if (anchored === undefined) return [];
    if (!isBack) return [`!${anchored}${tail}`];
    return isWithin(folder, fixedPart(anchored)) ? [`${anchored}${tail}`] : [];
  }
  if (!isBack) return [`!${from.startsWith('..') || from === '.' ? '' : `${from}/`}**/${name}${tail}`];
  // What is taken back must not be more than was wanted.
  const inner = isWithin(from, folder) || from.startsWith('..') ? folder : from;
  return [`${inner === '.' ? '' : `${inner}/`}**/${name}${tail}`];
}

/** A pattern with a slash as seen from the project; undefined if it speaks of what is outside, or may do so. */
function anchor(pattern: string, from: RelPath, root: AbsPath): string | undefined {
  if (from === '.') return pattern;
  if (!from.startsWith('..')) return `${from}/${pattern}`;
  if (pattern.startsWith('**/')) return pattern;
  const inside = `${toRel(toAbs(root, from), root)}/`;
  return pattern.startsWith(inside) ? pattern.slice(inside.length) : undefined;
}

/** The folder in front of the first step with magic, or the whole pattern. */
function fixedPart(pattern: string): string {
  const magic = pattern.search(MAGIC);
  return magic < 0 ? pattern : posix.dirname(`${pattern.slice(0, magic)}x`);
}
