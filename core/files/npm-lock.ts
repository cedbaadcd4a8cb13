/**
 * What an npm lock file (version 2 or 3) installs for one package of a workspace: everything that its code can load, as
 * Node finds it. Pure.
 */
import { byCodeUnit } from '../base/order.ts';

type Table = Readonly<Record<string, unknown>>;

/** Dependencies that are installed for who depends on a package, and those that only the package itself has. */
const PASSED_ON = ['dependencies', 'optionalDependencies', 'peerDependencies'];
const OWN = [...PASSED_ON, 'devDependencies'];

/**
 * One line for each installed package that the packages in `folders` (`.` is the root) depend on, directly or through
 * others: name, version, place and digest, separated by tabs; sorted. Undefined if the lock file does not tell, as one of
 * version 1 or one that does not know a folder.
 */
export function npmSlice(lock: unknown, folders: readonly string[]): readonly string[] | undefined {
  const packages = tableOf(tableOf(lock)['packages']);
  const starts = folders.map((folder) => (folder === '.' ? '' : folder));
  if (!starts.every((start) => Object.hasOwn(packages, start))) return undefined;
  const lines = new Set<string>();
  const seen = new Set<string>();
  const rest = starts.map((start) => ({ place: start, keys: OWN }));
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { place, keys } = next;
    const own = tableOf(packages[place]);
    for (const name of keys.flatMap((key) => Object.keys(tableOf(own[key])))) {
      const found = placeOf(name, place, packages);
      lines.add(lineOf(name, found, tableOf(packages[found ?? ''])));
      if (found === undefined || seen.has(found)) continue;
      seen.add(found);
      const { link, resolved } = tableOf(packages[found]);
      rest.push({ place: link === true && typeof resolved === 'string' ? resolved : found, keys: PASSED_ON });
    }
  }
  return [...lines].sort(byCodeUnit);
}

/** Where code at a place finds a package; undefined if it is not installed, as an optional one may be. */
function placeOf(name: string, from: string, packages: Table): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const place = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (Object.hasOwn(packages, place)) return place;
    if (at === '') return undefined;
  }
}

/** Packages of the workspace have no version here: what is in them is the business of their tasks. */
function lineOf(name: string, place: string | undefined, entry: Table): string {
  if (place === undefined) return [name, '', '', ''].join('\t');
  if (entry['link'] === true) return [name, 'link', place, text(entry['resolved'])].join('\t');
  return [name, text(entry['version']), place, text(entry['integrity']) || text(entry['resolved'])].join('\t');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function tableOf(value: unknown): Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
