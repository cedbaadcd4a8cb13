/**
 * Files that nobody but this program makes, inside a cache folder. What stands in the place of one, a pipe that nobody
 * writes to or a link to somebody's file, is neither waited for nor written through: the call fails, or finds nothing, as
 * if there were no cache. Knows nothing of what is in the files.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';

/** Windows has neither. */
const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants;
const PLAIN = O_NONBLOCK | O_NOFOLLOW;

/** Flags for `openSync`, for reading. */
export const OWN_READ: number = O_RDONLY | PLAIN;

/** What is in a file. Throws what the system throws. */
export function readOwn(path: string): Buffer {
  return withOpen(path, OWN_READ, (fd) => readFileSync(fd));
}

/** Replaces what is in a file, which is made if it is missing. Throws what the system throws. */
export function writeOwn(path: string, text: string): void {
  withOpen(path, O_WRONLY | O_CREAT | O_TRUNC | PLAIN, (fd) => writeSync(fd, text));
}

/** Adds to a file, which is made if it is missing. Throws what the system throws. */
export function appendOwn(path: string, text: string): void {
  withOpen(path, O_WRONLY | O_CREAT | O_APPEND | PLAIN, (fd) => writeSync(fd, text));
}

function withOpen<T>(path: string, flags: number, use: (fd: number) => T): T {
  const fd = openSync(path, flags, 0o666);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
