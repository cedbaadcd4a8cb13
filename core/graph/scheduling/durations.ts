/**
 * How long tasks took when they last ran, as this workspace remembers it, or as it was noted with the newest answer on
 * file. Only the order in which tasks run depends on it.
 */
import type { SyncCallStore } from '../../store/calls.ts';
import type { StateStore } from '../../store/state.ts';

export class Durations {
  readonly #state: StateStore;
  readonly #calls: SyncCallStore;

  constructor(state: StateStore, calls: SyncCallStore) {
    this.#state = state;
    this.#calls = calls;
  }

  /** ms; undefined for a task that never ran. */
  of(task: string): number | undefined {
    const noted = this.#state.get(nameOf(task));
    const ms = noted === undefined ? this.#onFile(task) : Number(Buffer.from(noted).toString());
    return ms !== undefined && Number.isFinite(ms) && ms >= 0 ? ms : undefined;
  }

  #onFile(task: string): number | undefined {
    for (const { failure, metadata } of this.#calls.find({ kind: 'task', name: task })) {
      if (failure === null) return Number(metadata['runtime']?.['walltime']);
    }
    return undefined;
  }

  /** Takes in how long a task took that succeeded. */
  note(task: string, ms: number): void {
    this.#state.put(nameOf(task), Buffer.from(String(Math.round(ms))));
  }
}

function nameOf(task: string): string {
  return `duration/${task}`;
}
