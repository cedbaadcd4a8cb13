/**
 * Packages as they are installed: the identity of a plugin is its package by name, version and contents, and the versions of
 * everything that it depends on, peers included. Packages outside node_modules (linked, of a workspace) count by their
 * contents.
 */
import { type Dirent, existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { type Digest, sha256 } from '../core/index.ts';
import { textDigest } from './machine.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
}

interface PackageIdentity {
  /** `name@version`. */
  readonly text: string;
  readonly digest: Digest;
}

/** Folders of a linked package that are not its code. */
const LEFT_OUT = new Set(['node_modules', '.git', '.fleche', 'coverage']);

/** The name at the beginning of what may be an import of a package. */
const PACKAGE = /^((?:@[a-z\d~-][\w.~-]*\/)?[a-z\d~-][\w.~-]*)(?:\/[\w./-]*)?$/;

/** What is installed, as seen from a folder. Everything is looked at once: not to be kept while things change. */
export class Packages {
  readonly #root: string;
  readonly #exists = new Map<string, boolean>();
  readonly #folders = new Map<string, string>();
  readonly #modules = new Map<string, readonly string[]>();
  readonly #manifests = new Map<string, Manifest | undefined>();
  readonly #identities = new Map<string, PackageIdentity | undefined>();

  constructor(root: string) {
    this.#root = root;
  }

  /** The identity of a package, or undefined if there is no such package. */
  identity(name: string): PackageIdentity | undefined {
    if (!this.#identities.has(name)) this.#identities.set(name, this.#identity(name));
    return this.#identities.get(name);
  }

  #identity(name: string): PackageIdentity | undefined {
    const folder = this.find(this.#root, name);
    const manifest = folder === undefined ? undefined : this.#manifest(folder);
    if (folder === undefined || manifest === undefined) return undefined;
    const versions = new Map<string, string>();
    this.#collect(folder, manifest, versions);
    const identity = textDigest([sorted(versions), contentsOf(folder)]);
    return { text: `${manifest.name}@${manifest.version}`, digest: identity };
  }

  /**
   * What is installed of the packages that are among `words` (`@babel/preset-env`, `svelte/compiler`), and of all that they
   * depend on; undefined if there are none.
   */
  named(words: Iterable<string>): Digest | undefined {
    const versions = new Map<string, string>();
    for (const word of new Set(words)) {
      const name = PACKAGE.exec(word)?.[1];
      const folder = name === undefined ? undefined : this.find(this.#root, name);
      const manifest = folder === undefined ? undefined : this.#manifest(folder);
      if (folder !== undefined && manifest !== undefined) this.#collect(folder, manifest, versions);
    }
    return versions.size === 0 ? undefined : textDigest(sorted(versions));
  }

  /** What is installed of all that the package in the folder itself depends on, directly or through others. */
  dependencies(): Digest {
    const versions = new Map<string, string>();
    const { dependencies = [] } = this.#manifest(this.#root) ?? {};
    this.#collectAll(this.#root, dependencies, (name) => `without ${name}`, versions);
    return textDigest(sorted(versions));
  }

  /** Notes what a package and all that it depends on are. */
  #collect(folder: string, { name, version, dependencies }: Manifest, versions: Map<string, string>): void {
    const id = `${name}@${version}`;
    if (versions.has(id)) return;
    versions.set(id, isInstalled(folder) ? '' : contentsOf(folder));
    this.#collectAll(folder, dependencies, (missing) => `${id} without ${missing}`, versions);
  }

  #collectAll(
    folder: string,
    names: readonly string[],
    without: (name: string) => string,
    versions: Map<string, string>,
  ): void {
    for (const name of names) {
      const found = this.find(folder, name);
      const manifest = found === undefined ? undefined : this.#manifest(found);
      if (found === undefined || manifest === undefined) versions.set(without(name), '');
      else this.#collect(found, manifest, versions);
    }
  }

  /** The real folder of a package, looked for as Node does. */
  find(from: string, name: string): string | undefined {
    for (const modules of this.#modulesAbove(from)) {
      const candidate = join(modules, name);
      if (this.#has(`${candidate}${sep}package.json`)) return this.#real(candidate);
    }
    return undefined;
  }

  /** The folders of packages that code in a folder sees, nearest first; each ends with a separator. */
  #modulesAbove(folder: string): readonly string[] {
    let found = this.#modules.get(folder);
    if (found === undefined) {
      const parent = dirname(folder);
      const above = parent === folder ? [] : this.#modulesAbove(parent);
      const own = join(folder, 'node_modules', sep);
      found = basename(folder) !== 'node_modules' && this.#has(own) ? [own, ...above] : above;
      this.#modules.set(folder, found);
    }
    return found;
  }

  #has(path: string): boolean {
    let has = this.#exists.get(path);
    if (has === undefined) {
      has = existsSync(path);
      this.#exists.set(path, has);
    }
    return has;
  }

  #real(path: string): string {
    let real = this.#folders.get(path);
    if (real === undefined) {
      real = realpathSync.native(path);
      this.#folders.set(path, real);
    }
    return real;
  }

  #manifest(folder: string): Manifest | undefined {
    if (!this.#manifests.has(folder)) this.#manifests.set(folder, readManifest(folder));
    return this.#manifests.get(folder);
  }
}

function sorted(versions: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...versions].sort(([a], [b]) => (a < b ? -1 : 1));
}

function isInstalled(folder: string): boolean {
  return folder.includes(`${sep}node_modules${sep}`);
}

function readManifest(folder: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const { name, version, dependencies, devDependencies, peerDependencies, optionalDependencies } = manifest;
    return {
      name: String(name),
      version: String(version),
      // Of an installed package those for its development are not there.
      dependencies: Object.keys({
        ...dependencies,
        ...peerDependencies,
        ...optionalDependencies,
        ...(isInstalled(folder) ? {} : devDependencies),
      }).sort(),
    };
  } catch {
    // A manifest that is not there or no JSON belongs to no package.
    return undefined;
  }
}

function isFileLink(entry: Dirent, path: string): boolean {
  return entry.isSymbolicLink() && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function contentsOf(folder: string): Digest {
  const files: [string, Digest][] = [];
  const walk = (path: string, name: string): void => {
    const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      if (LEFT_OUT.has(entry.name)) continue;
      const inner = `${name}/${entry.name}`;
      const found = join(path, entry.name);
      if (entry.isDirectory()) walk(found, inner);
      else if (entry.isFile() || isFileLink(entry, found)) files.push([inner, sha256(readFileSync(found))]);
      else if (entry.isSymbolicLink()) files.push([inner, sha256(`link ${readlinkSync(found)}`)]);
    }
  };
  walk(folder, '');
  return textDigest(files);
}
