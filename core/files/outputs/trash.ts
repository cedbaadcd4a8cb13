/**
 * Where things are moved that stand in the way but are not the program's to delete. Nothing is ever removed here but a file
 * that lies here already: where nothing can be remembered, as on a full disk, every run would bring the same once more.
 */
import {
  accessSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { byCodeUnit } from '../../base/order.ts';
import { type AbsPath, escapes, folderOf, type RelPath, toRel } from '../../base/paths.ts';
import { piecesIn } from '../../store/file-bytes.ts';
import { lookAt, placeOf } from '../look.ts';

/** Tasks that a sentence names. */
const MOST_NAMES = 3;

/** So many of the latest folders are looked into for a file that is here already. */
const LATEST = 20;

/** Takes things of one workspace, each at its path, until it is asked what it took; the next go to another folder. */
export class Trash {
  readonly #root: AbsPath;
  #trashDir: string;
  /** Folders of earlier occasions, the latest first. */
  #before: readonly AbsPath[] | undefined;
  readonly #clock: () => number;
  readonly #folders: string[] = [];
  readonly #tasks = new Set<string>();
  #count = 0;

  constructor(root: AbsPath, trashDir: AbsPath, clock: () => number) {
    this.#root = root;
    this.#trashDir = trashDir;
    this.#clock = clock;
  }

  /** Moves what stands at `path`, a link as a link, a folder with all that is in it. It was in the way of a task. */
  take(path: RelPath, task: string): void {
    const from = placeOf(this.#root, path);
    if (this.#isHere(path, from)) return unlinkSync(from);
    try {
      move(from, join(this.#folderFor(path), path));
    } catch (error) {
      const code = systemCode(error);
      if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
      this.#useTemporary();
      this.#folders.push(this.#newFolder());
      move(from, join(this.#folderFor(path), path));
    }
    this.#tasks.add(task);
    this.#count++;
  }

  /** What was taken and was not told yet, as one sentence; undefined for nothing. A folder counts once. */
  told(): string | undefined {
    const [folder, ...more] = this.#folders;
    if (folder === undefined) return undefined;
    const count = this.#count;
    if (count === 0) return undefined;
    const names = [...this.#tasks];
    const others = names.length - MOST_NAMES;
    const owners = names.slice(0, MOST_NAMES).join(', ') + (others > 0 ? ` and ${others} more` : '');
    const isOne = names.length === 1;
    const place = more.length === 0 ? [folder] : [...new Set([folder, ...more].map((one) => dirname(one)))];
    this.#folders.length = 0;
    this.#tasks.clear();
    this.#count = 0;
    return `${count === 1 ? '1 path' : `${count} paths`} among the outputs of ${owners} ${count === 1 ? 'was' : 'were'} moved to ${place.map((one) => this.#shown(one)).join(' and ')}: ${isOne ? 'that task is' : 'these tasks are'} not known to have written ${count === 1 ? 'it' : 'them'}`;
  }

  #shown(folder: string): string {
    const path = toRel(this.#root, folder);
    return escapes(path) ? folder : path;
  }

  /** The folder that is in use, unless something stands there at this path, or above or below it, already. */
  #folderFor(path: RelPath): string {
    const last = this.#folders.at(-1);
    if (last !== undefined && isFree(last as AbsPath, path)) return last;
    const folder = this.#newFolder();
    this.#folders.push(folder);
    return folder;
  }

  #newFolder(): string {
    const stamp = new Date(this.#clock()).toISOString().replaceAll(':', '-');
    this.#makeDir();
    for (let attempt = 1; ; attempt++) {
      const folder = join(this.#trashDir, `${stamp}${attempt === 1 ? '' : `-${attempt}`}`);
      try {
        mkdirSync(folder);
        return folder;
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
      }
    }
  }

  /** Where nothing can be put, as in the cache of another user, a folder for what is temporary will do. */
  #makeDir(): void {
    try {
      mkdirSync(this.#trashDir, { recursive: true });
      accessSync(this.#trashDir, constants.W_OK);
    } catch {
      this.#useTemporary();
    }
  }

  #useTemporary(): void {
    this.#trashDir = mkdtempSync(join(tmpdir(), 'fleche-trash-'));
  }

  /** Whether the same file lies here already, as what was last taken from its path. */
  #isHere(path: RelPath, from: AbsPath): boolean {
    const stats = lookAt(from);
    if (stats?.isFile() !== true) return false;
    this.#before ??= foldersIn(this.#trashDir).slice(-LATEST).reverse();
    for (const folder of this.#before) {
      const place = placeOf(folder, path);
      const other = lookAt(place);
      if (other !== undefined) return isSame(stats, other) && haveSameBytes(from, place, stats.size);
    }
    return false;
  }
}

/** Whether nothing stands at a path below a folder, and only folders above it. */
function isFree(folder: AbsPath, path: RelPath): boolean {
  if (lookAt(placeOf(folder, path)) !== undefined) return false;
  for (let at = folderOf(path); at !== '.'; at = folderOf(at)) {
    if (lookAt(placeOf(folder, at))?.isDirectory() === false) return false;
  }
  return true;
}

/** To a place that is free, on another file system too. If that does not work, everything is as before. */
function move(from: AbsPath, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  try {
    renameSync(from, to);
  } catch (error) {
    if (systemCode(error) !== 'EXDEV') throw error;
    try {
      cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    } catch (error) {
      rmSync(to, { recursive: true, force: true });
      throw error;
    }
    rmSync(from, { recursive: true });
  }
}

/** Absolute, the oldest first: they are called by their times. */
function foldersIn(trashDir: string): readonly AbsPath[] {
  try {
    const names = readdirSync(trashDir).sort(byCodeUnit);
    return names.map((name) => placeOf(trashDir as AbsPath, name as RelPath));
  } catch {
    return [];
  }
}

function isSame(one: Stats, other: Stats): boolean {
  return other.isFile() && one.size === other.size && one.mode === other.mode;
}

function haveSameBytes(one: string, other: string, size: number): boolean {
  const others = piecesIn(other);
  let same = 0;
  try {
    for (const piece of piecesIn(one)) {
      const { value } = others.next();
      if (value === undefined || Buffer.compare(piece, value) !== 0) return false;
      same += piece.length;
    }
  } finally {
    others.return();
  }
  return same === size;
}
