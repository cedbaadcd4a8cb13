/**
 * The inputs of a task: patterns of its own, named lists (`@name`), everything in its folder (`@default`, which is also what
 * a command has that names no inputs), and each of these for the packages below its own (`^…`).
 */
import { suggest } from '../../../base/nearest.ts';
import type { RelPath } from '../../../base/paths.ts';
import { tableOf, textsOf } from '../../../base/table.ts';
import type { WholeFolders } from '../../../graph/tasks/task.ts';
import { below } from '../../../graph/tasks/whole-folders.ts';
import type { Package, Packages } from '../../packages/packages.ts';
import { brokenRule } from '../text/formats.ts';
import type { OpenFile } from '../text/open-file.ts';
import { label } from '../text/problems.ts';
import { CONFIG_FILE } from '../text/source.ts';
import type { Ignored } from './ignored.ts';
import { noteAround, patternFrom } from './patterns.ts';
import type { Spot, TaskText } from './task-text.ts';

/** The name of everything in a folder but what git ignores and other tasks write. */
const DEFAULT = '@default';

export interface Inputs {
  readonly patterns: readonly string[];
  readonly whole: WholeFolders | undefined;
  /** For each pattern which of the written ones it comes from; -1 where none is written. */
  readonly origins: readonly number[];
}

export class InputLists {
  readonly #packages: Packages;
  readonly #ignored: Ignored;
  /** Named lists of the root, then those of packages by the package's name. */
  readonly #root: OpenFile;
  readonly #configurations: ReadonlyMap<string, OpenFile>;
  readonly #sweeps = new Map<RelPath, readonly string[]>();

  constructor(
    packages: Packages,
    ignored: Ignored,
    { root, configurations }: { readonly root: OpenFile; readonly configurations: ReadonlyMap<string, OpenFile> },
  ) {
    this.#packages = packages;
    this.#ignored = ignored;
    this.#root = root;
    this.#configurations = configurations;
  }

  /** The inputs of a task; `isSelfSufficient` if a task that names none has none. Notes what means nothing. */
  of(text: TaskText, isSelfSufficient: boolean): Inputs {
    const written = text.value('inputs');
    if (written === undefined && isSelfSufficient) return { patterns: [], whole: undefined, origins: [] };
    const found = new Found();
    for (const [index, pattern] of (Array.isArray(written) ? written : [DEFAULT]).entries()) {
      if (typeof pattern !== 'string' || brokenRule('pattern', pattern) !== undefined) continue;
      found.origin = written === undefined ? -1 : index;
      const isUp = pattern.startsWith('^');
      const homes = isUp ? this.#packages.below(text.home) : [text.home];
      for (const home of homes)
        this.#add(isUp ? pattern.slice(1) : pattern, home, () => text.spot('inputs', index), found, []);
    }
    return found.inputs;
  }

  #add(pattern: string, home: Package, spot: () => Spot, found: Found, within: readonly string[]): void {
    if (pattern === DEFAULT) {
      if (!found.sweep(home.folder, this.#sweep(home.folder))) {
        note(spot, `"${DEFAULT}" comes after other patterns`, 'Put it in front: what comes later wins.');
      }
    } else if (/^!?@[\w-]+$/.test(pattern)) {
      this.#addNamed(pattern, home, spot, found, within);
    } else {
      const seen = patternFrom(home, pattern);
      noteAround(seen, spot);
      found.add(seen);
    }
  }

  #addNamed(pattern: string, home: Package, spot: () => Spot, found: Found, within: readonly string[]): void {
    const name = pattern.slice(1);
    if (pattern.startsWith('!')) return note(spot, 'a named list cannot be taken away', 'Write its patterns with "!".');
    if (within.includes(name)) return note(spot, `"@${name}" contains itself`, 'Remove one of the two.');
    const own = this.#listsOf(this.#configurations.get(home.name));
    const shared = this.#listsOf(this.#root);
    const list = own[name] ?? shared[name];
    if (list === undefined) {
      const names = ['default', ...Object.keys(own), ...Object.keys(shared)];
      return note(spot, `there is no list of inputs "@${name}"`, suggest(name, names));
    }
    for (const inner of textsOf(list)) this.#add(inner, home, spot, found, [...within, name]);
  }

  #listsOf(file: OpenFile | undefined): Readonly<Record<string, unknown>> {
    return tableOf(file?.source.table['inputs']);
  }

  /** What a folder has of its own: configurations steer tasks without being read by them. */
  #sweep(folder: RelPath): readonly string[] {
    const known = this.#sweeps.get(folder);
    if (known !== undefined) return known;
    const all = below(folder);
    const made = [all, `!${all}/${CONFIG_FILE}`, ...this.#ignored.patternsFor(folder)];
    this.#sweeps.set(folder, made);
    return made;
  }
}

/** Patterns while they are gathered. */
class Found {
  /** Of what is added next. */
  origin = -1;
  readonly #patterns: string[] = [];
  readonly #origins: number[] = [];
  readonly #folders: RelPath[] = [];
  #swept = 0;

  add(pattern: string): void {
    this.#patterns.push(pattern);
    this.#origins.push(this.origin);
  }

  /** Whether it could be added: everything in a folder comes first. */
  sweep(folder: RelPath, patterns: readonly string[]): boolean {
    if (this.#patterns.length !== this.#swept) return false;
    for (const pattern of patterns) this.add(pattern);
    this.#folders.push(folder);
    this.#swept = this.#patterns.length;
    return true;
  }

  get inputs(): Inputs {
    const whole = this.#swept === 0 ? undefined : { folders: this.#folders, patterns: this.#swept };
    return { patterns: this.#patterns, whole, origins: this.#origins };
  }
}

function note(spot: () => Spot, says: string, hint: string): void {
  const { path, problems } = spot();
  problems.add({ code: 'CONFIG_INVALID', message: `${label(path)}: ${says}`, hint, path, on: 'value' });
}
