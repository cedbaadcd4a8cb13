/**
 * The file that takes what one task prints. It is opened once and its descriptor stands for stdout and stderr alike, so
 * the order of lines is exactly the order of writes; which stream a byte came from is not kept. Opened for appending:
 * a script that reopens the stream (`echo … > /dev/stderr`) empties the file, but leaves no hole in it.
 */
import { closeSync, constants, fstatSync, openSync, readSync, rmSync } from 'node:fs';

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

export class LogFile {
  /** For writing at the end of the file; what a child gets as its stdout and stderr. */
  readonly fd: number;
  readonly #follower: Follower | undefined;

  /**
   * Creates or empties the file. A listener receives copies of the bytes while they come, within `INTERVAL`, and the
   * rest at `close`; it must not throw. Without one the file is never read.
   */
  constructor(path: string, listener?: (chunk: Uint8Array) => void) {
    this.fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND, 0o600);
    descriptors.add(this.fd);
    this.#follower = listener === undefined ? undefined : new Follower(path, listener);
  }

  /** Hands the listener what it has not seen yet, and closes the file. Writers in other processes are not affected. */
  close(): void {
    this.#follower?.close();
    descriptors.delete(this.fd);
    closeSync(this.fd);
  }
}

/** Removes a log that is no longer needed, if it is there. */
export function removeLog(path: string): void {
  rmSync(path, { force: true });
}

class Follower {
  readonly #fd: number;
  readonly #listener: (chunk: Uint8Array) => void;
  readonly #timer: NodeJS.Timeout;
  #offset = 0;

  constructor(path: string, listener: (chunk: Uint8Array) => void) {
    this.#fd = openSync(path, 'r');
    descriptors.add(this.#fd);
    this.#listener = listener;
    this.#timer = setInterval(() => this.#look(CHUNKS_PER_LOOK), INTERVAL);
  }

  #look(chunks: number): void {
    for (let count = 0; count < chunks; count++) {
      const chunk = Buffer.allocUnsafeSlow(CHUNK);
      const size = readSync(this.#fd, chunk, 0, CHUNK, this.#offset);
      if (size === 0) {
        if (fstatSync(this.#fd).size < this.#offset) this.#offset = 0;
        return;
      }
      this.#offset += size;
      this.#listener(size < CHUNK / 2 ? Buffer.from(chunk.subarray(0, size)) : chunk.subarray(0, size));
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#look(Number.POSITIVE_INFINITY);
    descriptors.delete(this.#fd);
    closeSync(this.#fd);
  }
}
