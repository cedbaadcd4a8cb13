/** The caches of a configuration as plain descriptions: `~` and relative paths resolved, sizes in bytes. */
import { dirname, join } from 'node:path';
import { FlecheError } from '../../../base/errors.ts';
import { type AbsPath, toAbs } from '../../../base/paths.ts';
import { parseSize } from '../../../base/size.ts';
import { isTable, type Table, tableOf, textOf, textsOf } from '../../../base/table.ts';
import { IN_MEMORY, sqlitePath } from '../../../store/sql/sqlite-path.ts';
import { brokenRule } from '../text/formats.ts';
import { plainValue } from '../text/plain-value.ts';
import type { KeyPath, Positions } from '../text/positions.ts';
import { label, type Problems } from '../text/problems.ts';
import type { CacheSpec, StorageSpec } from './cache-spec.ts';
import { isShared, readShared } from './shared.ts';

/** What a file of caches is read with. */
interface CacheSurroundings {
  /** The file that declares the caches; relative paths start at its folder. */
  readonly file: AbsPath;
  /** What `~` stands for. */
  readonly home: AbsPath;
  readonly positions: Positions;
  readonly problems: Problems;
}

/** The caches of a table, in its order; `path` leads to the table. What does not describe a cache is left out. */
export function readCaches(table: Table, path: KeyPath, around: CacheSurroundings): ReadonlyMap<string, CacheSpec> {
  const caches = new Map<string, CacheSpec>();
  for (const [name, value] of Object.entries(table)) {
    if (!isTable(value)) continue;
    const spec = readCache(name, value, [...path, name], around);
    if (spec !== undefined) caches.set(name, spec);
  }
  return caches;
}

/** The caches that are there without being configured; `root` is the folder of the project, if there is one. */
export function builtInCaches(root: AbsPath | undefined): ReadonlyMap<string, CacheSpec> {
  const single = (name: string, type: string, folder?: AbsPath): readonly [string, CacheSpec] => {
    const storage: StorageSpec = {
      type,
      root: folder,
      url: undefined,
      inner: undefined,
      options: {},
      at: undefined,
      optionAt: () => undefined,
    };
    return [name, { kind: 'single', name, storage, maxSize: undefined, readOnly: false, at: undefined }];
  };
  return new Map([
    single('memory', 'Memory'),
    single('void', 'Void'),
    root === undefined ? single('default', 'Memory') : single('default', 'Lmdb', toAbs(root, '.fleche')),
  ]);
}

function readCache(name: string, written: Table, path: KeyPath, around: CacheSurroundings): CacheSpec | undefined {
  const at = around.positions.lazyKey(path);
  if (Object.hasOwn(written, 'stack')) return { kind: 'stack', name, members: textsOf(written['stack']), at };
  if (isShared(written)) {
    const { positions, problems } = around;
    return readShared(name, written, path, { positions, problems, resolve: (text) => resolvePath(text, around) });
  }
  const { max_size, read_only, ...others } = written;
  const common = { name, maxSize: readSize(max_size, [...path, 'max_size'], around), readOnly: read_only === true, at };
  if (Object.hasOwn(written, 'type')) return { kind: 'single', ...common, storage: readStorage(others, path, around) };
  const { values, calls } = others;
  if (!isTable(values) || !isTable(calls)) return undefined;
  return {
    kind: 'pair',
    ...common,
    values: readStorage(values, [...path, 'values'], around),
    calls: readStorage(calls, [...path, 'calls'], around),
  };
}

/** A text can have the form of a size and still be too large. */
function readSize(value: unknown, path: KeyPath, { problems }: CacheSurroundings): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || brokenRule('size', value) !== undefined) return undefined;
  try {
    return parseSize(value);
  } catch (error) {
    if (!(error instanceof FlecheError) || error.code !== 'INVALID_SIZE') throw error;
    const hint = 'Write a size below 8PB, or leave it out for no limit.';
    problems.add({ code: error.code, message: `${label(path)}: "${value}" is too large`, hint, path, on: 'value' });
    return undefined;
  }
}

function readStorage(written: Table, path: KeyPath, around: CacheSurroundings): StorageSpec {
  const { type, root, url, inner, ...options } = written;
  const folder = textOf(root) ?? (type === 'Lmdb' ? '.fleche' : undefined);
  const address = textOf(url);
  return {
    type: textOf(type) ?? '',
    root: folder === undefined ? undefined : resolvePath(folder, around),
    url: address === undefined ? undefined : type === 'Sql' ? resolveUrl(address, around) : address,
    inner: inner === undefined ? undefined : readStorage(tableOf(inner), [...path, 'inner'], around),
    options: tableOf(plainValue(options)),
    at: around.positions.lazyKey(path),
    optionAt: (name) => around.positions.key([...path, name]),
  };
}

function resolvePath(path: string, { file, home }: CacheSurroundings): AbsPath {
  const isHome = path === '~' || path.startsWith('~/') || path.startsWith('~\\');
  return isHome ? toAbs(home, join('.', path.slice(1))) : toAbs(dirname(file), path);
}

/** The address of a SQLite file with its path made absolute: `sqlite:/home/me/calls.db`. Others are left as they are. */
function resolveUrl(url: string, around: CacheSurroundings): string {
  const path = sqlitePath(url);
  if (path === undefined) return url;
  return `sqlite:${path === IN_MEMORY ? path : resolvePath(path, around)}`;
}
