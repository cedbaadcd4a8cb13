/**
 * The outputs side of a workspace: what tasks write there. A ledger tells for each task which paths are its own, so that
 * they can be removed, recognised and put right without touching what people put beside them.
 */
import type { Digest } from '../../base/hash.ts';
import { type AbsPath, folderOf, type RelPath } from '../../base/paths.ts';
import type { StateStore } from '../../store/state.ts';
import type { FileValueStore } from '../../store/values.ts';
import { Globs } from '../globs/globs.ts';
import type { PathState } from '../states/path-states.ts';
import { makeTree, type Tree, type TreeEntry, treeText } from '../trees/tree.ts';
import { capture, refuseOdd } from './capture.ts';
import { type Comparison, compare, type Difference, differences } from './comparison.ts';
import { Ledgers } from './ledger.ts';
import type { OutputSite } from './output-site.ts';
import { isInTheWay, Owners } from './owners.ts';
import { type Begun, contentsOf, isConfined, lostContent, Restoration, type Restored } from './restoration.ts';
import { named, type OutputsOptions, Sites } from './sites.ts';
import { Standing } from './standing.ts';
import { type Captured, missingFrom, type Prepared, written } from './written.ts';

const NOTHING: ReadonlyMap<RelPath, PathState> = new Map();

export class Outputs {
  /** What is known of who wrote what. */
  readonly owners: Owners;
  readonly #sites: Sites;
  readonly #root: AbsPath;
  readonly #values: FileValueStore;
  readonly #options: Required<OutputsOptions>;
  readonly #ledgers: Ledgers;
  /** Trees that were found to be confined, and to what. */
  readonly #confined = new WeakMap<Tree, Globs>();

  constructor(root: AbsPath, state: StateStore, values: FileValueStore, options: OutputsOptions) {
    this.#root = root;
    this.#values = values;
    this.#options = { clock: Date.now, ...options };
    this.#ledgers = new Ledgers(state);
    this.#sites = new Sites(root, this.#options);
    this.owners = new Owners(root, this.#ledgers, this.#sites);
  }

  /**
   * Makes ready for a run. With `clean`, what the task wrote earlier is removed. If it is not known what that is, all that
   * matches is moved aside, so that nothing stale passes for an output and nothing is lost. What people put beside known
   * outputs stays. Throws `OUTPUT_ESCAPES` for outputs outside the root or behind a link, `OUTPUT_UNWRITABLE`.
   */
  prepare(task: string, globs: Globs, clean: boolean): Prepared {
    return this.#sites.at(task, globs, (site) => {
      const ledger = this.#ledgers.read(task);
      const own = ledger?.finished === true ? this.owners.own(task, globs, ledger.paths) : undefined;
      for (const link of site.links()) site.moveAside(link);
      site.clearBases();
      const foreign = new Map<RelPath, PathState>();
      const strange: PathState[] = [];
      const { states, odd } = site.standing((path) => own?.has(path) === true);
      for (const state of states) {
        // What is declared by name is the task's, whoever wrote it last. After a run that was cut short, only what was
        // there before it and is untouched is known not to be the task's.
        const noted = ledger?.paths.get(state.path);
        const keep =
          own === undefined
            ? noted !== undefined && site.isUntouched(noted)
            : !globs.literals.includes(state.path) && !(clean && isInTheWay(state.path, own));
        const note = keep ? site.note(state.path) : undefined;
        if (note !== undefined) foreign.set(state.path, note);
        else if (own === undefined || clean) strange.push(state);
      }
      this.#ledgers.begin(task, [...foreign.values()]);
      site.evict(strange);
      // Who writes to a pipe would wait for ever.
      const inTheWay = new Set(odd.filter((path) => own === undefined || globs.literals.includes(path)));
      for (const path of inTheWay) site.moveAside(path);
      for (const { path } of own?.values() ?? []) if (globs.matches(path)) site.clearWay(path);
      if (clean) site.removeOwn(own?.values() ?? []);
      const others = new Set(odd.filter((path) => !inTheWay.has(path)));
      return { task, globs, foreign, odd: others, earlier: clean ? NOTHING : (own ?? NOTHING) };
    });
  }

  /**
   * Takes in what a successful run wrote: files with their executable bit, links as links, empty folders; not what was
   * there before and is untouched. What somebody else did to an output in the meantime passes for the run's doing, for
   * nobody can tell. The contents and the text of the tree are in the values store afterwards. Throws `OUTPUT_ESCAPES` for
   * a link that leads outside or stands where a folder should, `OUTPUT_UNREADABLE`. `needed` is what has to be written, all
   * of it if absent.
   */
  capture(prepared: Prepared, needed: Globs = prepared.globs): Captured {
    const captured = this.capturePart(prepared, prepared.globs, { needed, isOther: () => false });
    this.#ledgers.finish(prepared.task, captured.states);
    return captured;
  }

  /**
   * Makes room for what writes only a part of the outputs that were prepared, which is what `globs` match, with the folders
   * that this is in. Throws like `prepare`.
   */
  makeRoom({ task, foreign }: Prepared, globs: Globs): void {
    this.#sites.at(task, globs, (site) => {
      for (const link of site.links()) site.moveAside(link);
      site.clearBases();
      for (const literal of globs.literals) if (foreign.has(literal)) site.moveAside(literal);
      for (const base of globs.bases) {
        const inside = globs.literals.includes(base) ? base : (`${base}/_` as RelPath);
        site.clearWay(inside);
        site.folders.make(folderOf(inside));
      }
    });
  }

  /** Takes in a part of the outputs like `capture`, but for paths of others. It is the task's own after `finish`. */
  capturePart(
    prepared: Prepared,
    globs: Globs,
    { needed, isOther }: { readonly needed: Globs; readonly isOther: (path: RelPath) => boolean },
  ): Captured {
    const { task, earlier } = prepared;
    return this.#sites.at(task, globs, (site) => {
      site.refuseLinks();
      const { states, odd } = written(site, prepared);
      refuseOdd(
        site,
        odd.find((path) => !prepared.odd.has(path) && !isOther(path)),
      );
      const captured = states.flatMap(({ path }) =>
        isOther(path) ? [] : (capture(site, path, earlier.get(path), this.#values) ?? []),
      );
      const tree = makeTree(captured.map(({ entry }) => entry));
      this.#values.put(tree.digest, Buffer.from(treeText(tree.entries)));
      return { tree, missing: missingFrom(tree, needed), states: captured.map(({ state }) => state) };
    });
  }

  /** Notes what is the task's own by now, of which a part was there before: to be called when all parts are taken in. */
  finish({ task, earlier }: Prepared, states: readonly PathState[]): void {
    const own = new Map(earlier);
    for (const state of states) own.set(state.path, state);
    this.#ledgers.finish(task, [...own.values()]);
  }

  /**
   * Notes that a run failed or was cut short, so that what it left behind counts as the task's own and the next run or
   * restoration removes it. Without this call it would be moved aside, with a warning.
   */
  abandon(prepared: Prepared): void {
    this.#sites.at(prepared.task, prepared.globs, (site) => {
      this.#ledgers.finish(prepared.task, written(site, prepared).states);
    });
  }

  /** Whether `restore` would have nothing to do, not even to remember anything. Changes nothing. */
  stands(task: string, globs: Globs, tree: Tree): boolean {
    const ledger = this.#ledgers.read(task);
    // What is not noted would have to be.
    if ((ledger?.finished === true ? ledger.paths.size : 0) !== tree.entries.length) return false;
    return this.#sites.at(task, globs, (site) => {
      if (!this.#isConfined(tree, globs)) return false;
      const found = this.#compare(site, tree, ledger);
      return differences(found).length === 0 && isKnown(found);
    });
  }

  /** Looks at some of what the task wrote, for another task that is about to read it. */
  look(task: string, entries: readonly TreeEntry[]): Standing {
    const paths = this.#ledgers.read(task)?.paths;
    return new Standing(entries, {
      root: this.#root,
      known: (path) => paths?.get(path),
      clock: this.#options.clock,
    });
  }

  /** Content that `restore` would need and not find, or undefined. Changes nothing. */
  lost(task: string, globs: Globs, tree: Tree): Digest | undefined {
    return this.#sites.at(task, globs, (site) =>
      this.#isConfined(tree, globs) ? lostContent(this.#compare(site, tree), this.#values) : tree.digest,
    );
  }

  /**
   * All content that `restore` would write, if it would not find some of it; else nothing. Changes nothing.
   */
  missing(task: string, globs: Globs, tree: Tree): readonly Digest[] {
    const absent = (entry: TreeEntry): boolean => entry.kind === 'file' && !this.#values.has(entry.digest);
    // To look at what stands there is the dearer question.
    if (!tree.entries.some(absent)) return [];
    return this.#sites.at(task, globs, (site) => {
      if (!this.#isConfined(tree, globs)) return [];
      const found = this.#compare(site, tree);
      return lostContent(found, this.#values) === undefined ? [] : contentsOf(found).map(({ digest }) => digest);
    });
  }

  /** What `restore` would put right, sorted by path. Changes nothing. */
  check(task: string, globs: Globs, tree: Tree): readonly Difference[] {
    return this.#sites.at(task, globs, (site) => differences(this.#compare(site, tree)));
  }

  /**
   * Makes the outputs in the workspace equal the tree: writes what is wrong or missing, removes what the task wrote
   * earlier and the tree lacks, and folders that are empty without it. What people put there stays, but for what stands
   * in the way, which is moved aside; so is all that matches when it is not known what the task wrote earlier. If content
   * is missing from the store, or the tree has paths that the patterns do not match, it is `lost` and nothing is changed.
   * Throws `OUTPUT_ESCAPES` for outputs outside the root or behind a link, `OUTPUT_UNWRITABLE`.
   */
  restore(task: string, globs: Globs, tree: Tree): Restored {
    const begun = this.beginRestore(task, globs, tree);
    if (!('finish' in begun)) return begun;
    this.#ledgers.flush();
    return begun.finish();
  }

  /** The first half of `restore`: nothing is written yet. Before the second half the state must be flushed. */
  beginRestore(task: string, globs: Globs, tree: Tree): Begun {
    const site = this.#sites.open(task, globs);
    return named(site, () => this.#beginAt(site, tree));
  }

  #beginAt(site: OutputSite, tree: Tree): Begun {
    const { task, globs } = site;
    if (!this.#isConfined(tree, globs)) return { lost: tree.digest };
    site.links();
    const found = this.#compare(site, tree);
    const lost = lostContent(found, this.#values);
    if (lost !== undefined) return { lost };
    const restored = differences(found).length;
    if (restored === 0) {
      if (!isKnown(found)) this.#ledgers.finish(task, found.right);
      return { restored };
    }
    const restoration = new Restoration(site, found, this.#values);
    restoration.makeRoom();
    this.#ledgers.finish(task, restoration.claims);
    return {
      makeReady: () => this.#values.makeReady?.(contentsOf(found)),
      finish: () => {
        const result = named(site, () => restoration.run());
        this.#ledgers.finish(task, 'lost' in result ? [] : result.own);
        return 'lost' in result ? result : { restored };
      },
    };
  }

  /** Tells what had to be moved aside since it was last told, of all tasks at once. */
  tell(): void {
    this.#sites.tell();
  }

  /** Removes what the task wrote here, but for what is in the tree. */
  clear(task: string, globs: Globs, kept: Tree): void {
    const ledger = this.#ledgers.read(task);
    if (ledger?.finished !== true) return;
    const paths = new Set(kept.entries.map(({ path }) => path));
    const gone = [...this.owners.own(task, globs, ledger.paths).values()].filter(({ path }) => !paths.has(path));
    if (gone.length === 0) return;
    this.#sites.at(task, globs, (site) => {
      site.keep(kept.entries.flatMap(({ kind, path }) => (kind === 'dir' ? [path] : [])));
      site.removeOwn(gone);
    });
  }

  /** Removes what the task wrote here and forgets the task. Returns how many paths were removed. */
  discard(task: string): number {
    const ledger = this.#ledgers.read(task);
    const own = ledger?.finished === true ? this.owners.own(task, new Globs([]), ledger.paths) : NOTHING;
    const removed = this.#sites.at(task, new Globs(['.']), (site) => site.removeOwn(own.values()));
    this.#ledgers.delete(task);
    return removed;
  }

  #compare(site: OutputSite, tree: Tree, ledger = this.#ledgers.read(site.task)): Comparison {
    const found = compare(site, tree, ledger);
    const surplus = new Map(found.surplus.map((state) => [state.path, state]));
    return { ...found, surplus: [...this.owners.own(site.task, site.globs, surplus).values()] };
  }

  #isConfined(tree: Tree, globs: Globs): boolean {
    if (this.#confined.get(tree) === globs) return true;
    const is = isConfined(tree, globs);
    if (is) this.#confined.set(tree, globs);
    return is;
  }
}

/** Whether the ledger says exactly what was found to be right. */
function isKnown({ own, right }: Comparison): boolean {
  return own.size === right.length && right.every((state) => own.get(state.path) === state);
}
