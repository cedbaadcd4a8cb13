/**
 * A workspace on disk beside a model of what stands there that no task wrote. Edits are made to both. Knows nothing of
 * tasks.
 */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { SourceEdit } from './_edits.ts';
import { plainFile, type Thing, type Things } from './_things.ts';

export class Checkout {
  readonly root: string;
  /** Sources, hand-made files, and what is left over. */
  readonly things: Map<string, Thing> = new Map();

  constructor(root: string) {
    this.root = root;
  }

  place(path: string): string {
    return join(this.root, path);
  }

  write(path: string, text: string): void {
    const place = this.place(path);
    const before = this.things.get(path);
    if (before?.kind === 'link') rmSync(place);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text);
    this.things.set(path, plainFile(text, before?.kind === 'file' && before.executable));
  }

  remove(path: string): void {
    if (!this.things.delete(path)) return;
    rmSync(this.place(path));
  }

  /** Removes a folder with all that is in it. */
  removeAll(folder: string): void {
    for (const path of this.things.keys()) if (path.startsWith(`${folder}/`)) this.things.delete(path);
    rmSync(this.place(folder), { recursive: true, force: true });
  }

  edit(edit: SourceEdit): void {
    const place = this.place(edit.file);
    const thing = this.things.get(edit.file);
    switch (edit.kind) {
      case 'write':
        return this.write(edit.file, edit.text);
      case 'sneak': {
        const times = lstatSync(place, { throwIfNoEntry: false });
        this.write(edit.file, edit.text);
        if (times !== undefined) utimesSync(place, times.atime, times.mtime);
        return;
      }
      case 'delete':
        return this.remove(edit.file);
      case 'touch':
        if (thing?.kind === 'file') utimesSync(place, new Date(), new Date());
        return;
      case 'chmod':
        if (thing?.kind !== 'file') return;
        chmodSync(place, thing.executable ? 0o644 : 0o755);
        this.things.set(edit.file, { ...thing, executable: !thing.executable });
        return;
      case 'rename': {
        if (thing?.kind !== 'file' || edit.file === edit.other) return;
        const there = this.place(edit.other);
        mkdirSync(dirname(there), { recursive: true });
        renameSync(place, there);
        this.things.delete(edit.file);
        this.things.set(edit.other, thing);
        return;
      }
      case 'link': {
        if (dirname(edit.file) !== dirname(edit.other) || edit.file === edit.other) return;
        this.remove(edit.file);
        mkdirSync(dirname(place), { recursive: true });
        const target = edit.other.slice(edit.other.lastIndexOf('/') + 1);
        symlinkSync(target, place);
        this.things.set(edit.file, { kind: 'link', target });
        return;
      }
    }
  }

  isFile(path: string): boolean {
    try {
      return lstatSync(this.place(path)).isFile();
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  /** Changes something that may go while it is done. */
  meddle(path: string, change: (place: string) => void): void {
    try {
      change(this.place(path));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  /** Everything that stands there, but for the cache, the configuration, and what tasks tell of themselves. */
  snapshot(): Things {
    const found = new Map<string, Thing>();
    for (const entry of readdirSync(this.root, { recursive: true, withFileTypes: true })) {
      const place = join(entry.parentPath ?? entry.path, entry.name);
      const path = place.slice(this.root.length + 1);
      if (/^(?:\.fleche|told)\//.test(path) || path === 'fleche.config.toml' || entry.isDirectory()) continue;
      if (entry.isSymbolicLink()) found.set(path, { kind: 'link', target: readlinkSync(place) });
      else found.set(path, plainFile(readFileSync(place, 'utf8'), (lstatSync(place).mode & 0o100) !== 0));
    }
    return found;
  }

  /** Whether a file was moved aside that had this text. */
  isInTrash(path: string, text: string): boolean {
    const trash = this.place('.fleche/trash');
    if (lstatSync(trash, { throwIfNoEntry: false }) === undefined) return false;
    return readdirSync(trash).some((folder) => {
      const place = join(trash, folder, path);
      return lstatSync(place, { throwIfNoEntry: false })?.isFile() === true && readFileSync(place, 'utf8') === text;
    });
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
