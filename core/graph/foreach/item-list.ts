/** Finds what a task is done for: files, elements of a list that is written down, or what another task made. */
import { FlecheError } from '../../base/errors.ts';
import type { Digest } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import { globsOf } from '../../files/globs/globs.ts';
import { decodeAt } from '../../files/refs.ts';
import type { TreeEntry } from '../../files/trees/tree.ts';
import type { Products } from '../tasks/products.ts';
import type { Foreach, Task } from '../tasks/task.ts';
import type { Surroundings } from '../tasks/task-call.ts';
import { fileItem, folderAround, valueItems } from './item.ts';
import type { FoundItems } from './item-calls.ts';

export class ItemList {
  /** The folder that all files lie in; undefined for values. */
  readonly base: RelPath | undefined;
  readonly #task: Task;
  readonly #foreach: Foreach;
  readonly #products: Products;
  readonly #around: Surroundings;

  /** `products` has that of the task whose result is the list. */
  constructor(task: Task, foreach: Foreach, products: Products, around: Surroundings) {
    this.#task = task;
    this.#foreach = foreach;
    this.#products = products;
    this.#around = around;
    const patterns = this.#patterns();
    const { bases, literals } = globsOf(patterns ?? []);
    this.base = patterns && folderAround(bases, literals);
  }

  /** The patterns that the items match, if they are files. */
  #patterns(): readonly string[] | undefined {
    const { of } = this.#foreach;
    if (of.kind === 'files') return of.patterns;
    if (of.kind === 'values' || this.#products.of(of.task).value !== null) return undefined;
    return this.#around.graph.task(of.task).outputs;
  }

  files(entries: readonly TreeEntry[]): FoundItems {
    const { base = '.' as RelPath } = this;
    const files = entries.filter(({ kind }) => kind === 'file' || kind === 'link');
    return { items: files.map((entry) => fileItem(entry, base, this.#task.dir)), places: undefined };
  }

  values(values: readonly unknown[]): FoundItems {
    return valueItems(values);
  }

  /** The elements of what a task returned, or the files that it wrote. Throws `CONFIG_TYPE` for what is no list. */
  made(task: string): FoundItems {
    const { value, outputs } = this.#products.of(task);
    return value === null ? this.files(outputs?.entries ?? []) : this.values(this.#elements(task, value.blob));
  }

  #elements(task: string, blob: Digest): readonly unknown[] {
    const bytes = this.#around.values.get(blob);
    if (bytes === undefined)
      throw new FlecheError('STORE_CORRUPT', `the result of "${task}" is gone`, {
        hint: `Make it again: fleche run ${task} --force`,
      });
    const value = decodeAt(this.#around.root, bytes);
    if (Array.isArray(value)) return value;
    throw new FlecheError('CONFIG_TYPE', `"${task}" gave ${describe(value)}, and foreach takes a list`, {
      at: this.#foreach.at,
      hint: `Let the function of "${task}" return an array.`,
    });
  }
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'an object';
  return value === null || value === undefined ? String(value) : `a ${typeof value}`;
}
