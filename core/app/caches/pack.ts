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
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  writeFileSync(join(making, MARK), `${VERSION}\n`);
  // What git does not see counts neither as an input nor as a change.
  writeFileSync(join(making, '.gitignore'), '*\n');
  try {
    const report = await transfer(from, packAt(making), { filter });
    rmSync(folder, { recursive: true, force: true });
    renameSync(making, folder);
    return report;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
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
