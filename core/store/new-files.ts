/**
 * New files with the same content, written by the threads that Node has for files, while more of the content comes: to
 * write large files takes longer than to receive and to hash them. What is added is not held longer than it takes to write
 * it. Until `finish` it is nothing: `close` removes what is not finished.
 */
import { closeSync, openSync, rmSync } from 'node:fs';
import { writeAllAside } from './file-bytes.ts';
import { inFolderOf } from './layout.ts';

/** So much is written at a time, bytes: a thread is asked seldom, and little is held. */
const BATCH = 1 << 19;
/** Systems take no more pieces than these at a time. */
const MOST_PIECES = 1024;

export class NewFiles {
  readonly #paths: readonly string[];
  readonly #open: number[] = [];
  /** What is not being written yet. */
  #waiting: Uint8Array[] = [];
  #waitingSize = 0;
  #written = 0;
  #writing: Promise<void> = Promise.resolve();
  #isFinished = false;

  /** There must be nothing at `paths`. */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /** Bytes that were added. */
  get size(): number {
    return this.#written + this.#waitingSize;
  }

  /** Adds bytes that nobody changes any more. A promise is to be waited for before more is added. Rejects like the system. */
  add(bytes: Uint8Array): Promise<void> | undefined {
    this.#waiting.push(bytes);
    this.#waitingSize += bytes.length;
    const isMuch = this.#waitingSize >= BATCH || this.#waiting.length >= MOST_PIECES;
    return isMuch ? this.#write() : undefined;
  }

  /** Writes what is left: then they are whole. Rejects like the system. */
  async finish(): Promise<void> {
    await this.#write();
    await this.#writing;
    this.#isFinished = true;
  }

  /** Waits for what was being written before, and begins to write what waits. */
  async #write(): Promise<void> {
    await this.#writing;
    if (this.#open.length === 0) {
      for (const path of this.#paths) this.#open.push(inFolderOf(path, () => openSync(path, 'wx', 0o600)));
    }
    const [pieces, at] = [this.#waiting, this.#written];
    this.#written += this.#waitingSize;
    this.#waiting = [];
    this.#waitingSize = 0;
    this.#writing = allOver(this.#open.map((fd) => writeAllAside(fd, pieces, at)));
    // Who waits for it is told.
    this.#writing.catch(() => {});
  }

  /** Lets go of the files, and removes them if they are not whole. */
  async close(): Promise<void> {
    // A file that is still written to must not be closed: another one may be opened under its number.
    await this.#writing.catch(() => {});
    for (const fd of this.#open) closeSync(fd);
    if (!this.#isFinished) for (const path of this.#paths.slice(0, this.#open.length)) rmSync(path, { force: true });
  }
}

/** Rejects with the first that failed, once all are over. */
async function allOver(works: readonly Promise<void>[]): Promise<void> {
  for (const end of await Promise.allSettled(works)) if (end.status === 'rejected') throw end.reason;
}
