/**
 * Whether git is changing the working tree around a folder: while it does, its lock is there. Some commands keep a lock
 * and change nothing (a commit waits for its editor, one that was killed leaves it behind), so it is a hint.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { AbsPath } from '../../base/paths.ts';
import { lookAt } from '../look.ts';

const LOCKS = ['index.lock', 'HEAD.lock'];

/**
 * Looks for the working tree once. The function gives a mark of the lock that is there, each lock one of its own, or
 * undefined for none.
 */
export function gitLock(folder: AbsPath): () => string | undefined {
  const gitFolder = gitFolderOf(folder);
  if (gitFolder === undefined) return () => undefined;
  const places = LOCKS.map((name) => join(gitFolder, name) as AbsPath);
  return () => {
    for (const place of places) {
      const stats = lookOrNothing(place);
      if (stats !== undefined) return `${place} ${stats.ino} ${stats.birthtimeMs}`;
    }
    return undefined;
  };
}

/** In a linked working tree, and in a submodule, `.git` is a file that says where the folder is. */
function gitFolderOf(folder: AbsPath): AbsPath | undefined {
  for (let at = folder; ; at = dirname(at) as AbsPath) {
    const place = join(at, '.git') as AbsPath;
    const stats = lookOrNothing(place);
    if (stats?.isDirectory() === true) return place;
    const named = stats?.isFile() === true ? /^gitdir: (.+)$/m.exec(textOf(place))?.[1] : undefined;
    if (named !== undefined) return resolve(at, named) as AbsPath;
    if (dirname(at) === at) return undefined;
  }
}

/** What may not be looked at is as good as not there. */
function lookOrNothing(place: AbsPath): ReturnType<typeof lookAt> {
  try {
    return lookAt(place);
  } catch {
    return undefined;
  }
}

function textOf(place: AbsPath): string {
  try {
    return readFileSync(place, 'utf8');
  } catch {
    return '';
  }
}
