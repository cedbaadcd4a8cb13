/** Throw-away folders for tests of the workspace. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { AbsPath } from '../../core/base/paths.ts';
import { inNewFolder } from '../_new-folder.ts';

/** What to put at a path: a file by its content, an executable, a link, or a folder. */
export type Thing = string | { readonly script: string } | { readonly link: string } | { readonly dir: true };

/** Runs `work` in a new folder and removes it. `outside` is another one beside it. */
export function inFolder(work: (root: AbsPath, outside: AbsPath) => void): void {
  inNewFolder((base) => {
    const root = join(base, 'root') as AbsPath;
    const outside = join(base, 'outside') as AbsPath;
    mkdirSync(root);
    mkdirSync(outside);
    work(root, outside);
  });
}

/** Whether a file can be read although nobody may: whoever may do everything can, and is told that a test ends here. */
export function canRead(place: string): boolean {
  try {
    readFileSync(place);
    process.stderr.write(`NOT RUN to its end: this user can read ${place}, whatever its mode is\n`);
    return true;
  } catch {
    return false;
  }
}

/** Puts things at paths. A file is written in place; what is of another kind must be removed before. */
export function put(root: string, things: Readonly<Record<string, Thing>>): void {
  for (const [path, thing] of Object.entries(things)) {
    const place = join(root, path);
    mkdirSync(dirname(place), { recursive: true });
    if (typeof thing === 'string') writeFileSync(place, thing);
    else if ('link' in thing) symlinkSync(thing.link, place);
    else if ('dir' in thing) mkdirSync(place, { recursive: true });
    else {
      writeFileSync(place, thing.script);
      chmodSync(place, 0o755);
    }
  }
}

/** Puts things and gives the files a time long past, so that writing one again is sure to change it. */
export function putOld(root: string, things: Readonly<Record<string, Thing>>): void {
  put(root, things);
  for (const [path, thing] of Object.entries(things)) {
    if (typeof thing === 'string' || 'script' in thing) utimesSync(join(root, path), 1e9, 1e9);
  }
}

export function remove(root: string, ...paths: readonly string[]): void {
  for (const path of paths) rmSync(join(root, path), { recursive: true });
}

/** What is below a folder, links not followed, folders only if they are empty. */
export function contents(root: string, folder = ''): Record<string, Thing> {
  const all: Record<string, Thing> = {};
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    const place = join(root, path);
    if (entry.isSymbolicLink()) all[path] = { link: readlinkSync(place) };
    else if (entry.isFile()) {
      const text = readFileSync(place, 'utf8');
      all[path] = (lstatSync(place).mode & 0o100) === 0 ? text : { script: text };
    } else if (readdirSync(place).length === 0) all[path] = { dir: true };
    else Object.assign(all, contents(root, path));
  }
  return all;
}

/** A clock by which everything that was just written is old. */
export const later = (): number => Date.now() + 60_000;
