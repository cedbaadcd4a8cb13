/** Opens the places where outputs stand, each for one operation, and tells what went wrong or had to be moved aside there. */
import { FlecheError, messageOf, systemCode } from '../../base/errors.ts';
import type { AbsPath } from '../../base/paths.ts';
import type { Globs } from '../globs/globs.ts';
import { OutputSite } from './output-site.ts';

export interface OutputsOptions {
  /** Where things go that stand in the way and are not known to be a task's. Best on the file system of the root. */
  readonly trashDir: AbsPath;
  readonly onWarning: (message: string) => void;
  /** ms since the epoch, by the clock that stamps files. */
  readonly clock?: () => number;
}

export class Sites {
  readonly #root: AbsPath;
  readonly #options: Required<OutputsOptions>;

  constructor(root: AbsPath, options: Required<OutputsOptions>) {
    this.#root = root;
    this.#options = options;
  }

  /** Does something with the outputs of one task, and tells of what had to be moved aside, even if it failed. */
  at<T>(task: string, globs: Globs, work: (site: OutputSite) => T): T {
    const site = this.open(task, globs);
    try {
      return named(site, () => work(site));
    } finally {
      this.tell(site);
    }
  }

  /** Opens one. To be told of when it is over. */
  open(task: string, globs: Globs): OutputSite {
    return new OutputSite(task, globs, { root: this.#root, ...this.#options });
  }

  /** Tells what had to be moved aside. */
  tell({ warning }: OutputSite): void {
    if (warning !== undefined) this.#options.onWarning(warning);
  }
}

/** Does something with the outputs of one task; what the system does not let it do is told with the task's name. */
export function named<T>({ task }: OutputSite, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FlecheError || systemCode(error) === undefined) throw error;
    throw new FlecheError('OUTPUT_UNWRITABLE', `outputs of task "${task}": ${messageOf(error)}`, { cause: error });
  }
}
