/**
 * What a whole build depends on, noted while it is made: the files of its modules, what would have been found instead of
 * them, and what says how they are resolved and compiled: manifests and TypeScript configurations.
 */
import { dirname, isAbsolute, join, sep } from 'node:path';
import { digest, readTsconfig, type Seen, type Tsconfig, toAbs } from '../../core/index.ts';
import { type BundlerLook, Recording } from '../cached/recording.ts';
import { environmentValues, type Machine, relativeTo, textOf } from '../machine.ts';
import { Packages } from '../packages.ts';

const MODULES = `${sep}node_modules${sep}`;

/** Looks that are not of the machine alone; paths in arguments are relative to `root`. */
export function buildLook(root: string, machine: Machine): BundlerLook {
  return (what, argument) => {
    switch (what) {
      case 'package': {
        const [from = '', name = ''] = JSON.parse(argument) as readonly string[];
        const found = new Packages(root).find(join(root, from), name);
        const place = found === undefined ? null : relativeTo(root, found);
        return digest([place, found === undefined ? null : machine.content(join(found, 'package.json'))]);
      }
      case 'installed':
        return new Packages(join(root, argument)).dependencies();
      case 'environment':
        return digest(environmentValues(argument));
      default:
        return undefined;
    }
  };
}

export class BuildInputs {
  readonly #root: string;
  readonly #recording: Recording;
  readonly #look: BundlerLook;
  readonly #folders = new Set<string>();
  readonly #tsconfigs = new Map<string, Tsconfig | undefined>();

  constructor(root: string, machine: Machine) {
    this.#root = root;
    // What names the root's path is for this root only.
    this.#recording = new Recording(root, machine, true);
    this.#look = buildLook(root, machine);
  }

  /** A module of the build: its file, what could be found before it, and what says how it is compiled. */
  module(file: string): void {
    this.#recording.file(file);
    this.#folder(dirname(file));
  }

  /** A file that was read, or would be if it were there. */
  file(path: string): void {
    this.#recording.file(path);
  }

  /** The names in a folder were read. */
  list(path: string): void {
    this.#recording.folder(path);
  }

  environment(name: string): void {
    this.#recording.environment(name);
  }

  /** All variables that begin with a prefix. */
  environments(prefix: string): void {
    this.#told('environment', prefix);
  }

  /** Everything that the package in a folder depends on, as it is installed. */
  installed(folder: string): void {
    this.#told('installed', relativeTo(this.#root, folder));
  }

  /** An import that may lead to a package, or to where a TypeScript configuration maps it. */
  import(specifier: string, importer: string): void {
    if (specifier.startsWith('.') || isAbsolute(specifier) || specifier.includes(':')) return;
    const from = dirname(importer);
    const [scope = '', short = ''] = specifier.split('/', 2);
    this.package(scope.startsWith('@') ? `${scope}/${short}` : scope, from);
    for (const place of this.#tsconfigOf(from)?.places(specifier) ?? []) this.#recording.file(place);
  }

  /** A package, as it is found from a folder. */
  package(name: string, from: string): void {
    this.#told('package', JSON.stringify([relativeTo(this.#root, from), name]));
  }

  #told(what: string, argument: string): void {
    const found = this.#look(what, argument);
    if (typeof found === 'string') this.#recording.told(what, argument, found);
  }

  /** Manifests and configurations in a folder and those above it, which are looked for whether they are there or not. */
  #folder(from: string): void {
    for (let folder = from; !this.#folders.has(folder); folder = dirname(folder)) {
      this.#folders.add(folder);
      this.#recording.file(join(folder, 'package.json'));
      if (!folder.includes(MODULES)) for (const file of this.#tsconfigAt(folder)?.files ?? []) this.file(file);
      if (folder === this.#root || dirname(folder) === folder) break;
    }
  }

  #tsconfigAt(folder: string): Tsconfig | undefined {
    if (!this.#tsconfigs.has(folder)) this.#tsconfigs.set(folder, readTsconfig(toAbs(folder, 'tsconfig.json'), textOf));
    return this.#tsconfigs.get(folder);
  }

  #tsconfigOf(from: string): Tsconfig | undefined {
    for (let folder = from; ; folder = dirname(folder)) {
      if (textOf(join(folder, 'tsconfig.json')) !== undefined) return this.#tsconfigAt(folder);
      if (folder === this.#root || dirname(folder) === folder) return undefined;
    }
  }

  /** Everything noted, as it was when `start` was (ms since the epoch); undefined if something changed since. */
  async seen(value: unknown, start: number): Promise<readonly Seen[] | undefined> {
    const seen = await this.#recording.seen(value, start);
    return this.#recording.obstacles.size > 0 ? undefined : seen;
  }
}

/** The name of the package that an installed file belongs to. */
export function packageOfFile(file: string): string | undefined {
  const at = file.lastIndexOf(MODULES);
  if (at < 0) return undefined;
  const [scope = '', short = ''] = file.slice(at + MODULES.length).split(sep);
  return scope.startsWith('@') ? `${scope}/${short}` : scope;
}
