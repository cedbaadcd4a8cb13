/**
 * What must hold before LMDB may open an environment. A damaged data file, a full disk, or a file that may not be read
 * end the process in native code, where no try helps, so all of that is found out here first. A damaged environment is
 * set aside and a fresh one takes its place: a lost cache costs runs, never answers.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename } from 'node:path';
import { FlecheError, messageOf, systemCode } from '../../base/errors.ts';
import { dataFile, distrustFile, type Layout, lockFile, trashFolder } from '../layout.ts';
import { pause } from '../pause.ts';
import { checkPages, Damage, metaBytes } from './lmdb-pages.ts';

/** Below this LMDB is not opened, bytes: its lock file is sparse, and filling a hole on a full disk is fatal. */
const LEAST_SPACE = 16 * 1024 * 1024;
/** How often a verdict is sought on a file that others are writing, and the wait between tries, ms. */
const TRIES = 40;
const WAIT = 5;

/** Throws `STORE_UNUSABLE` if the environment's folder cannot be used as it is: no permission, no space, no folder. */
export function requireUsable(layout: Layout, readOnly: boolean): void {
  try {
    requireAccess(layout, readOnly ? constants.R_OK : constants.R_OK | constants.W_OK);
    // A reader too makes the lock file where it is missing and can be made.
    if (readOnly && (existsSync(lockFile(layout)) || !isWritable(layout))) return;
    const { bavail, bsize } = statfsSync(layout.db);
    if (bavail * bsize >= LEAST_SPACE) return;
  } catch (error) {
    throw unusable(layout, messageOf(error), error);
  }
  throw unusable(layout, 'the disk is almost full');
}

function requireAccess(layout: Layout, wanted: number): void {
  accessSync(layout.db, wanted | constants.X_OK);
  for (const file of [dataFile(layout), lockFile(layout)]) if (existsSync(file)) accessSync(file, wanted);
}

/** Whether everything of an environment may be written. */
export function isWritable(layout: Layout): boolean {
  try {
    requireAccess(layout, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

export function unusable(layout: Layout, why: string, cause?: unknown): FlecheError {
  return new FlecheError('STORE_UNUSABLE', `the cache in ${layout.root} cannot be used: ${why}`, {
    hint: 'Free some space or give yourself access to it, or name another folder for the cache.',
    cause,
  });
}

/**
 * Why the environment must not be opened, or undefined if it is sound or not there. `everything` looks at each page, not
 * at the roots alone. Throws `STORE_UNUSABLE` if the data file cannot be read.
 */
export function damageOf(layout: Layout, everything = false): string | undefined {
  if (existsSync(distrustFile(layout))) return 'it contradicted itself before';
  // LMDB would wait for a pipe, write through a link, and end the process at a folder.
  for (const file of [dataFile(layout), lockFile(layout)]) {
    if (lstatSync(file, { throwIfNoEntry: false })?.isFile() === false) return `${basename(file)} is no file`;
  }
  try {
    const fd = openSync(dataFile(layout), 'r');
    try {
      return verdict(fd, everything);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw unusable(layout, messageOf(error), error);
  }
}

/** A writer at work makes a sound file look damaged, so a bad verdict counts only if the file kept still meanwhile. */
function verdict(fd: number, everything: boolean): string | undefined {
  for (let tries = 0; tries < TRIES; tries++) {
    const before = stateOf(fd);
    if (before === 'empty') return undefined;
    try {
      checkPages(fd, everything);
      return undefined;
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      pause(WAIT);
      if (stateOf(fd) === before) return error.message;
    }
  }
  // Somebody has been committing all along: whoever does that has it open, and it works.
  return undefined;
}

/** Changes with every commit, and with every growth of a file that is being made. */
function stateOf(fd: number): string {
  const { size } = fstatSync(fd);
  if (size === 0) return 'empty';
  try {
    return `${size} ${metaBytes(fd).toString('latin1')}`;
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    return `${size} without metas`;
  }
}

/**
 * Moves a damaged environment to the trash and leaves an empty folder in its place. Returns where it went, or undefined
 * if another process was faster. `everything` as in the verdict. Throws `STORE_UNUSABLE` if it cannot be moved.
 */
export function setAside(layout: Layout, time: number, everything: boolean): string | undefined {
  const target = trashFolder(layout, time);
  try {
    mkdirSync(layout.trash, { recursive: true });
    // Between the verdict and here another process may have put a sound one in its place.
    if (damageOf(layout, everything) === undefined) return undefined;
    renameSync(layout.db, target);
    mkdirSync(layout.db, { recursive: true });
    return target;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw unusable(layout, `it is damaged and cannot be set aside: ${messageOf(error)}`, error);
  }
}

/** Leaves word for the next process that this environment is not to be opened again. */
export function distrust(layout: Layout, why: string): void {
  try {
    writeFileSync(distrustFile(layout), `${why}\n`);
  } catch {
    // It will be found out again.
  }
}

/** Tells whether the data file is still the one it was: device and inode, or undefined if there is none. */
export function identityOf(layout: Layout): string | undefined {
  try {
    const stat = statSync(dataFile(layout), { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? undefined : `${stat.dev} ${stat.ino}`;
  } catch {
    return undefined;
  }
}
