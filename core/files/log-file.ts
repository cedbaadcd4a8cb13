/**
 * The file that takes what one task prints. It is opened once and its descriptor stands for stdout and stderr alike, so
 * the order of lines is exactly the order of writes; which stream a byte came from is not kept. Opened for appending:
 * a script that reopens the stream (`echo … > /dev/stderr`) empties the file, but leaves no hole in it.
 */
import { closeSync, constants, fstatSync, openSync, readSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { isPromise } from '../base/awaitable.ts';
import { systemCode } from '../base/errors.ts';

/** How often a followed file is looked at, ms. */
const INTERVAL = 40;
const CHUNK = 64 * 1024;
/** Chunks read at one look, so that a flood of output does not hold up everything else. */
const CHUNKS_PER_LOOK = 16;

/** Descriptors of the logs that are open in this process. */
const descriptors = new Set<number>();

/** Whether a descriptor is one of a log, which commands do not inherit unless it is given to them. */
export function isOfLog(fd: number): boolean {
  return descriptors.has(fd);
}

/** Hears what is written. A promise that it gives back is waited for before it is told more. It neither throws nor rejects. */
export type LogListener = (chunk: Uint8Array) => unknown;

export class LogFile {
  /** For writing at the end of the file; what a child gets as its stdout and stderr. Whoever follows reads from it too. */
  readonly fd: number;
  readonly #follower: Follower | undefined;

  /**
   * Creates or empties the file. A listener receives copies of the bytes while they come, within `INTERVAL`, and the
   * rest at `close`. Without one the file is never read.
   */
  constructor(path: string, listener?: LogListener) {
    this.fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND, 0o600);
    descriptors.add(this.fd);
    this.#follower = listener === undefined ? undefined : new Follower(this.fd, listener);
  }

  /** Hands the listener what it has not seen yet, and closes the file. Writers in other processes are not affected. */
  async close(): Promise<void> {
    await this.#follower?.close();
    descriptors.delete(this.fd);
    closeSync(this.fd);
  }
}

/** Removes a log that is no longer needed, if it is there. */
export function removeLog(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** What a log holds, piece by piece; nothing if it is not there. */
export function* piecesOfLog(path: string): Iterable<Uint8Array> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(CHUNK);
      const size = readSync(fd, piece);
      if (size === 0) return;
      yield piece.subarray(0, size);
    }
  } finally {
    closeSync(fd);
  }
}

/** Writes a log as a whole. */
export function writeLog(path: string, pieces: Iterable<Uint8Array>): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    for (const piece of pieces) writeFileSync(fd, piece);
  } finally {
    closeSync(fd);
  }
}

/** Whether nothing was printed, as is most often so. */
export function isEmptyLog(path: string): boolean {
  return statSync(path).size === 0;
}

class Follower {
  readonly #fd: number;
  readonly #listener: LogListener;
  readonly #timer: NodeJS.Timeout;
  #offset = 0;
  /** The look that is under way, while the listener takes its time. */
  #looking: Promise<unknown> | undefined;

  constructor(fd: number, listener: LogListener) {
    this.#fd = fd;
    this.#listener = listener;
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
    }, INTERVAL);
  }

  /** Reads on; false at the end of what there is. */
  async #look(): Promise<boolean> {
    for (let count = 0; count < CHUNKS_PER_LOOK; count++) {
      const { size: end } = fstatSync(this.#fd);
      if (end === this.#offset) return false;
      if (end < this.#offset) this.#offset = 0;
      const chunk = Buffer.allocUnsafeSlow(CHUNK);
      const size = readSync(this.#fd, chunk, 0, CHUNK, this.#offset);
      // Emptied just now.
      if (size === 0) continue;
      this.#offset += size;
      const told = this.#listener(size < CHUNK / 2 ? Buffer.from(chunk.subarray(0, size)) : chunk.subarray(0, size));
      if (isPromise(told)) await told;
    }
    return true;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    while (await this.#look()) await turn();
  }
}
