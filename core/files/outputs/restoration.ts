/**
 * Makes the outputs in a workspace equal a tree. Every file is written beside its place, verified, and renamed into it,
 * but in folders that were made for them: nobody knows those yet. What is in the way and not the task's is moved aside.
 */
import { chmodSync, mkdirSync, renameSync, type Stats, symlinkSync, unlinkSync } from 'node:fs';
import { isAbsolute, posix, sep } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import type { Digest } from '../../base/hash.ts';
import { type AbsPath, escapes, folderOf, type RelPath } from '../../base/paths.ts';
import type { FileValueStore, SizedBlob } from '../../store/values.ts';
import type { Globs } from '../globs/globs.ts';
import { lookAt } from '../look.ts';
import { type PathKind, type PathState, stateOf } from '../states/path-states.ts';
import { isRacy, statKey } from '../states/stat-key.ts';
import type { Tree } from '../trees/tree.ts';
import type { Comparison, OutputEntry } from './comparison.ts';
import type { OutputSite } from './output-site.ts';

/** `restored` counts paths written or removed; `lost` names content that is not to be had. */
export type Restored = { readonly restored: number } | { readonly lost: Digest };

/** A restoration that waits until what it is about to write is noted on disk, or one that has nothing to write. */
export type Begun = Restored | BegunRestore;

export interface BegunRestore {
  /** Need not be called, but what is large is put there sooner after it. Never rejects. */
  readonly makeReady: () => Promise<void> | undefined;
  readonly finish: () => Restored;
}

/**
 * Whether a tree may be put here at all: every path is matched, stays inside the root on this system and has only
 * folders above it in the tree, and no link leads outside. A tree from a shared cache is not to be believed in this.
 */
export function isConfined(tree: Tree, globs: Globs): boolean {
  const solid = new Set(tree.entries.flatMap(({ kind, path }) => (kind === 'dir' ? [] : path)));
  const open = new Set<RelPath>(['.' as RelPath]);
  const isOpen = (folder: RelPath): boolean => {
    if (open.has(folder)) return true;
    if (solid.has(folder) || !isOpen(folderOf(folder))) return false;
    open.add(folder);
    return true;
  };
  return tree.entries.every((entry) => {
    const { kind, path } = entry;
    if (kind === 'absent' || escapes(path) || !globs.matches(path) || !isOpen(folderOf(path))) return false;
    if (sep === '\\' && /[\\:]/.test(path)) return false;
    return kind !== 'link' || !leadsOutside(path, entry.target);
  });
}

/** Whether a link at `path` with this text leads outside the root, or is absolute, which means something here alone. */
export function leadsOutside(path: RelPath, target: string): boolean {
  const slashed = sep === '\\' ? target.replaceAll('\\', '/') : target;
  return isAbsolute(target) || escapes(posix.join(folderOf(path), slashed));
}

/** Content that is needed to put right what was found. */
export function contentsOf({ wrong }: Comparison): readonly SizedBlob[] {
  return wrong.flatMap(({ entry, change }) => (entry.kind === 'file' && change !== 'mode' ? entry : []));
}

/** The first of it that the store does not have, or undefined. */
export function lostContent(found: Comparison, values: FileValueStore): Digest | undefined {
  return contentsOf(found).find(({ digest }) => !values.has(digest))?.digest;
}

/** One restoration. */
export class Restoration {
  readonly #site: OutputSite;
  readonly #found: Comparison;
  readonly #values: FileValueStore;

  constructor(site: OutputSite, found: Comparison, values: FileValueStore) {
    this.#site = site;
    this.#found = found;
    this.#values = values;
  }

  /** Moves aside files and links of others from where entries belong. To be done before anything is claimed. */
  makeRoom(): void {
    for (const { entry, change } of this.#found.wrong) {
      if (change !== 'changed' || this.#found.own.has(entry.path)) continue;
      if (lookAt(this.#site.place(entry.path))?.isDirectory() === false) this.#site.moveAside(entry.path);
    }
  }

  /** All that may be the task's own from when it runs on, however far it gets. */
  get claims(): readonly PathState[] {
    const { folders } = this.#site;
    const coming = this.#found.wrong.flatMap(({ entry: { path, kind } }, at) => {
      const state = stateOf(path, kind);
      return folders.blocker(path)?.kind === 'absent' ? state : [state, stateOf(scratchOf(path, at), 'file')];
    });
    return [...this.#found.right, ...this.#found.surplus, ...coming];
  }

  /**
   * Puts everything right and gives what is the task's own now. If content turns out to be damaged, its digest is given,
   * and all that is the task's own is removed: half a tree must not pass for a whole one.
   */
  run(): { readonly own: readonly PathState[] } | { readonly lost: Digest } {
    const { folders } = this.#site;
    // Whether nothing is there is asked by making it.
    for (const { entry, change } of this.#found.wrong)
      if (change === 'missing') folders.makeAbsent(folderOf(entry.path));
    folders.lookAgain();
    this.#site.keep(this.#found.right.filter(({ kind }) => kind === 'dir').map(({ path }) => path));
    this.#site.removeOwn(this.#found.surplus);
    this.#site.evict(this.#found.strange);
    const own = [...this.#found.right];
    for (const [at, { entry, change }] of this.#found.wrong.entries()) {
      this.#site.clearWay(entry.path);
      if (change === 'mode' && entry.kind === 'file') {
        const place = this.#site.place(entry.path);
        chmodSync(place, modeOf(entry.executable));
        own.push(this.#fileState(entry, this.#site.clock(), lookAt(place)));
        continue;
      }
      if (change !== 'missing') this.#clear(entry.path, entry.kind);
      folders.make(folderOf(entry.path));
      const state = entry.kind === 'file' ? this.#putFile(entry, at) : this.#putOther(entry, at);
      if (typeof state === 'string') {
        this.#site.keep([]);
        this.#site.removeOwn(this.claims);
        return { lost: state };
      }
      own.push(state);
    }
    return { own };
  }

  #putOther(entry: Exclude<OutputEntry, FileEntry>, at: number): PathState {
    const { path, kind } = entry;
    const place = this.#site.place(path);
    if (kind === 'link') {
      const beside = this.#site.place(scratchOf(path, at));
      symlinkSync(entry.target, beside);
      renameSync(beside, place);
      return stateOf(path, 'link', entry.target);
    }
    if (this.#site.folders.isNew(folderOf(path)) || lookAt(place) === undefined) this.#makeFolder(place);
    return stateOf(path, 'dir');
  }

  #makeFolder(place: AbsPath): void {
    try {
      mkdirSync(place);
    } catch (error) {
      // Somebody else made it meanwhile.
      if (systemCode(error) !== 'EEXIST' || lookAt(place)?.isDirectory() !== true) throw error;
    }
  }

  /** Its digest if the content is damaged or gone. */
  #putFile(entry: FileEntry, at: number): PathState | Digest {
    const { path, digest } = entry;
    const place = this.#site.place(path);
    const mode = modeOf(entry.executable);
    const begun = this.#site.clock();
    if (this.#site.folders.isNew(folderOf(path))) {
      try {
        const stats = this.#values.copyTo(digest, place, mode);
        return stats === undefined ? digest : this.#fileState(entry, begun, stats);
      } catch (error) {
        // Somebody else wrote there meanwhile.
        if (systemCode(error) !== 'EEXIST') throw error;
      }
    }
    const beside = this.#site.place(scratchOf(path, at));
    if (this.#values.copyTo(digest, beside, mode) === undefined) return digest;
    renameSync(beside, place);
    // Its times say that it was renamed.
    return this.#fileState(entry, begun, lookAt(place));
  }

  /** A rename replaces files and links, but not a folder, and a folder is not made by one. */
  #clear(path: RelPath, kind: PathKind): void {
    const stats = lookAt(this.#site.place(path));
    if (stats === undefined) return;
    if (!stats.isDirectory()) {
      if (kind === 'dir') unlinkSync(this.#site.place(path));
    } else if (kind !== 'dir') {
      const own = this.#found.own.has(path);
      if (!own || !this.#site.folders.removeEmpty(path, (folder) => folder === path)) this.#site.moveAside(path);
    }
  }

  /** `before`: a moment before the look. */
  #fileState({ path, digest }: FileEntry, before: number, stats: Stats | undefined): PathState {
    if (stats === undefined) return stateOf(path, 'file');
    const key = statKey(stats);
    return { path, kind: 'file', key, digest, trusted: !isRacy(key, before), target: '' };
  }
}

type FileEntry = OutputEntry & { readonly kind: 'file' };

/** Where the entry at this place of the list is written, beside where it belongs. */
function scratchOf(path: RelPath, at: number): RelPath {
  return `${path.slice(0, path.lastIndexOf('/') + 1)}.fleche-${process.pid}-${at}` as RelPath;
}

/** The mode of a restored file, whatever the umask. */
function modeOf(executable: boolean): number {
  return executable ? 0o755 : 0o644;
}
