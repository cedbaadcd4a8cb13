/**
 * Packs: answers in a plain folder that a CI service can keep from one job to the next, or that is carried elsewhere. A
 * database at work must never be copied; a pack is written from it, and verified when it is read. What a pack says is
 * believed as far as its bytes have the digests they are filed under: whoever can write a pack can answer for tasks, so
 * take them only from jobs that are trusted as much as this one.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FlecheError } from '../../base/errors.ts';
import { Cache } from '../../call/caches/cache.ts';
import { type TransferReport, transfer } from '../../call/caches/transfer.ts';
import { FolderCallStore } from '../../store/folder/folder-calls.ts';
import { FolderValueStore } from '../../store/folder/folder-values.ts';
import type { CallRecord } from '../../store/record.ts';
import { isSystemError } from '../cli/exit-code.ts';

const MARK = 'fleche-pack';
const VERSION = '1';

/** Writes those records that `filter` takes, with all they name, in place of what was packed there before. */
export async function pack(
  from: Cache,
  folder: string,
  filter: (record: CallRecord) => boolean,
): Promise<TransferReport> {
  if (existsSync(folder) && versionOf(folder) === undefined) {
    throw new FlecheError('USAGE', `"${folder}" is there and is no pack`, { hint: 'Name a folder that is not there.' });
  }
  const making = `${folder}.new`;
  const before = 'before';
  try {
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { recursive: true });
    writeFileSync(join(making, MARK), `${VERSION}\n`);
    // What git does not see counts neither as an input nor as a change.
    writeFileSync(join(making, '.gitignore'), '*\n');
    const report = await transfer(from, packAt(making), { filter });
    // Moved away as a whole: what cannot be moved, such as the root of a file system, stays as it is.
    if (existsSync(folder)) renameSync(folder, join(making, before));
    renameSync(making, folder);
    rmSync(join(folder, before), { recursive: true, force: true });
    return report;
  } catch (error) {
    throw isSystemError(error) ? unwritable(folder, error) : error;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

function unwritable(folder: string, cause: Error): FlecheError {
  return new FlecheError('STORE_UNUSABLE', `the pack "${folder}" cannot be written: ${cause.message}`, {
    hint: 'Look at the rights and the free space there. A pack that was there stays.',
    cause,
  });
}

/**
 * Takes over the records of a pack that are not on file, with all they name. Undefined if there is no pack of a form that
 * this version knows, which is how the first job begins.
 */
export async function unpack(folder: string, to: Cache): Promise<TransferReport | undefined> {
  return versionOf(folder) === VERSION ? transfer(packAt(folder), to) : undefined;
}

/** The version of the pack in this folder, or undefined if there is none. */
function versionOf(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, MARK), 'utf8').trim();
  } catch {
    return undefined;
  }
}

function packAt(folder: string): Cache {
  const values = new FolderValueStore({ root: join(folder, 'values') });
  return new Cache(values, new FolderCallStore({ root: join(folder, 'calls') }));
}
