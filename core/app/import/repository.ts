/** A repository as another tool sees it: manifests and configurations beside them. Only reads. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FlecheError, messageOf, systemCode } from '../../base/errors.ts';
import { parseJsonc } from '../../base/jsonc.ts';
import type { AbsPath, RelPath } from '../../base/paths.ts';
import { type Table, tableOf } from '../../base/table.ts';
import { CONFIG_FILE } from '../config/text/source.ts';
import { packageFolders } from '../packages/find.ts';
import { MANIFEST, type Manifest, NO_MANIFEST, readManifest } from '../packages/manifest.ts';
import { readPnpmWorkspace } from '../packages/pnpm-workspace.ts';

/** A package, or the root. */
export interface Member {
  readonly name: string;
  /** Relative to the project; `.` for the root. */
  readonly folder: RelPath;
  readonly scripts: Readonly<Record<string, string>>;
  /** Everything in its manifest. */
  readonly manifest: Table;
}

const PNPM = 'pnpm-workspace.yaml';

export class Repository {
  readonly folder: AbsPath;
  readonly root: Member;
  /** Without the root. */
  readonly packages: readonly Member[];
  /** What `[workspace] packages` has to be; undefined without packages. */
  readonly workspace: string | undefined;

  constructor(folder: AbsPath) {
    this.folder = folder;
    const manifest = readManifest(join(folder, MANIFEST)) ?? NO_MANIFEST;
    const pnpm = readPnpmWorkspace(join(folder, PNPM) as AbsPath);
    const patterns = pnpm ?? manifest.workspaces;
    const folders = patterns === undefined ? [] : packageFolders(folder, patterns, CONFIG_FILE);
    this.workspace = folders.length === 0 ? undefined : pnpm !== undefined ? PNPM : MANIFEST;
    this.root = this.#member('.' as RelPath, manifest, '//');
    this.packages = folders.map((at) => {
      const name = at.slice(at.lastIndexOf('/') + 1);
      return this.#member(at, readManifest(join(folder, at, MANIFEST)) ?? NO_MANIFEST, name);
    });
  }

  #member(folder: RelPath, { name, scripts }: Manifest, otherwise: string): Member {
    const manifest = this.json(`${folder}/${MANIFEST}`) ?? {};
    return { name: folder === '.' ? otherwise : (name ?? otherwise), folder, scripts, manifest };
  }

  /** Whether every install of this repository runs scripts named `pre…` and `post…` too. */
  get runsPreAndPost(): boolean {
    return !this.has('pnpm-lock.yaml') && !this.has('.yarnrc.yml') && !this.has('bun.lock') && !this.has('bun.lockb');
  }

  /** Names of folders that git ignores wherever they are, as far as that can be told at a glance. */
  get ignored(): ReadonlySet<string> {
    const lines = (this.text('.gitignore') ?? '').split(/\r?\n/).map((line) => line.trim());
    return new Set(lines.map((line) => line.replace(/^(?:\*\*)?\/|\/(?:\*\*?)?$/g, '')));
  }

  has(path: string): boolean {
    return existsSync(join(this.folder, path));
  }

  /** Undefined if there is no such file. */
  text(path: string): string | undefined {
    try {
      return readFileSync(join(this.folder, path), 'utf8');
    } catch (error) {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  /** A file with JSON, comments allowed; undefined if it is not there. Throws `USAGE` if it cannot be read. */
  json(path: string): Table | undefined {
    const text = this.text(path);
    if (text === undefined) return undefined;
    // An empty tsconfig.json is one without options.
    if (text.trim() === '') return {};
    try {
      return tableOf(parseJsonc(text));
    } catch (error) {
      throw new FlecheError('USAGE', `${path} is not JSON: ${messageOf(error)}`, { hint: 'Correct it first.' });
    }
  }
}

/** The command that stands behind a script where `pre…` and `post…` run with it. */
export function commandOf({ scripts }: Member, script: string, withPreAndPost: boolean): string {
  const all = withPreAndPost ? [`pre${script}`, script, `post${script}`] : [script];
  const [first = '', ...others] = all.flatMap((name) => scripts[name] ?? []);
  if (others.length === 0) return first;
  return [first, ...others].map((one) => (/[;|&\n]/.test(one) ? `(${one})` : one)).join(' && ');
}
