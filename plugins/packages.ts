/**
 * The identity of a plugin: its package by name, version and contents, and the versions of everything that it depends
 * on, peers included. Packages outside node_modules (linked, of a workspace) count by their contents.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { type Digest, digest, sha256 } from '../core/index.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
}

/** Folders of a linked package that are not its code. */
const LEFT_OUT = new Set(['node_modules', '.git', '.fleche', 'coverage']);

/** The identity of a package as seen from `root`, or undefined if there is no such package. */
export function packageIdentity(root: string, name: string): { text: string; digest: Digest } | undefined {
  const folder = findPackage(root, name);
  const manifest = folder === undefined ? undefined : readManifest(folder);
  if (folder === undefined || manifest === undefined) return undefined;
  const versions = new Map<string, string>();
  collect(folder, manifest, versions);
  const contents = contentsOf(folder);
  const identity = digest([[...versions].sort(([a], [b]) => (a < b ? -1 : 1)), contents], 'package');
  return { text: `${manifest.name}@${manifest.version}`, digest: identity };
}

/** What is installed of all that the package in a folder depends on, directly or through others. */
export function dependenciesOf(folder: string): Digest {
  const manifest = readManifest(folder);
  const versions = new Map<string, string>();
  for (const name of manifest?.dependencies ?? []) {
    const found = findPackage(folder, name);
    const next = found === undefined ? undefined : readManifest(found);
    if (found === undefined || next === undefined) versions.set(`without ${name}`, '');
    else collect(found, next, versions);
  }
  return digest([...versions].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Notes what a package and all that it depends on are, by the folders' place below node_modules. */
function collect(folder: string, manifest: Manifest, versions: Map<string, string>): void {
  const id = `${manifest.name}@${manifest.version}`;
  const known = versions.has(id);
  if (known) return;
  versions.set(id, isInstalled(folder) ? '' : contentsOf(folder));
  for (const name of manifest.dependencies) {
    const found = findPackage(folder, name);
    const next = found === undefined ? undefined : readManifest(found);
    if (found === undefined || next === undefined) versions.set(`${id} without ${name}`, '');
    else collect(found, next, versions);
  }
}

function isInstalled(folder: string): boolean {
  return folder.includes(`${sep}node_modules${sep}`);
}

/** The real folder of a package, looked for as Node does. */
export function findPackage(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return realpathSync.native(candidate);
    if (dirname(folder) === folder) return undefined;
  }
}

const manifests = new Map<string, { readonly text: string; readonly manifest: Manifest }>();

function readManifest(folder: string): Manifest | undefined {
  try {
    const text = readFileSync(join(folder, 'package.json'), 'utf8');
    const known = manifests.get(folder);
    if (known?.text === text) return known.manifest;
    const { name, version, dependencies, devDependencies, peerDependencies, optionalDependencies } = JSON.parse(text);
    const manifest: Manifest = {
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
    manifests.set(folder, { text, manifest });
    return manifest;
  } catch {
    // A manifest that is not there or no JSON belongs to no package.
    return undefined;
  }
}

function contentsOf(folder: string): Digest {
  const files: [string, Digest][] = [];
  const walk = (path: string, name: string): void => {
    const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      if (LEFT_OUT.has(entry.name)) continue;
      const inner = `${name}/${entry.name}`;
      if (entry.isDirectory()) walk(join(path, entry.name), inner);
      else if (entry.isFile()) files.push([inner, sha256(readFileSync(join(path, entry.name)))]);
    }
  };
  walk(folder, '');
  return digest(files);
}
