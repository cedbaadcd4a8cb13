/** Throw-away projects with code in them. */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type AbsPath, normalRel, type RelPath, toAbs } from '../../core/base/paths.ts';

/** Text of a file, where a link leads, or null for nothing. */
export type Files = Readonly<Record<string, string | { readonly link: string } | null>>;

export interface Project {
  readonly root: AbsPath;
  put(files: Files): void;
}

/** Runs `work` in a new project and removes it. */
export async function inProject<T>(files: Files, work: (project: Project) => Promise<T>): Promise<T> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'fleche-')));
  const root = toAbs(base, 'project');
  const put = (changes: Files): void => {
    for (const [path, content] of Object.entries(changes)) place(join(root, path), content);
  };
  mkdirSync(root);
  try {
    put(files);
    return await work({ root, put });
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

function place(path: string, content: Files[string] | undefined): void {
  mkdirSync(dirname(path), { recursive: true });
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (content === null || content === undefined) rmSync(path, { recursive: true, force: true });
  else if (typeof content === 'string') writeFileSync(path, content);
  else {
    if (isLink) unlinkSync(path);
    symlinkSync(content.link, path);
  }
}

export function rel(path: string): RelPath {
  return normalRel(path);
}

/** An installed package: its manifest and a main file. */
export function installed(name: string, version: string, fields: object = {}, main = 'module.exports = {};'): Files {
  return {
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, version, ...fields }),
    [`node_modules/${name}/index.js`]: main,
  };
}
