/** What the items of one task write: one area of the workspace, prepared once, of which each item takes in its part. */
import type { Digest } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import type { Prepared, Writing } from '../../files/outputs/written.ts';
import type { PathState } from '../../files/states/path-states.ts';
import type { Workbench } from '../round/workbench.ts';
import type { ItemCall, TaskCall } from '../tasks/task-call.ts';
import { bringItems, type ItemAnswer } from './asked-items.ts';
import { treeOf } from './composed.ts';

type Answers = ReadonlyMap<ItemCall, ItemAnswer>;

export class CommonOutputs {
  readonly #call: TaskCall;
  readonly #bench: Workbench;
  readonly #states: PathState[] = [];
  /** Who wrote what. */
  readonly #writers = new Map<RelPath, ItemCall>();
  #prepared: Prepared | undefined;

  constructor(call: TaskCall, bench: Workbench) {
    this.#call = call;
    this.#bench = bench;
  }

  /**
   * Puts in place what is answered, and removes all else that the task wrote here. Gives content that is lost, of which
   * there are answers no more: then it is to be called again.
   */
  async makeReady(answers: Answers): Promise<Digest | undefined> {
    const { task, globs } = this.#call;
    const { outputs } = this.#bench.around;
    if (task.outputs.length === 0) {
      if (outputs.owners.owned(task.name) !== undefined) outputs.discard(task.name);
      return undefined;
    }
    await this.#bring(answers);
    const tree = treeOf(answers, this.#call);
    outputs.clear(task.name, globs.outputs, tree);
    const result = outputs.restore(task.name, globs.outputs, tree);
    if (!('restored' in result)) return result.lost;
    for (const [item, { product }] of answers) {
      for (const { path } of product.outputs?.entries ?? []) this.#writers.set(path, item);
    }
    this.#prepared = outputs.prepare(task.name, globs.outputs, false);
    return undefined;
  }

  /** Brings contents of outputs that are shared and not here. */
  async #bring(answers: Answers): Promise<void> {
    const { around, shared } = this.#bench;
    const { task, globs } = this.#call;
    if (shared === undefined) return;
    const missing = new Set(around.outputs.missing(task.name, globs.outputs, treeOf(answers, this.#call)));
    if (missing.size > 0) await bringItems(answers, missing, shared, 'place');
  }

  /** Makes room for what one item writes; undefined if the task declares no outputs. */
  writing(call: ItemCall): Writing | undefined {
    const prepared = this.#prepared;
    if (prepared === undefined) return undefined;
    const { outputs } = this.#bench.around;
    const { items } = this.#call;
    const { outputs: globs, needed } = call.globs;
    outputs.makeRoom(prepared, globs);
    const isOther = (path: RelPath): boolean => {
      const owner = items?.ownerOf(path);
      return owner !== undefined && owner !== call;
    };
    return {
      capture: () => {
        const captured = outputs.capturePart(prepared, globs, { needed, isOther });
        for (const { path, kind } of captured.tree.entries) {
          const other = this.#writers.get(path);
          if (other !== undefined && kind !== 'dir') throw items?.overlap(other, call, path);
          this.#writers.set(path, call);
        }
        this.#states.push(...captured.states);
        return captured;
      },
      // What is left of it is the task's own once all items are over.
      abandon: () => {},
    };
  }

  /** All items are done, and what they wrote is the task's own. */
  finish(): void {
    if (this.#prepared !== undefined) this.#bench.around.outputs.finish(this.#prepared, this.#states);
  }

  /** What stands there by now is the task's own. */
  abandon(): void {
    if (this.#prepared !== undefined) this.#bench.around.outputs.abandon(this.#prepared);
    this.#prepared = undefined;
  }
}
