/** What each task last wrote in this workspace. Kept in the state store; a ledger that cannot be read is none. */
import type { RelPath } from '../../base/paths.ts';
import type { StateStore } from '../../store/state.ts';
import { packStates, unpackStates } from '../states/path-list.ts';
import type { PathState } from '../states/path-states.ts';

/**
 * Of a finished ledger the paths are the task's own. An unfinished one belongs to a run that is under way or did not get
 * to its end; its paths are those that were there before the run and are not the task's.
 */
export interface Ledger {
  readonly finished: boolean;
  readonly paths: ReadonlyMap<RelPath, PathState>;
  /** The paths alone. */
  readonly names: ReadonlySet<RelPath>;
}

const PREFIX = 'outputs/';
const UNFINISHED = 0;
const FINISHED = 1;

export class Ledgers {
  readonly #state: StateStore;
  /** What was last read or written, with the packed form that it is valid for. */
  readonly #read = new Map<string, { readonly packed: Uint8Array; readonly ledger: Ledger }>();

  constructor(state: StateStore) {
    this.#state = state;
  }

  read(task: string): Ledger | undefined {
    const packed = this.#state.get(nameOf(task));
    if (packed === undefined) return undefined;
    const known = this.#read.get(task);
    if (known !== undefined && Buffer.compare(known.packed, packed) === 0) return known.ledger;
    const unpacked = unpackStates(packed);
    if (unpacked === undefined) return undefined;
    const { length, remark } = unpacked;
    const paths = new Map<RelPath, PathState>();
    for (const state of unpacked.part(0, length)) paths.set(state.path, state);
    const ledger = { finished: remark.length === 1 && remark[0] === FINISHED, paths, names: new Set(paths.keys()) };
    this.#read.set(task, { packed, ledger });
    return ledger;
  }

  /** The tasks that have a ledger, sorted. */
  tasks(): readonly string[] {
    return Array.from(this.#state.names(PREFIX), (name) => name.slice(PREFIX.length));
  }

  /** Notes that `states` are the task's own. */
  finish(task: string, states: readonly PathState[]): void {
    this.#state.put(nameOf(task), packStates(states, Uint8Array.of(FINISHED)));
  }

  /** Afterwards what was noted is durable. */
  flush(): void {
    this.#state.flush();
  }

  /** Forgets the task. */
  delete(task: string): void {
    this.#state.delete(nameOf(task));
  }

  /**
   * Notes that a run of the task begins, beside `states` that are not its own. Durable when this returns. Of a task that
   * has no ledger nothing is known as it is.
   */
  begin(task: string, states: readonly PathState[]): void {
    if (states.length === 0 && this.#state.get(nameOf(task)) === undefined) return;
    this.#state.put(nameOf(task), packStates(states, Uint8Array.of(UNFINISHED)));
    this.#state.flush();
  }
}

function nameOf(task: string): string {
  return PREFIX + task;
}
