/** What a runner must say of itself to be measured. */
import type { Peers } from '../peers.ts';
import type { Additions, Workload } from '../workload.ts';

export interface Adapter extends Additions {
  readonly name: string;
  /** Whether it can put outputs back without running anything. */
  readonly restores: boolean;
  /** Whether it finds out by itself which of its inputs a task reads. */
  readonly traces?: boolean;
  /** What it keeps, relative to the root; after `packages/*` the same in every package. */
  readonly caches: readonly string[];
  /** Scenarios that mean something for it; all if absent. */
  readonly scenarios?: readonly string[];
  /** The program, or undefined where it cannot be had. */
  find(peers: Peers): string | undefined;
  /** The command that builds everything, run in the root. */
  command(program: string, workload: Workload, jobs: number): Call;
  /** Ends what it leaves running in the background. */
  stop?(program: string): readonly string[];
}

export interface Call {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}
