/**
 * `yarn.lock` as yarn writes it from version 2 on. It has an entry for each package of the workspace, in which one cannot
 * tell what is only needed to develop it. What is added to packages by `packageExtensions`, and what a catalog stands for,
 * is in the settings of yarn alone. Pure.
 */
import { type Table, tableOf } from '../../base/table.ts';
import type { Illegible, Lock, Member } from './lock.ts';
import { at, tableAt, textAt } from './tables.ts';
import { type YarnEntry, YarnLock } from './yarn.ts';

/** Of the format, not of yarn. */
const [OLDEST, NEWEST] = [4, 10];
const METADATA = '__metadata';

type Requests = YarnEntry['dependencies'];

/** `documents` is what is in the file, `settings` what is in `.yarnrc.yml`; every scalar of them a text. */
export function readBerryLock(
  documents: readonly unknown[],
  members: readonly Member[],
  settings: Table,
): Lock | Illegible {
  const [lock = {}] = documents.map(tableOf);
  const version = textAt(tableAt(lock, METADATA), 'version');
  if (!(Number(version) >= OLDEST && Number(version) <= NEWEST))
    return { trouble: `is of the unknown version "${version}"` };
  const extensions = extensionsIn(settings, Object.keys(lock));
  const entries = Object.keys(lock).flatMap((key): YarnEntry[] => {
    if (key === METADATA) return [];
    const entry = tableOf(at(lock, key));
    const resolution = textAt(entry, 'resolution');
    const keys = key.split(/\s*,\s*/);
    const added = extensions.flatMap(([extended, more]) => (keys[0]?.startsWith(nameAnd(extended)) ? more : []));
    return [
      {
        keys,
        version: textAt(entry, 'version'),
        content: `${resolution}\t${textAt(entry, 'checksum')}`,
        dependencies: [...requestsIn(entry, settings), ...added],
        folder: /^.[^@]*@workspace:(.*)$/.exec(resolution)?.[1],
      },
    ];
  });
  return new YarnLock(entries, members, false);
}

function requestsIn(entry: unknown, settings: Table): Requests {
  return Object.entries(tableAt(tableOf(entry), 'dependencies')).map(([name, range]) => {
    const catalog = /^catalog:(.*)$/.exec(String(range))?.[1];
    if (catalog === undefined) return [name, String(range)];
    const catalogs = catalog === '' ? settings : tableAt(settings, 'catalogs');
    return [name, textAt(tableAt(catalogs, catalog || 'catalog'), name) || String(range)];
  });
}

/** What settings add to packages, by the package; without what is not installed, as for a version that nobody has. */
function extensionsIn(settings: Table, keys: readonly string[]): readonly (readonly [string, Requests])[] {
  const isInstalled = ([name]: Requests[number]): boolean => keys.some((key) => key.startsWith(`${name}@`));
  return Object.entries(tableAt(settings, 'packageExtensions')).map(([extended, more]) => [
    extended,
    requestsIn(more, settings).filter(isInstalled),
  ]);
}

/** `a@` of `a@^1.0.0`: what a package is called in its keys. */
function nameAnd(key: string): string {
  const end = key.indexOf('@', 1);
  return `${end < 0 ? key : key.slice(0, end)}@`;
}
