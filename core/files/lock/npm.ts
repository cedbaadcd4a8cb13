/** The lock file of npm, version 2 or 3: things are places in `node_modules`, found as Node finds them. Pure. */
import { type Table, tableOf } from '../../base/table.ts';
import type { Given, Illegible, Lock } from './lock.ts';
import { at, namesIn, tableAt, textAt } from './tables.ts';

/** Dependencies that are installed for who depends on a package, and those that only the package itself has. */
const PASSED_ON = ['dependencies', 'optionalDependencies', 'peerDependencies'];
const OWN = [...PASSED_ON, 'devDependencies'];

export function readNpmLock(text: string): Lock | Illegible {
  let lock: Table;
  try {
    lock = tableOf(JSON.parse(text));
  } catch {
    return { trouble: 'is not JSON' };
  }
  const packages = tableAt(lock, 'packages');
  if (!Object.hasOwn(packages, '')) return { trouble: 'names no packages, as npm writes them from version 7 on' };
  const givenAt = (place: string, keys: readonly string[]): readonly Given[] =>
    namesIn(tableAt(packages, place), keys).map((name) => ({ name, to: placeOf(name, place, packages) }));
  return {
    own(folder) {
      const place = folder === '.' ? '' : folder;
      return Object.hasOwn(packages, place) ? givenAt(place, OWN) : undefined;
    },
    given(id) {
      const entry = tableAt(packages, id);
      return givenAt(at(entry, 'link') === true ? textAt(entry, 'resolved') : id, PASSED_ON);
    },
    /** Packages of the workspace have no version here: what is in them is the business of their tasks. */
    described(id) {
      const entry = tableAt(packages, id);
      const resolved = textAt(entry, 'resolved');
      if (at(entry, 'link') === true) return { version: 'link', content: `${id}\t${resolved}` };
      return { version: textAt(entry, 'version'), content: `${id}\t${textAt(entry, 'integrity') || resolved}` };
    },
  };
}

/** Where code at a place finds a package; undefined if it is not installed, as an optional one may be. */
function placeOf(name: string, from: string, packages: Table): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const place = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (Object.hasOwn(packages, place)) return place;
    if (at === '') return undefined;
  }
}
