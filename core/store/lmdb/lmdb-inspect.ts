/**
 * What can be told about a cache folder without changing it: the facts behind `fleche doctor`. Reads every page of the
 * environment and every record, but not the content of blobs, which is verified whenever one is used.
 */
import { accessSync, constants, existsSync, lstatSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { byCodeUnit } from '../../base/order.ts';
import { namesIn } from '../folder/names-in.ts';
import { blobNamed, dataFile, isScratch, type Layout, layoutOf } from '../layout.ts';
import { decodeRecord } from '../record.ts';
import { LmdbEnv } from './lmdb-env.ts';
import { damageOf } from './lmdb-guard.ts';
import { keyDigest } from './lmdb-table.ts';

/** Facts about a cache folder. Sizes are in bytes; paths are relative to the root, with `/`, sorted. */
export interface LmdbReport {
  readonly root: string;
  /** Whether there is a cache at all. */
  readonly exists: boolean;
  /** Why no cache can be kept there: what stands in the way of its folders, one sentence each. */
  readonly obstacles: readonly string[];
  /** What is wrong with the environment, or null. If something is, it is not opened, and the counts of it are 0. */
  readonly damage: string | null;
  /** What else went wrong while looking, one sentence each. */
  readonly troubles: readonly string[];
  readonly bytes: { readonly database: number; readonly blobs: number; readonly tmp: number; readonly trash: number };
  /** Entries of the database; `inline` are the blobs in it, `files` those beside it. */
  readonly counts: EntryCounts & { readonly files: number };
  /** Files in the making that nobody has touched for an hour. */
  readonly orphans: readonly string[];
  /** What stands among the blobs and is none. */
  readonly strangers: readonly string[];
  /** Keys, in hexadecimal, of records that do not decode: damaged, or of another build. */
  readonly undecodable: readonly string[];
}

interface EntryCounts {
  readonly inline: number;
  readonly aliases: number;
  readonly records: number;
  readonly states: number;
}

interface FoundFile {
  readonly path: string;
  readonly size: number;
  /** ms since the epoch. */
  readonly changed: number;
}

type Inside = Pick<LmdbReport, 'damage' | 'troubles' | 'undecodable'> & { readonly counts: EntryCounts };

/** Of an environment that is not looked into. */
const NOTHING: Inside = {
  damage: null,
  troubles: [],
  undecodable: [],
  counts: { inline: 0, aliases: 0, records: 0, states: 0 },
};

/** Older than this, in ms, a file in the making has been left behind. */
const ORPHAN_AGE = 3_600_000;

/** Looks over the cache in `root` (absolute). Throws `STORE_UNUSABLE` if its environment may not be read. */
export function inspectLmdb(root: string, now: number = Date.now()): LmdbReport {
  const layout = layoutOf(root);
  const obstacles = obstaclesTo(layout);
  const database = obstacles.length > 0 ? NOTHING : lookInside(layout, now);
  const among = filesBelow(layout.cas);
  const blobs = among.filter((file) => isBlob(layout, file.path));
  const tmp = filesBelow(layout.tmp);
  const orphans = tmp.filter((file) => isScratch(file.path) && now - file.changed >= ORPHAN_AGE);
  return {
    root,
    exists: existsSync(layout.db),
    obstacles,
    damage: database.damage,
    troubles: database.troubles,
    bytes: {
      database: lstatSync(dataFile(layout), { throwIfNoEntry: false })?.size ?? 0,
      blobs: total(blobs),
      tmp: total(tmp),
      trash: total(filesBelow(layout.trash)),
    },
    counts: { ...database.counts, files: blobs.length },
    orphans: orphans.map((file) => `tmp/${file.path}`).sort(byCodeUnit),
    strangers: among
      .filter((file) => !isBlob(layout, file.path))
      .map((file) => `cas/${file.path}`)
      .sort(byCodeUnit),
    undecodable: database.undecodable,
  };
}

function lookInside(layout: Layout, now: number): Inside {
  const damage = damageOf(layout, true);
  const troubles: string[] = [];
  const undecodable: string[] = [];
  if (damage !== undefined) {
    return { ...NOTHING, damage };
  }
  const onTrouble = (message: string): void => void troubles.push(message);
  const env = new LmdbEnv(layout, { onTrouble, now: () => now, readOnly: true });
  const calls = env.table('calls');
  for (const key of calls.keys()) {
    const bytes = calls.get(key);
    const record = bytes === undefined ? undefined : decodeRecord(bytes);
    if (record === undefined || record.key !== keyDigest(key)) undecodable.push(Buffer.from(key).toString('hex'));
  }
  const counts = {
    inline: env.table('values').count(),
    aliases: env.table('aliases').count(),
    records: calls.count(),
    states: env.table('state').count(),
  };
  // Nothing waits, so that there is nothing to wait for.
  void env.close();
  return { damage: null, troubles, undecodable, counts };
}

/** A cache makes its folders where they are missing, and nothing else in their place. */
function obstaclesTo({ root, db, cas, tmp, logs, trash }: Layout): readonly string[] {
  const isBlocked = (path: string): boolean => existsSync(path) && !statSync(path).isDirectory();
  const blocked = isBlocked(root) ? [root] : [db, cas, tmp, logs, trash].filter(isBlocked);
  if (blocked.length > 0) return blocked.map((path) => `${path} is not a folder`);
  let place = root;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  try {
    accessSync(place, constants.W_OK);
    return [];
  } catch (error) {
    return [`${place} cannot be written: ${messageOf(error)}`];
  }
}

function isBlob(layout: Layout, path: string): boolean {
  const [folder, name, ...deeper] = path.split('/');
  return (
    folder !== undefined && name !== undefined && deeper.length === 0 && blobNamed(layout, folder, name) !== undefined
  );
}

function total(files: readonly FoundFile[]): number {
  return files.reduce((sum, file) => sum + file.size, 0);
}

/** Everything below a folder that is not a folder, paths relative to it with `/`. */
function filesBelow(folder: string, prefix = ''): FoundFile[] {
  const found: FoundFile[] = [];
  for (const name of namesIn(join(folder, prefix))) {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    const stat = lstatSync(join(folder, path), { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (stat.isDirectory()) found.push(...filesBelow(folder, path));
    else found.push({ path, size: stat.size, changed: stat.mtimeMs });
  }
  return found;
}
