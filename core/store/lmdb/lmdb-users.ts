/**
 * Which processes have an environment open: each leaves an empty file named by its process id beside the data file and
 * removes it when it is done. A mark of a process that is no more tells that it ended badly, by a crash in native code
 * at worst, and that the environment is to be looked at more closely than usual before it is opened again.
 *
 * Process ids are reused, and of other machines or containers they mean nothing here: a mark can be wrong both ways,
 * which costs a closer look, or saves one.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { namesIn } from '../folder/blob-files.ts';
import { type Layout, markFile, ownerOfMark } from '../layout.ts';

/** Marks the environment as used by this process. Returns the mark, for `unmark`. */
export function mark(layout: Layout): string {
  const path = markFile(layout, process.pid);
  try {
    writeFileSync(path, '', { flag: 'wx' });
  } catch {
    // Without it a crash of this process goes unnoticed.
  }
  return path;
}

/** Removes marks; those that are gone already are no matter. */
export function unmark(marks: readonly string[]): void {
  for (const path of marks) {
    try {
      rmSync(path, { force: true });
    } catch {
      // It will be taken for that of a process that ended badly.
    }
  }
}

/** Marks of processes that are no more. */
export function staleMarks(layout: Layout): string[] {
  const stale: string[] = [];
  for (const name of namesIn(layout.db)) {
    const pid = ownerOfMark(name);
    if (pid !== undefined && !isAlive(pid)) stale.push(join(layout.db, name));
  }
  return stale;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // No permission to signal it means that it is there.
    return systemCode(error) !== 'ESRCH';
  }
}
