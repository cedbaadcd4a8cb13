/**
 * The native part of lmdb for this machine, from the package that lmdb's own loader would choose, found without reading
 * what packages say of themselves: that takes its loader 8 ms. Looked for once in a process.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** Of the package that a build carries inside. */
declare const LMDB_VERSION: string | undefined;

let found: unknown;

/** What the native part exports; undefined where it is not as expected, which lmdb's own loader may know to deal with. */
export function lmdbAddon(): unknown {
  found ??= load();
  return found;
}

function load(): unknown {
  const { arch, platform, versions } = process;
  const libc = platform !== 'linux' ? '' : existsSync('/etc/alpine-release') ? '.musl' : '.glibc';
  try {
    const manifest = realpathSync(`${placeOf('lmdb', import.meta.url)}/package.json`);
    const folder = placeOf(`@lmdb/lmdb-${platform}-${arch}`, manifest);
    // What was compiled here comes first.
    if (folder === undefined || existsSync(`${dirname(manifest)}/build`)) return undefined;
    const wanted = typeof LMDB_VERSION === 'string' ? LMDB_VERSION : versionOf(manifest);
    if (versionOf(`${folder}/package.json`) !== wanted) return undefined;
    const files = [`abi${versions.modules}`, 'napi'].map((kind) => `${folder}/node.${kind}${libc}.node`);
    const file = files.find((path) => existsSync(path));
    return file === undefined ? undefined : createRequire(import.meta.url)(file);
  } catch {
    // What is wrong with it is told by lmdb's own loader.
    return undefined;
  }
}

/** The folder of a package, as seen from a file. */
function placeOf(name: string, from: string): string | undefined {
  const places = createRequire(from).resolve.paths(name) ?? [];
  return places.map((place) => `${place}/${name}`).find((place) => existsSync(place));
}

function versionOf(manifest: string): unknown {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version?: unknown }).version;
}
