/**
 * The programs that are compared with. Those from npm are installed, without running their scripts, into a folder of the
 * user's cache, once; make and ninja are the system's. What cannot be had is said and left out.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export class Peers {
  readonly folder: string;
  /** Packages that were tried, and whether they are there. */
  readonly #tried = new Map<string, boolean>();

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.folder = join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fleche-peers');
  }

  /**
   * A file of installed npm packages (`name@range`), or undefined where they cannot be had. Packages of one `group` are
   * installed side by side.
   */
  installed(group: string, packages: readonly string[], file: string): string | undefined {
    const folder = join(this.folder, group);
    const path = join(folder, 'node_modules', file);
    if (existsSync(path)) return path;
    const name = packages.join(' ');
    if (!this.#tried.has(name)) this.#tried.set(name, install(folder, packages));
    return existsSync(path) ? path : undefined;
  }
}

function install(folder: string, packages: readonly string[]): boolean {
  mkdirSync(folder, { recursive: true });
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) writeFileSync(manifest, '{"name":"peers","private":true}\n');
  console.error(`installing ${packages.join(' ')} into ${folder}`);
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...packages];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 2, 2], timeout: 600_000 });
  return status === 0;
}

/** A program of the system, or undefined. */
export function onPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
