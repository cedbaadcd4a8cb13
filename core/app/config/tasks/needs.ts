/**
 * Which tasks a reference in the configuration means, seen from the package it stands in: `name` is a task of the same
 * package, `package#name` one of another (`//` is the root), `^name` that task of every package below this one.
 */
import type { ErrorCode } from '../../../base/errors.ts';
import { suggest } from '../../../base/nearest.ts';
import { tableOf } from '../../../base/table.ts';
import { type Package, type Packages, ROOT } from '../../packages/packages.ts';
import { brokenRule } from '../text/formats.ts';
import { label } from '../text/problems.ts';
import { qualified, type Spot, type TaskText } from './task-text.ts';

/** One task that another needs, and where that is said. */
export interface Need {
  readonly task: string;
  readonly spot: Spot;
  /** Whether it follows from what packages depend on. */
  readonly isFromPackages: boolean;
}

/** What is wrong with a reference. */
interface Fault {
  readonly code: ErrorCode;
  readonly says: string;
  readonly hint: string;
}

export class TaskNames {
  readonly #packages: Packages;
  /** Names within a package, by its name. */
  readonly #locals = new Map<string, Set<string>>();
  readonly #anywhere = new Set<string>();

  constructor(packages: Packages, texts: Iterable<TaskText>) {
    this.#packages = packages;
    for (const { home, local } of texts) {
      const known = this.#locals.get(home.name);
      if (known === undefined) this.#locals.set(home.name, new Set([local]));
      else known.add(local);
      this.#anywhere.add(local);
    }
  }

  #has(one: Package, local: string): boolean {
    return this.#locals.get(one.name)?.has(local) === true;
  }

  /** What is wrong with a name that stands for a task wherever there is one of it; undefined if nothing is. */
  faultOf(reference: string): Fault | undefined {
    if (reference.includes('#')) {
      const meant = this.one(reference, this.#packages.root);
      return typeof meant === 'string' ? undefined : meant;
    }
    return this.#anywhere.has(reference) ? undefined : this.#unknown(reference, this.#anywhere);
  }

  /** The one task that a reference means in a package. */
  one(reference: string, home: Package): string | Fault {
    const hash = reference.lastIndexOf('#');
    if (hash < 0) {
      if (this.#has(home, reference)) return qualified(home, reference);
      const own = this.#locals.get(home.name) ?? [];
      if (home.name === ROOT) return this.#unknown(reference, own);
      const isRoot = this.#has(this.#packages.root, reference);
      const hint = isRoot ? `Write "//#${reference}" for the task of the root.` : suggest(reference, own);
      return { code: 'CONFIG_UNKNOWN_TASK', says: `${home.name} has no task "${reference}"`, hint };
    }
    const [name, local] = [reference.slice(0, hash), reference.slice(hash + 1)];
    const one = this.#packages.named(name);
    if (one === undefined) return this.unknownPackage(name);
    if (this.#has(one, local)) return qualified(one, local);
    const hint = suggest(local, this.#locals.get(name) ?? []);
    return { code: 'CONFIG_UNKNOWN_TASK', says: `${name} has no task "${local}"`, hint };
  }

  unknownPackage(name: string): Fault {
    const hint = suggest(name, this.#packages.names);
    return { code: 'CONFIG_UNKNOWN_PACKAGE', says: `there is no package "${name}"`, hint };
  }

  #unknown(reference: string, known: Iterable<string>): Fault {
    return { code: 'CONFIG_UNKNOWN_TASK', says: `there is no task "${reference}"`, hint: suggest(reference, known) };
  }

  /** Everything that a task needs by its `needs` and its arguments, each task once. Notes what means nothing. */
  needsOf(text: TaskText): readonly Need[] {
    const found = new Map<string, Need>();
    const add = (task: string, spot: Spot, isFromPackages = false): void => {
      if (task !== text.name || !isFromPackages) found.set(task, found.get(task) ?? { task, spot, isFromPackages });
    };
    const written = text.value('needs');
    for (const [index, reference] of Array.isArray(written) ? written.entries() : []) {
      if (typeof reference !== 'string' || brokenRule('need', reference) !== undefined) continue;
      const spot = text.spot('needs', index);
      if (!reference.startsWith('^')) {
        const meant = this.one(reference, text.home);
        if (typeof meant === 'string') add(meant, spot);
        else if (!this.#isLeftOut(text, reference)) note(spot, meant);
        continue;
      }
      const local = reference.slice(1);
      if (!this.#anywhere.has(local)) note(spot, this.#unknown(local, this.#anywhere));
      for (const one of this.#packages.below(text.home)) {
        if (this.#has(one, local)) add(qualified(one, local), spot, true);
      }
    }
    const addFrom = (source: unknown, ...steps: readonly string[]): void => {
      const { from } = tableOf(source);
      if (typeof from !== 'string' || brokenRule('need', from) !== undefined) return;
      const spot = text.spot(...steps, 'from');
      const meant = this.one(from, text.home);
      if (typeof meant === 'string') add(meant, spot);
      else note(spot, meant);
    };
    for (const [name, value] of Object.entries(tableOf(text.value('args')))) addFrom(value, 'args', name);
    addFrom(text.value('foreach'), 'foreach');
    return [...found.values()];
  }

  /** A template may name a task that only some of its packages have. */
  #isLeftOut(text: TaskText, reference: string): boolean {
    return text.isFromTemplate && !reference.includes('#') && this.#anywhere.has(reference);
  }
}

function note({ path, problems }: Spot, { code, says, hint }: Fault): void {
  problems.add({ code, message: `${label(path)}: ${says}`, hint, path, on: 'value' });
}
