/**
 * The answer that the work of one task gives, and how it is filed. It is filed only if no declared input changed while the
 * task was at work.
 */
import type { Awaitable } from '../../base/awaitable.ts';
import type { Digest } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import type { Tree } from '../../files/trees/tree.ts';
import type { CallRecord, Failure, StoredValue } from '../../store/record.ts';
import type { Found } from '../discovered/found.ts';
import { type Product, product } from '../tasks/product.ts';
import type { TaskCall } from '../tasks/task-call.ts';
import type { Workbench } from './workbench.ts';

/** What came of the work. */
export type Executed =
  | {
      readonly kind: 'done';
      /** The question, completed by what the task discovered. */
      readonly call: TaskCall;
      readonly product: Product;
      readonly warning: string | null;
      /** Whether it is an answer to the question; else the question asked for something else, as the warning says. */
      readonly isSound: boolean;
      /** What was printed; null for nothing. */
      readonly log: Digest | null;
    }
  | { readonly kind: 'failed'; readonly call: TaskCall; readonly failure: Failure }
  | { readonly kind: 'aborted' };

/**
 * Paths the task reads that are not, or were not all the time, what its question says, `others` included, of which that
 * was found out.
 */
export type Changes = (others: readonly RelPath[]) => Awaitable<readonly RelPath[]>;

/** When the work was done, ms since the epoch, and what it printed. */
export interface About {
  readonly started: number;
  readonly stopped: number;
  readonly log: Digest | null;
  /** The time that it takes as a whole, if only a part of it was done, ms. */
  readonly walltime?: number;
  /** How many items there are, for a task that is done for each of many. */
  readonly items?: number;
  /** When it is to be taken for filed, ms since the epoch; by default when it was done. */
  readonly filed?: number | undefined;
}

/** One answer in the making: the values are put first, then the record that names them. */
export class Answer {
  readonly #call: TaskCall;
  readonly #bench: Workbench;
  readonly #about: About;

  constructor(call: TaskCall, bench: Workbench, about: About) {
    this.#call = call;
    this.#bench = bench;
    this.#about = about;
  }

  async done(
    { value, note }: { readonly value: StoredValue | null; readonly note: string | null },
    outputs: Tree | null,
    changes: Changes,
    found?: Found,
  ): Promise<Executed> {
    const call = found?.kind === 'found' ? found.call : this.#call;
    const changed = await changes(found?.kind === 'found' ? found.changed : []);
    const isSound = changed.length === 0 && found?.kind !== 'unknown';
    const done = { kind: 'done', call, product: product(value, outputs), isSound, log: this.#about.log } as const;
    if (changed.length > 0) {
      const shown = changed.slice(0, 3).join(', ') + (changed.length > 3 ? ` and ${changed.length - 3} more` : '');
      return { ...done, warning: `${shown} changed while it ran, so the result is not kept` };
    }
    if (found?.kind === 'unknown') {
      const loss = call.task.cache ? 'the result is not kept' : 'changes of it are not noticed';
      return { ...done, warning: `${found.why}, so ${loss}` };
    }
    if (found?.kind === 'found') found.file();
    if (call.task.cache) {
      this.#file(call, null, value, outputs);
      if (found?.kind === 'found') found.share();
    }
    return { ...done, warning: note };
  }

  failed(why: Failure, found?: Found): Executed {
    const call = found?.kind === 'found' ? found.call : this.#call;
    if (this.#bench.calls.get(call.key)?.failure !== null) {
      if (found?.kind === 'found') found.file();
      if (call.task.cache) this.#file(call, why, null, null);
    }
    return { kind: 'failed', call, failure: why };
  }

  #file(call: TaskCall, why: Failure | null, result: StoredValue | null, outputs: Tree | null): void {
    const { task, parts, key, blobs } = call;
    const { values, calls, now } = this.#bench;
    const { started, stopped, log, walltime = stopped - started, items, filed = now() } = this.#about;
    for (const [blob, bytes] of blobs) values.put(blob, bytes());
    const record: CallRecord = {
      key,
      kind: 'task',
      name: task.name,
      module: task.body.kind === 'function' ? task.body.module : null,
      parts,
      failure: why,
      result,
      promised: false,
      outputs: outputs?.digest ?? null,
      log,
      metadata: {
        runtime: { timestart: started, timestop: stopped, walltime },
        ...(items === undefined ? {} : { foreach: { items } }),
      },
      filed,
    };
    calls.put(record);
    this.#bench.shared?.push(record);
  }
}
