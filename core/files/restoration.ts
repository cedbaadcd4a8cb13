/**
 * Makes the outputs in a workspace equal a tree. Every file is written beside its place, verified, and renamed into it;
 * what is in the way and not the task's is moved aside.
 */
import { chmodSync, mkdirSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { isAbsolute, posix, sep } from 'node:path';
import type { Digest } from '../base/hash.ts';
import { escapes, type RelPath } from '../base/paths.ts';
import type { FileValueStore } from '../store/values.ts';
import type { Comparison, OutputEntry } from './comparison.ts';
import { folderOf } from './folders.ts';
import type { Globs } from './globs.ts';
import { lookAt } from './look.ts';
import type { OutputSite } from './output-site.ts';
import { type PathKind, type PathState, stateOf } from './path-states.ts';
import { isRacy, statKey } from './stat-key.ts';
import type { Tree } from './tree.ts';

/** `restored` counts paths written or removed; `lost` names content that is not to be had. */
export type Restored = { readonly restored: number } | { readonly lost: Digest };

/** A restoration that waits until what it is about to write is noted on disk, or one that has nothing to write. */
export type Begun = Restored | { readonly finish: () => Restored };

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

/** Content that is needed to put right what was found and that the store does not have. */
export function* lostContents({ wrong }: Comparison, values: FileValueStore): Generator<Digest, void, undefined> {
  for (const { entry, change } of wrong) {
    if (entry.kind === 'file' && change !== 'mode' && !values.has(entry.digest)) yield entry.digest;
  }
}

/** The first of it, or undefined. */
export function lostContent(found: Comparison, values: FileValueStore): Digest | undefined {
  for (const digest of lostContents(found, values)) return digest;
  return undefined;
}

/** One restoration. */
export class Restoration {
  readonly #site: OutputSite;
  readonly #found: Comparison;
  readonly #values: FileValueStore;
  readonly #wrong: readonly (Comparison['wrong'][number] & { readonly scratch: RelPath })[];

  constructor(site: OutputSite, found: Comparison, values: FileValueStore) {
    this.#site = site;
    this.#found = found;
    this.#values = values;
    const scratch = (path: RelPath, at: number): RelPath =>
      (folderOf(path) === '.' ? '' : `${folderOf(path)}/`).concat(`.fleche-${process.pid}-${at}`) as RelPath;
    this.#wrong = found.wrong.map((item, at) => ({ ...item, scratch: scratch(item.entry.path, at) }));
  }

  /** Moves aside files and links of others from where entries belong. To be done before anything is claimed. */
  makeRoom(): void {
    for (const { entry, change } of this.#wrong) {
      if (change !== 'changed' || this.#found.own.has(entry.path)) continue;
      if (lookAt(this.#site.place(entry.path))?.isDirectory() === false) this.#site.moveAside(entry.path);
    }
  }

  /** All that may be the task's own from when it runs on, however far it gets. */
  get claims(): readonly PathState[] {
    const coming = this.#wrong.flatMap(({ entry, scratch }) => [
      stateOf(entry.path, entry.kind),
      stateOf(scratch, 'file'),
    ]);
    return [...this.#found.right, ...this.#found.surplus, ...coming];
  }

  /**
   * Puts everything right and gives what is the task's own now. If content turns out to be damaged, its digest is given,
   * and all that is the task's own is removed: half a tree must not pass for a whole one.
   */
  run(): { readonly own: readonly PathState[] } | { readonly lost: Digest } {
    this.#site.keep(this.#found.right.filter(({ kind }) => kind === 'dir').map(({ path }) => path));
    this.#site.removeOwn(this.#found.surplus);
    this.#site.evict(this.#found.strange);
    const own = [...this.#found.right];
    for (const { entry, change, scratch } of this.#wrong) {
      this.#site.clearWay(entry.path);
      if (change === 'mode' && entry.kind === 'file') {
        chmodSync(this.#site.place(entry.path), modeOf(entry.executable));
      } else if (!this.#put(entry, scratch, change === 'missing') && entry.kind === 'file') {
        this.#site.keep([]);
        this.#site.removeOwn(this.claims);
        return { lost: entry.digest };
      }
      own.push(this.#stateNow(entry));
    }
    return { own };
  }

  /** False if the content is damaged or gone. */
  #put(entry: OutputEntry, scratch: RelPath, isFree: boolean): boolean {
    const place = this.#site.place(entry.path);
    const beside = this.#site.place(scratch);
    if (!isFree) this.#clear(entry.path, entry.kind);
    this.#site.folders.make(folderOf(entry.path));
    switch (entry.kind) {
      case 'dir':
        if (lookAt(place) === undefined) mkdirSync(place);
        return true;
      case 'link':
        symlinkSync(entry.target, beside);
        break;
      case 'file':
        if (!this.#values.copyTo(entry.digest, beside, modeOf(entry.executable))) return false;
        break;
    }
    renameSync(beside, place);
    return true;
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

  #stateNow(entry: OutputEntry): PathState {
    const at = this.#site.clock();
    const stats = entry.kind === 'file' ? lookAt(this.#site.place(entry.path)) : undefined;
    const target = entry.kind === 'link' ? entry.target : '';
    if (entry.kind !== 'file' || stats === undefined) return stateOf(entry.path, entry.kind, target);
    const key = statKey(stats);
    return { path: entry.path, kind: 'file', key, digest: entry.digest, trusted: !isRacy(key, at), target };
  }
}

/** The mode of a restored file, whatever the umask. */
function modeOf(executable: boolean): number {
  return executable ? 0o755 : 0o644;
}
