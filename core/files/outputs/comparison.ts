/** What differs between a workspace and the tree of outputs that should stand there. Looks, and changes nothing. */
import { readdirSync, readlinkSync, type Stats } from 'node:fs';
import { byCodeUnit } from '../../base/order.ts';
import { folderOf, type RelPath } from '../../base/paths.ts';
import { lookAt } from '../look.ts';
import { readContent } from '../states/contents.ts';
import { kept, type PathState, stateOf } from '../states/path-states.ts';
import { isExecutable, sameKey, statKey } from '../states/stat-key.ts';
import type { Tree, TreeEntry } from '../trees/tree.ts';
import type { Ledger } from './ledger.ts';
import type { OutputSite } from './output-site.ts';

/** `mode`: only the executable bit is wrong. `extra`: it stands there and should not. */
export interface Difference {
  readonly path: RelPath;
  readonly change: 'missing' | 'changed' | 'mode' | 'extra';
}

export interface Comparison {
  /** What the task is known to have written here. */
  readonly own: ReadonlyMap<RelPath, PathState>;
  /** Entries that are as they should be. */
  readonly right: readonly PathState[];
  /** Entries that are not, in the order of the tree. */
  readonly wrong: readonly { readonly entry: OutputEntry; readonly change: 'missing' | 'changed' | 'mode' }[];
  /** What the task wrote earlier and should not be there. */
  readonly surplus: readonly PathState[];
  /** What is not known to be the task's, and would pass for its output because nothing is known. */
  readonly strange: readonly PathState[];
}

/** What can stand in a workspace. */
export type OutputEntry = Exclude<TreeEntry, { readonly kind: 'absent' }>;

/** Compares. `ledger` is what is known of the task here. */
export function compare(site: OutputSite, tree: Tree, ledger: Ledger | undefined): Comparison {
  return new Comparing(site, tree, ledger).result();
}

/** All that differs, sorted by path. */
export function differences({ wrong, surplus, strange }: Comparison): readonly Difference[] {
  const extra = [...surplus, ...strange].map(({ path }): Difference => ({ path, change: 'extra' }));
  return [...wrong.map(({ entry: { path }, change }): Difference => ({ path, change })), ...extra].sort((a, b) =>
    byCodeUnit(a.path, b.path),
  );
}

const NOTHING: ReadonlyMap<RelPath, PathState> = new Map();

class Comparing {
  readonly #site: OutputSite;
  readonly #entries: readonly OutputEntry[];
  readonly #ledger: Ledger | undefined;
  readonly #own: ReadonlyMap<RelPath, PathState>;
  readonly #right: PathState[] = [];
  readonly #wrong: Comparison['wrong'][number][] = [];

  constructor(site: OutputSite, tree: Tree, ledger: Ledger | undefined) {
    this.#site = site;
    this.#entries = tree.entries.flatMap((entry) => (entry.kind === 'absent' ? [] : entry));
    this.#ledger = ledger;
    this.#own = ledger?.finished === true ? ledger.paths : NOTHING;
  }

  result(): Comparison {
    const surplus = this.#surplus();
    const strange = this.#ledger?.finished === true ? [] : this.#strange();
    const leaving = new Set([...surplus, ...strange].map(({ path }) => folded(path)));
    for (const entry of this.#entries) {
      const state = this.#check(entry);
      // Where names differ in case alone, what is removed under one name may be what was found under another.
      if (typeof state === 'object' && !(leaving.size > 0 && leaving.has(folded(entry.path)))) this.#right.push(state);
      else this.#wrong.push({ entry, change: typeof state === 'object' ? 'changed' : state });
    }
    return { own: this.#own, right: this.#right, wrong: this.#wrong, surplus, strange };
  }

  #check(entry: OutputEntry): PathState | 'missing' | 'changed' | 'mode' {
    const stats =
      this.#site.folders.blocker(entry.path) === undefined ? lookAt(this.#site.place(entry.path)) : undefined;
    if (stats === undefined) return 'missing';
    if (entry.kind === 'file') return this.#checkFile(entry, stats);
    if (entry.kind === 'link') {
      const same = stats.isSymbolicLink() && readlinkSync(this.#site.place(entry.path)) === entry.target;
      return same ? this.#known(entry.path, 'link', entry.target) : 'changed';
    }
    return stats.isDirectory() ? this.#known(entry.path, 'dir', '') : 'changed';
  }

  #checkFile(entry: OutputEntry & { kind: 'file' }, stats: Stats): PathState | 'changed' | 'mode' {
    if (!stats.isFile()) return 'changed';
    const known = this.#own.get(entry.path);
    let state = known?.trusted === true && known.digest === entry.digest ? known : undefined;
    if (state?.key === undefined || state.key === null || !sameKey(state.key, stats)) {
      const content =
        stats.size === entry.size ? readContent(this.#site.place(entry.path), this.#site.clock) : undefined;
      if (content?.digest !== entry.digest) return 'changed';
      state = kept(known, { path: entry.path, kind: 'file', ...content, target: '' });
    }
    return isExecutable(statKey(stats)) === entry.executable ? state : 'mode';
  }

  /** The state of a link or folder; nothing about it can be trusted or not. */
  #known(path: RelPath, kind: 'link' | 'dir', target: string): PathState {
    return kept(this.#own.get(path), stateOf(path, kind, target));
  }

  /** What the ledger has and the tree lacks, as far as it is still there and still what the task wrote. */
  #surplus(): readonly PathState[] {
    const { folders } = this.#site;
    if (this.#entries.filter(({ path }) => this.#own.has(path)).length === this.#own.size) return [];
    const wanted = this.#wanted();
    return [...this.#own.values()].filter(({ path, kind }) => {
      const standsFor = wanted.get(path);
      if (standsFor === 'entry' || folders.blocker(path) !== undefined) return false;
      const place = this.#site.place(path);
      const stats = lookAt(place);
      if (stats === undefined) return false;
      // A folder in the place of a file makes way like any other thing of others, but not where the tree has a folder.
      if (kind !== 'dir') return !stats.isDirectory() || standsFor === undefined;
      return stats.isDirectory() && standsFor === undefined && readdirSync(place).length === 0;
    });
  }

  /** The paths of the tree and the folders they are in. */
  #wanted(): ReadonlyMap<RelPath, 'entry' | 'folder'> {
    const wanted = new Map<RelPath, 'entry' | 'folder'>([['.' as RelPath, 'folder']]);
    for (const { path } of this.#entries) {
      wanted.set(path, 'entry');
      for (let folder = folderOf(path); !wanted.has(folder); folder = folderOf(folder)) wanted.set(folder, 'folder');
    }
    return wanted;
  }

  /** What matches and is not in the tree, but for what an unfinished run found there and left alone. */
  #strange(): readonly PathState[] {
    let wanted: ReadonlyMap<RelPath, 'entry' | 'folder'> | undefined;
    const { states } = this.#site.standing((path) => {
      // As a rule there is nothing, and nobody asks.
      wanted ??= this.#wanted();
      const noted = this.#ledger?.paths.get(path);
      return wanted.has(path) || (noted !== undefined && this.#site.isUntouched(noted));
    });
    return states;
  }
}

/** A form that two names have in common which some file system may hold to be the same. */
function folded(path: RelPath): string {
  return path.normalize('NFC').toLowerCase();
}
