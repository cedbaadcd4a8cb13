/** What those work with who do what tasks ask for. */
import { join } from 'node:path';
import type { AbsPath } from '../../base/paths.ts';
import type { SharedAnswers } from '../../call/shared/shared-answers.ts';
import type { SyncCallStore } from '../../store/calls.ts';
import type { LeaseStore } from '../../store/leases.ts';
import type { FileValueStore } from '../../store/values.ts';
import type { Surroundings } from '../tasks/task-call.ts';

/** What execution needs beside the question. */
export interface Workbench {
  readonly around: Surroundings;
  readonly values: FileValueStore;
  readonly calls: SyncCallStore;
  /** Marks of what is being worked on, in this process and in others. */
  readonly leases: LeaseStore;
  /** What is asked when there is no answer here, and told of new ones; undefined where nothing is shared. */
  readonly shared?: SharedAnswers | undefined;
  /** Makes visible what other processes have filed meanwhile. */
  readonly refresh: () => void;
  /** Folder for logs of running tasks and for bundles of function tasks. */
  readonly tempDir: AbsPath;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** Where running commands are noted. */
export function runningDir({ tempDir }: Pick<Workbench, 'tempDir'>): string {
  return join(tempDir, 'running');
}
