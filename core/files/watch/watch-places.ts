/**
 * Where the paths that matter to a watch really are: links are followed and places outside the root are found, so that
 * an event at a real place can be told under every path that leads there. Valid as long as no link is changed.
 */
import { readlinkSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { type AbsPath, escapes, isWithin, type RelPath, toRel } from '../../base/paths.ts';
import { lookAt, placeOf } from '../look.ts';

/** What is to be watched; all paths are relative to the root. */
export interface WatchScope {
  /** What pattern lists matter, as texts: another list may matter in other folders. */
  readonly patterns: ReadonlySet<string>;
  /** Folders and paths at or below which all matches of patterns lie. */
  readonly bases: readonly RelPath[];
  /** Single paths that matter, there or not. Outside the root one that is not there is not waited for. */
  readonly paths: readonly RelPath[];
  /** Links that stand for what they lead to. */
  readonly links: readonly RelPath[];
  /** Whether anything in a folder, or below it, can matter. */
  enters(folder: RelPath): boolean;
}

/** A real place that is seen under another path. */
interface Alias {
  readonly path: RelPath;
  /** Whether what is below the place is seen below the path; else all of it is seen as the path itself. */
  readonly isOpen: boolean;
}

/** Links that lead to links are followed so far. */
const MOST_HOPS = 40;

export class WatchPlaces {
  readonly #root: AbsPath;
  readonly #scope: WatchScope;
  readonly #aliases = new Map<AbsPath, Alias[]>();
  readonly #folders = new Set<AbsPath>();
  /** Folders that are watched with all below them. */
  readonly #trees = new Set<AbsPath>();

  /** `root` is a real path. Reads links. */
  constructor(root: AbsPath, scope: WatchScope) {
    this.#root = root;
    this.#scope = scope;
    this.#folders.add(root);
    for (const base of scope.bases) this.#follow(base);
    for (const path of scope.paths) if (escapes(path)) this.#outside(path, 'if there');
    for (const base of scope.bases) if (escapes(base)) this.#outside(base, 'or above');
    for (const link of scope.links) this.#link(link);
  }

  /** Folders where watching begins, the root first. */
  get folders(): readonly AbsPath[] {
    return [...this.#folders];
  }

  /** Whether a folder (absolute) is to be watched, for its own sake or for what is below it. */
  wants(folder: string): boolean {
    const place = resolve(folder) as AbsPath;
    if (this.#folders.has(place)) return true;
    for (const tree of this.#trees) if (isWithin(tree, place)) return !isReserved(toRel(tree, place));
    return this.pathsOf(place).some((path) => this.#scope.enters(path));
  }

  /** The paths under which a place (absolute) is seen. */
  pathsOf(place: string): readonly RelPath[] {
    const paths = [toRel(this.#root, place)];
    if (this.#aliases.size === 0) return paths;
    for (let at = place as AbsPath; ; at = dirname(at) as AbsPath) {
      for (const { path, isOpen } of this.#aliases.get(at) ?? []) {
        const rest = toRel(at, place);
        paths.push(!isOpen || rest === '.' ? path : (`${path}/${rest}` as RelPath));
      }
      if (dirname(at) === at) return paths;
    }
  }

  /** A folder that is named through a link is watched where it is. */
  #follow(base: RelPath): void {
    if (escapes(base)) return;
    const steps = base.split('/');
    let real: string = this.#root;
    for (let count = 1; count <= steps.length; count++) {
      const path = steps.slice(0, count).join('/') as RelPath;
      const place = realOf(placeOf(this.#root, path));
      if (place === undefined) return;
      if (place !== resolve(real, steps[count - 1] ?? '')) {
        this.#alias(place, { path, isOpen: true });
        if (lookAt(place)?.isDirectory() === true) this.#folders.add(place);
        this.#hops(path);
      }
      real = place;
    }
  }

  #outside(path: RelPath, how: 'if there' | 'or above'): void {
    const place = resolve(this.#root, path) as AbsPath;
    const stats = lookAt(place);
    if (stats === undefined && how === 'if there') return;
    const folder = stats?.isDirectory() === true ? place : nearestFolder(dirname(place));
    const real = realOf(folder);
    if (real === undefined) return;
    this.#folders.add(real);
    if (real !== folder) this.#alias(real, { path: toRel(this.#root, folder), isOpen: true });
  }

  /** What a link leads to counts as the link, and so does every link on the way. */
  #link(link: RelPath): void {
    const end = this.#hops(link);
    if (end === undefined || lookAt(end)?.isDirectory() !== true || escapes(toRel(this.#root, end))) return;
    this.#folders.add(end);
    this.#trees.add(end);
  }

  /** Follows a link step by step; the folder of each step is watched, for the next one may come to be or be replaced. */
  #hops(link: RelPath): AbsPath | undefined {
    let place = placeOf(this.#root, link);
    for (let hop = 0; hop < MOST_HOPS; hop++) {
      const folder = realOf(dirname(place));
      if (folder === undefined) return undefined;
      const real = resolve(folder, place.slice(dirname(place).length + 1)) as AbsPath;
      if (hop > 0) {
        this.#folders.add(folder);
        this.#alias(real, { path: link, isOpen: false });
      }
      if (lookAt(real)?.isSymbolicLink() !== true) return lookAt(real) === undefined ? undefined : real;
      place = resolve(folder, readlinkSync(real)) as AbsPath;
    }
    return undefined;
  }

  #alias(place: AbsPath, alias: Alias): void {
    const known = this.#aliases.get(place);
    if (known === undefined) this.#aliases.set(place, [alias]);
    else known.push(alias);
  }
}

function isReserved(path: RelPath): boolean {
  return /(?:^|\/)(?:node_modules|\.git|\.fleche|\.fleche-pack)(?:\/|$)/.test(path);
}

/** Where a path leads when all links are followed, or undefined if nowhere. */
function realOf(place: string): AbsPath | undefined {
  try {
    return realpathSync(place) as AbsPath;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'EACCES') return undefined;
    throw error;
  }
}

function nearestFolder(place: string): AbsPath {
  for (let at = place; ; at = dirname(at)) {
    if (lookAt(at as AbsPath)?.isDirectory() === true || dirname(at) === at) return at as AbsPath;
  }
}
