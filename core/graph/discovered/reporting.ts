/** The runs of a task that tell what they read, one after the other or side by side: one of the task, or those of its items. */
import { join } from 'node:path';
import type { AbsPath } from '../../base/paths.ts';
import { MadeFolders } from '../../files/inputs/made-folders.ts';
import { Moments } from '../../files/inputs/stamped-moment.ts';
import type { Products } from '../tasks/products.ts';
import type { TaskCall } from '../tasks/task-call.ts';
import { Discovery } from './discovery.ts';
import type { ListDesk } from './lists.ts';

export class Reporting {
  readonly #products: Products;
  readonly #desk: ListDesk;
  readonly #moments: Moments;
  readonly #folders = new MadeFolders();

  /** A file is written to `tempDir`, to find out by which clock files are stamped. */
  constructor(products: Products, desk: ListDesk & { readonly tempDir: AbsPath }) {
    this.#products = products;
    this.#desk = desk;
    this.#moments = new Moments(join(desk.tempDir, `moment-${process.pid}`), desk.now);
  }

  /** To be called before a run begins. Undefined for a task that tells nothing. */
  discover(call: TaskCall): Promise<Discovery | undefined> {
    return Discovery.begin(call, this.#products, this.#desk, { moments: this.#moments, folders: this.#folders });
  }

  /** No run is to come any more. */
  finish(): void {
    this.#folders.prune();
  }
}
