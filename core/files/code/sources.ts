/**
 * Files as arguments of memoised functions: by content and by path relative to a root, so that a call is the same call
 * wherever the project lies. Where the path is not to matter, a function is given the content: `file(…).text()`.
 */
import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { FlecheError, messageOf } from '../../base/errors.ts';
import { type AbsPath, escapes, normalRel, type RelPath, toAbs, toRel } from '../../base/paths.ts';
import { MemoryStateStore } from '../../store/memory.ts';
import { Workspace } from '../inputs/workspace.ts';
import { FileRef, TreeRef } from '../refs.ts';
import { type Content, readContent } from '../states/contents.ts';
import { isExecutable } from '../states/stat-key.ts';
import type { Tree } from '../trees/tree.ts';

export interface SourceOptions {
  /** The folder that paths and patterns are relative to; the current one by default. */
  readonly root?: string;
}

/**
 * One file as it is now. One that is named by an absolute path outside the root counts by its last name alone. Throws
 * `INPUT_UNREADABLE` if there is no such file, or if it cannot be read.
 */
export function file(path: string, options: SourceOptions = {}): FileRef {
  const root = rootOf(options);
  const place = toAbs(root, path);
  const isFar = isAbsolute(path) && escapes(toRel(root, place));
  const home = isFar ? toAbs(place, '..') : root;
  let content: Content | undefined;
  try {
    content = readContent(place, Date.now);
  } catch (error) {
    throw new FlecheError('INPUT_UNREADABLE', `cannot read ${path}: ${messageOf(error)}`, {
      hint: 'May it be read by whoever runs this?',
      cause: error,
    });
  }
  if (content !== undefined) return new FileRef(home, toRel(home, place), content.digest, isExecutable(content.key));
  throw new FlecheError('INPUT_UNREADABLE', `there is no file ${path}`, {
    hint: `Looked for in ${home}. A folder is a tree(), a pattern a glob().`,
  });
}

/** The files that patterns match now, sorted by path; `!` takes away, a later pattern wins. */
export function glob(patterns: string | readonly string[], options: SourceOptions = {}): readonly FileRef[] {
  const root = rootOf(options);
  return new TreeRef(root, listing(typeof patterns === 'string' ? [patterns] : patterns, root)).list();
}

/** A folder with everything in it as it is now. Throws `INPUT_UNREADABLE` if there is none. */
export function tree(path: string, options: SourceOptions = {}): TreeRef {
  const root = rootOf(options);
  try {
    if (statSync(resolve(root, path)).isDirectory()) return new TreeRef(root, listing([`./${normalRel(path)}`], root));
  } catch (error) {
    throw new FlecheError('INPUT_UNREADABLE', `cannot read the folder ${path}: ${messageOf(error)}`, {
      hint: 'Is it there, and may it be read?',
      cause: error,
    });
  }
  throw new FlecheError('INPUT_UNREADABLE', `${path} is not a folder`, { hint: 'Use file() for a file.' });
}

function rootOf({ root = '' }: SourceOptions): AbsPath {
  return resolve(root) as AbsPath;
}

function listing(patterns: readonly string[], root: AbsPath): Tree {
  return new Workspace(root, new MemoryStateStore()).inputs(patterns, hidesNothing).tree;
}

function hidesNothing(_path: RelPath): boolean {
  return false;
}
