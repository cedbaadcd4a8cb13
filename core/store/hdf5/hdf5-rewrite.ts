/**
 * Replaces an HDF5 file of values: it is never written to where it stands, a change is made to a copy beside it, which is
 * looked through, made durable and renamed. Knows nothing of locks, nor of what waits to be written.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, copyFileSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import type { Digest } from '../../base/hash.ts';
import { sync } from '../folder/unsynced.ts';
import { pause } from '../pause.ts';
import { verified } from '../values.ts';
import type { Changes } from './hdf5-changes.ts';
import { FORMAT, FORMAT_NAME, Hdf5File, NAMES, TOUCHED, VALUES } from './hdf5-file.ts';
import type { Entity, Group, Hdf5, OpenFile } from './hdf5-library.ts';

/**
 * Replaces the file at `path`, or makes it; only for who holds its lock. What is there and is not such a file is set aside,
 * beside it. Throws when the disk is full, read-only or gone, or a value too large; then the file is as it was.
 */
export function changeFile(library: Hdf5, path: string, changes: Changes): void {
  removeDrafts(path);
  const draft = `${path}${DRAFT}${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    const old = openIfSound(library, path);
    if (old === undefined) {
      startAnew(library, draft, changes);
      setAside(path);
    } else {
      try {
        if (!append(library, path, old, draft, changes)) rebuild(library, old, draft, changes);
      } finally {
        old.close();
      }
    }
    sync(draft, 'r+');
    renamePatiently(draft, path);
    if (process.platform !== 'win32') sync(dirname(path), 'r');
  } finally {
    rmSync(draft, { force: true });
  }
}

const DRAFT = '.draft-';

/** Those of writers that were killed: whoever holds the lock is alone. */
function removeDrafts(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(basename(path) + DRAFT)) rmSync(join(dirname(path), name), { force: true });
  }
}

/** Undefined if there is none or it is damaged. Throws if the system does not give it out: then nobody knows. */
function openIfSound(library: Hdf5, path: string): Hdf5File | undefined {
  try {
    closeSync(openSync(path, 'r'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return new Hdf5File(library, path);
  } catch {
    return undefined;
  }
}

/**
 * Copies the file whole and adds to the copy. False if that cannot be done: HDF5 as compiled for WebAssembly cannot remove
 * or replace anything, and what is damaged inside may take nothing.
 */
function append(library: Hdf5, path: string, old: Hdf5File, draft: string, changes: Changes): boolean {
  const { put, touched, deleted, names } = changes;
  const goes = [...deleted].some((digest) => old.values.has(digest));
  const turns = [...names].some(([name, blob]) => old.names.has(name) && old.target(name) !== blob);
  if (goes || turns) return false;
  copyFileSync(path, draft, constants.COPYFILE_FICLONE);
  try {
    write(library, draft, 'a', (file) => {
      for (const [digest, time] of touched) if (old.values.has(digest)) file.touch(digest, time);
      for (const [digest, bytes] of put) if (!old.values.has(digest)) file.put(digest, bytes, touched.get(digest) ?? 0);
      for (const [name, blob] of names) if (blob !== undefined && !old.names.has(name)) file.name(name, blob);
    });
    return holds(library, draft, [...old.values, ...put.keys()]);
  } catch {
    return false;
  }
}

/** Makes a new file of what is to be kept of the old one and can be read. */
function rebuild(library: Hdf5, old: Hdf5File, draft: string, { put, touched, deleted, names }: Changes): void {
  rmSync(draft, { force: true });
  const kept: Digest[] = [];
  write(library, draft, 'w', (file) => {
    for (const digest of old.values) {
      const bytes = deleted.has(digest) || put.has(digest) ? undefined : verified(digest, old.read(digest));
      if (bytes === undefined) continue;
      file.put(digest, bytes, touched.get(digest) ?? old.touched(digest));
      kept.push(digest);
    }
    for (const [digest, bytes] of put) file.put(digest, bytes, touched.get(digest) ?? 0);
    for (const name of old.names) {
      const blob = names.has(name) ? undefined : old.target(name);
      if (blob !== undefined) file.name(name, blob);
    }
    for (const [name, blob] of names) if (blob !== undefined) file.name(name, blob);
  });
  requireWhole(library, draft, [...kept, ...put.keys()]);
}

function startAnew(library: Hdf5, draft: string, { put, touched, names }: Changes): void {
  write(library, draft, 'w', (file) => {
    for (const [digest, bytes] of put) file.put(digest, bytes, touched.get(digest) ?? 0);
    for (const [name, blob] of names) if (blob !== undefined) file.name(name, blob);
  });
  requireWhole(library, draft, [...put.keys()]);
}

function write(library: Hdf5, path: string, mode: 'a' | 'w', work: (file: Writer) => void): void {
  const file = new Writer(library, path, mode);
  try {
    work(file);
  } finally {
    file.close();
  }
}

function requireWhole(library: Hdf5, path: string, digests: readonly Digest[]): void {
  if (!holds(library, path, digests)) throw new Error('what was written cannot be read');
}

/** Whether a file that was just written is whole: a disk that filled up, or damage that was copied, shows here. */
function holds(library: Hdf5, path: string, digests: readonly Digest[]): boolean {
  const file = new Hdf5File(library, path);
  file.close();
  return digests.every((digest) => file.values.has(digest));
}

function setAside(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined) renameSync(path, `${path}.damaged-${Math.trunc(stat.mtimeMs)}`);
}

/** A file in the making. */
class Writer {
  readonly #library: Hdf5;
  readonly #file: OpenFile;
  readonly #values: Group;
  readonly #names: Group;

  constructor(library: Hdf5, path: string, mode: 'a' | 'w') {
    this.#library = library;
    this.#file = new library.File(path, mode);
    if (mode === 'w') {
      this.#file.create_attribute(FORMAT_NAME, FORMAT, null, '<i');
      this.#file.create_group(VALUES.slice(1));
      this.#file.create_group(NAMES.slice(1));
    }
    this.#values = new library.Group(this.#file.file_id, VALUES);
    this.#names = new library.Group(this.#file.file_id, NAMES);
  }

  put(digest: Digest, bytes: Uint8Array, touched: number): void {
    this.#values.create_dataset({ name: digest, data: bytes, dtype: '<B' });
    this.#dataset(digest).create_attribute(TOUCHED, touched, null, '<d');
  }

  touch(digest: Digest, touched: number): void {
    const dataset = this.#dataset(digest);
    dataset.delete_attribute(TOUCHED);
    dataset.create_attribute(TOUCHED, touched, null, '<d');
  }

  name(name: Digest, blob: Digest): void {
    this.#names.create_soft_link(`${VALUES}/${blob}`, name);
  }

  #dataset(digest: Digest): Entity {
    return new this.#library.Dataset(this.#file.file_id, `${VALUES}/${digest}`);
  }

  close(): void {
    this.#file.close();
  }
}

/** Windows does not replace a file that another process has open at the moment. */
function renamePatiently(from: string, to: string): void {
  for (let tries = 1; ; tries++) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      if (process.platform !== 'win32' || tries === 50) throw error;
      pause(20);
    }
  }
}
