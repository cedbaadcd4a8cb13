/** Opens the places where outputs stand, each for one operation, and tells what went wrong or had to be moved aside there. */
import { FlecheError, messageOf, systemCode } from '../../base/errors.ts';
import type { AbsPath } from '../../base/paths.ts';
import type { Globs } from '../globs/globs.ts';
import type { FileClock } from '../states/file-clock.ts';
import { OutputSite } from './output-site.ts';
import { Trash } from './trash.ts';

export interface OutputsOptions {
  /** Where things go that stand in the way and are not known to be a task's. Best on the file system of the root. */
  readonly trashDir: AbsPath;
  readonly onWarning: (message: string) => void;
  readonly clock?: FileClock;
}

export class Sites {
  readonly #root: AbsPath;
  readonly #options: Required<OutputsOptions>;
  readonly #trash: Trash;

  constructor(root: AbsPath, options: Required<OutputsOptions>) {
    this.#root = root;
    this.#options = options;
    this.#trash = new Trash(root, options.trashDir, options.clock);
  }

  /** Does something with the outputs of one task. */
  at<T>(task: string, globs: Globs, work: (site: OutputSite) => T): T {
    const site = this.open(task, globs);
    return named(site, () => work(site));
  }

  open(task: string, globs: Globs): OutputSite {
    return new OutputSite(task, globs, { root: this.#root, trash: this.#trash, clock: this.#options.clock });
  }

  /** Tells what had to be moved aside since it was last told. */
  tell(): void {
    const warning = this.#trash.told();
    if (warning !== undefined) this.#options.onWarning(warning);
  }
}

/** Does something with the outputs of one task; what the system does not let it do is told with the task's name. */
export function named<T>({ task }: OutputSite, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FlecheError || systemCode(error) === undefined) throw error;
    throw new FlecheError('OUTPUT_UNWRITABLE', `outputs of task "${task}": ${messageOf(error)}`, {
      hint: 'May these folders be written, and is there space?',
      cause: error,
    });
  }
}
