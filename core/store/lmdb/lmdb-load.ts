/**
 * The one place that loads the `lmdb` package: when a store is opened, not when a module is imported, and in its CommonJS
 * form, which can be had at once. Half of the 25 ms that it would take are for msgpackr, which encodings need that are not
 * used here, and a third for looking for the native part: both have stand-ins while it is loaded, and msgpackr is loaded
 * should somebody else in the process use it through lmdb. A build that carries the package inside replaces this file.
 */
import { createRequire, Module } from 'node:module';
import { lmdbAddon } from './lmdb-addon.ts';

type Loaded = typeof import('lmdb');

let lmdb: Loaded | undefined;

/** The package's exports. Throws what `require` throws, for one on a platform without a prebuilt binary. */
export function loadLmdb(): Loaded {
  lmdb ??= load();
  return lmdb;
}

function load(): Loaded {
  const here = createRequire(import.meta.url);
  const main = here.resolve('lmdb');
  if (here.cache[main] !== undefined) return here(main);
  const inner = createRequire(main);
  const found = lmdbAddon();
  const standIns = [
    standIn(inner, 'msgpackr', () => ({ Encoder: later(() => inner('msgpackr').Encoder) })),
    found === undefined ? undefined : standIn(inner, 'node-gyp-build-optional-packages', () => () => found),
  ];
  try {
    return here(main);
  } finally {
    for (const path of standIns) if (path !== undefined) delete here.cache[path];
  }
}

/** Puts something in the place of a package that is not loaded yet. Returns where. */
function standIn(require: NodeJS.Require, name: string, exported: () => unknown): string | undefined {
  const path = require.resolve(name);
  if (require.cache[path] !== undefined) return undefined;
  const module = new Module(path);
  module.filename = path;
  module.loaded = true;
  module.exports = exported();
  require.cache[path] = module;
  return path;
}

/** Makes instances of a class that is looked for when the first of them is wanted. */
function later(find: () => new (...args: unknown[]) => object): unknown {
  function construct(...args: unknown[]): object {
    return Reflect.construct(find(), args);
  }
  return construct;
}
