/** Folders for tests. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AbsPath } from '../core/base/paths.ts';

/** Works in a new folder that is gone when the work is done, whatever comes of it. No links lead to it. */
export function inNewFolder<T>(work: (folder: AbsPath) => T): T {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'fleche-'))) as AbsPath;
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  let done: T;
  try {
    done = work(folder);
  } catch (error) {
    remove();
    throw error;
  }
  // What comes later is what was promised.
  if (done instanceof Promise) return done.finally(remove) as T;
  remove();
  return done;
}
