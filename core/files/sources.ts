/** Files as arguments of memoised functions: by content, so that the same content is the same call wherever it lies. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FlecheError, messageOf } from '../base/errors.ts';
import { type AbsPath, normalRel, type RelPath } from '../base/paths.ts';
import { MemoryStateStore } from '../store/memory.ts';
import { FileRef, TreeRef } from './refs.ts';
import type { Tree } from './tree.ts';
import { Workspace } from './workspace.ts';

export interface SourceOptions {
  /** The folder that paths and patterns are relative to; the current one by default. */
  readonly root?: string;
}

/** One file as it is now. Throws `INPUT_UNREADABLE` if there is none. */
export function file(path: string, options: SourceOptions = {}): FileRef {
  const root = rootOf(options);
  const entry = listing([normalRel(path)], root).entries[0];
  if (entry !== undefined && entry.kind !== 'absent') return FileRef.of(root, entry);
  throw new FlecheError('INPUT_UNREADABLE', `there is no file ${path}`, { hint: `Looked for in ${root}.` });
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
    throw new FlecheError('INPUT_UNREADABLE', `cannot read the folder ${path}: ${messageOf(error)}`, { cause: error });
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
