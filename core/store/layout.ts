/**
 * Where things are inside a cache folder (normally `.fleche`). The only file that knows these names; knows nothing of
 * what is in the files.
 *
 *     CACHEDIR.TAG  .gitignore      backups and git leave the folder alone
 *     db-1/                         the LMDB environment; the number is the format version of everything in it
 *     db-1/user-123-…               a mark that process 123 has it open
 *     db-1.turn                     somebody is opening or closing it
 *     cas/a/ab12…                   large blobs, read-only, named by their SHA-256
 *     tmp/                          files in the making; whatever is left here after an hour is an orphan
 *     logs/                         captured output of tasks that are running
 *     leases-1/<start>/             leases, in an environment for each start of the machine
 *     runs.jsonl                    how runs went, for statistics
 *     notes/                        what runs looked at that had nothing to do
 *     trash/                        what was set aside instead of being deleted, such as a damaged environment
 */
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { systemCode } from '../base/errors.ts';
import { type Digest, isDigest } from '../base/hash.ts';

/** The folder of a project's own cache, and of what a workspace keeps of itself. */
export const CACHE_FOLDER = '.fleche';

/** Absolute paths of the folders of one cache. */
export interface Layout {
  readonly root: string;
  /** Folder of the LMDB environment. */
  readonly db: string;
  readonly cas: string;
  /** How many characters of its digest name the folder in `cas` that a file is in. */
  readonly prefix: number;
  readonly tmp: string;
  readonly logs: string;
  readonly trash: string;
}

/** Format version of the LMDB environment: names, keys and values of its databases. Another version, another folder. */
const DB_FORMAT = 1;

export function layoutOf(root: string): Layout {
  return {
    root,
    db: join(root, `db-${DB_FORMAT}`),
    cas: join(root, 'cas'),
    // To make a folder takes longer than to write a blob, and a new cache would begin with that.
    prefix: 1,
    tmp: join(root, 'tmp'),
    logs: join(root, 'logs'),
    trash: join(root, 'trash'),
  };
}

const CACHEDIR_TAG = `Signature: 8a477f597d28d172789f06886806bc55
# This folder is a cache of fleche. Everything in it can be made again; delete it whenever you like.
`;

/**
 * Makes the folders and marks the root as a cache. What stands in the place of one and is no folder is moved aside: gives
 * where to. Cheap when all are there; throws system errors.
 */
export function prepareLayout(layout: Layout): readonly string[] {
  const folders = [layout.cas, layout.tmp, layout.logs, layout.db];
  const aside = [...folders, layout.trash].flatMap(cleared);
  if (aside.length === 0 && existsSync(layout.db)) return aside;
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  writeIfAbsent(join(layout.root, 'CACHEDIR.TAG'), CACHEDIR_TAG);
  writeIfAbsent(join(layout.root, '.gitignore'), '*\n');
  return aside;
}

/** Moves aside what stands in the place of a folder; a link to a folder is one. */
function cleared(folder: string): readonly string[] {
  const isThere = lstatSync(folder, { throwIfNoEntry: false }) !== undefined;
  if (!isThere || statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return [];
  const aside = `${folder}.aside-${randomBytes(3).toString('hex')}`;
  renameSync(folder, aside);
  return [aside];
}

function writeIfAbsent(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx' });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

export function dataFile(layout: Layout): string {
  return join(layout.db, 'data.mdb');
}

/** The environment's lock file. Never to be opened: closing it again would drop the locks that this process has. */
export function lockFile(layout: Layout): string {
  return join(layout.db, 'lock.mdb');
}

/** Where it is noted how runs went. */
export function runsFile(layout: Layout): string {
  return join(layout.root, 'runs.jsonl');
}

/** A note of this name. */
export function noteFile(layout: Layout, name: string): string {
  return join(layout.root, 'notes', name);
}

/** Whether a name in the root is that of an environment of another, older format. */
export function isOldDatabase(name: string): boolean {
  const format = /^db-(\d+)$/.exec(name)?.[1];
  return format !== undefined && Number(format) < DB_FORMAT;
}

/** A note that the environment gave wrong answers, so that the next process does not trust it. */
export function distrustFile(layout: Layout): string {
  return join(layout.db, 'distrusted');
}

const LEASES_FORMAT = 1;

/** Holds one folder for each start of the machine. */
export function leasesFolder(layout: Layout): string {
  return join(layout.root, `leases-${LEASES_FORMAT}`);
}

const MARK = /^user-(\d+)-[0-9a-f]+$/;

/** A new mark that a process has the environment open. */
export function markFile(layout: Layout, pid: number): string {
  return join(layout.db, `user-${pid}-${randomBytes(4).toString('hex')}`);
}

/** There while somebody opens or closes an environment. Not in its folder, which may be moved meanwhile. */
export function turnFile(layout: Layout): string {
  return `${layout.db}${TURN}`;
}

const TURN = '.turn';

/** Whether a name beside the folder of an environment is that of its turn, or of one that was taken away. */
export function isTurnOf(name: string, environment: string): boolean {
  return name.startsWith(`${environment}${TURN}`);
}

/** The process whose mark a file in the environment's folder is, if it is one. */
export function ownerOfMark(name: string): number | undefined {
  const pid = MARK.exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** Where a large blob is kept. */
export function blobFile({ cas, prefix }: Layout, digest: Digest): string {
  return `${cas}${sep}${digest.slice(0, prefix)}${sep}${digest}`;
}

/** The digest of a file's name, if it stands where `blobFile` would put it. */
export function blobNamed({ prefix }: Layout, folder: string, name: string): Digest | undefined {
  return isDigest(name) && name.startsWith(folder) && folder.length === prefix ? name : undefined;
}

let made = 0;

/** A path for a file in the making that no other process and no other call has. */
export function scratchFile({ tmp }: Pick<Layout, 'tmp'>): string {
  return join(tmp, `${process.pid}-${made++}-${randomBytes(6).toString('hex')}`);
}

/** Where a damaged environment goes; `time` in ms since the epoch. */
export function trashFolder(layout: Layout, time: number): string {
  return join(layout.trash, `db-${DB_FORMAT}-${time}-${randomBytes(3).toString('hex')}`);
}

/** Whether a name in the folder for files in the making is one of `scratchFile`: what else is there is meant to stay. */
export function isScratch(name: string): boolean {
  return /^\d+-\d+-[0-9a-f]{12}$/.test(name);
}

/** Runs `action`, which needs the folder of `path`; makes that folder if it turns out to be missing. */
export function inFolderOf<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    mkdirSync(dirname(path), { recursive: true });
    return action();
  }
}
