/** Folders with modules for the tests of plugins, below the project so that packages are found, and builds of them. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const PACKAGES = resolve(import.meta.dirname, '../../node_modules');

export interface Site {
  readonly root: string;
  write(files: Readonly<Record<string, string>>): void;
  remove(path: string): void;
  /** The files below a folder with their contents, by path. */
  read(folder: string): Readonly<Record<string, string>>;
  end(): void;
}

/** A temporary folder that sees the packages of this project. */
export function site(files: Readonly<Record<string, string>>): Site {
  const root = mkdtempSync(join(tmpdir(), 'fleche-plugins-'));
  symlinkSync(PACKAGES, join(root, 'node_modules'), 'dir');
  const write = (more: Readonly<Record<string, string>>): void => {
    for (const [path, text] of Object.entries(more)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };
  write(files);
  return {
    root,
    write,
    remove: (path) => rmSync(join(root, path)),
    read: (folder) =>
      Object.fromEntries(
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8', withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .sort()
          .map((path) => [path.slice(root.length + 1), readFileSync(path, 'utf8')]),
      ),
    end: () => rmSync(root, { recursive: true, force: true }),
  };
}
