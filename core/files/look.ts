/** Looking at one path of the workspace. Nothing there is an answer, not an error. */
import { lstatSync, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FlecheError, messageOf, systemCode } from '../base/errors.ts';
import type { AbsPath, RelPath } from '../base/paths.ts';

/** The place of a relative path; steps up are taken in the text, not through links. */
export function placeOf(root: AbsPath, path: RelPath): AbsPath {
  if (path === '.') return root;
  return (path.startsWith('..') ? resolve(root, path) : `${root}/${path}`) as AbsPath;
}

/** What stands at a place itself, a link included, or undefined for nothing. */
export function lookAt(place: AbsPath): Stats | undefined {
  try {
    return lstatSync(place, { throwIfNoEntry: false });
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** What a place leads to when links are followed, or undefined if nowhere. */
export function lookThrough(place: AbsPath): Stats | undefined {
  try {
    return statSync(place, { throwIfNoEntry: false });
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG']);

/** Whether a system error says that what was looked for is not there, or no longer what it was, or can be nowhere. */
export function isGone(error: unknown): boolean {
  const code = systemCode(error);
  return code !== undefined && GONE.has(code);
}

/** `INPUT_UNREADABLE` for a path that is there and cannot be read. */
export function unreadable(path: string, cause: unknown): FlecheError {
  const hint =
    systemCode(cause) === 'EACCES'
      ? 'Check its permissions, or take it out with a pattern that begins with "!".'
      : undefined;
  return new FlecheError('INPUT_UNREADABLE', `cannot read ${path}: ${messageOf(cause)}`, { hint, cause });
}

/** Whether what a path leads to is a file without other names: to make or remove a name stamps a file as a change does. */
export function isAlone(place: AbsPath): boolean {
  return lookThrough(place)?.nlink === 1;
}
