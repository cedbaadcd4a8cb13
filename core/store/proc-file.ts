/**
 * Reading files that the system makes up, below `/proc`: they have no size that could be asked for, and `readFileSync`
 * takes 64 KB of memory for each, which costs more than all the rest. Knows nothing of what is in them.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** None of the files that are read here is longer. */
const MOST = 4096;
let buffer: Buffer | undefined;

/** The text of a short file, a character a byte; undefined if there is no such file, or it may not be read. */
export function procText(path: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    buffer ??= Buffer.allocUnsafeSlow(MOST);
    return buffer.toString('latin1', 0, readSync(fd, buffer, 0, MOST, null));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
