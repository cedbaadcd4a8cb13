/**
 * The lock file of bun as text: things are places, such as `a/b` for a `b` that is only there for `a`, found as Node finds
 * them. What patches change is only in the files of the patches. Pure.
 */
import { sha256 } from '../../base/hash.ts';
import { parseJsonc } from '../../base/jsonc.ts';
import type { RelPath } from '../../base/paths.ts';
import { type Table, tableOf } from '../../base/table.ts';
import type { Described, Given, Illegible, Lock } from './lock.ts';
import { at, namesIn, tableAt, textAt } from './tables.ts';

const NEWEST = 2;
/** What may be missing, and what must be there. */
const OPTIONAL = ['optionalDependencies', 'peerDependencies'];
const PASSED_ON = ['dependencies', ...OPTIONAL];
const OWN = [...PASSED_ON, 'devDependencies'];
const MEMBER = /^.[^@]*@(?:workspace:(.*)|root:)$/;

/** `fileAt` gives the content of a file by its path from the root; undefined if it is not there. */
export function readBunLock(text: string, fileAt: (path: string) => string | undefined): Lock | Illegible {
  let lock: Table;
  try {
    lock = tableOf(parseJsonc(text));
  } catch {
    return { trouble: 'cannot be read' };
  }
  const version = at(lock, 'lockfileVersion');
  if (typeof version === 'number' && version >= 0 && version <= NEWEST) return new BunLock(lock, fileAt);
  return { trouble: `is of the unknown version "${String(version)}"` };
}

class BunLock implements Lock {
  readonly #workspaces: Table;
  readonly #packages: Table;
  readonly #patches: Table;
  readonly #fileAt: (path: string) => string | undefined;

  constructor(lock: Table, fileAt: (path: string) => string | undefined) {
    this.#workspaces = tableAt(lock, 'workspaces');
    this.#packages = tableAt(lock, 'packages');
    this.#patches = tableAt(lock, 'patchedDependencies');
    this.#fileAt = fileAt;
  }

  own(folder: RelPath): readonly Given[] | undefined {
    return this.#ofMember(folder === '.' ? '' : folder, OWN);
  }

  given(id: string): readonly Given[] | undefined {
    const [name, ...rest] = this.#entry(id);
    const member = MEMBER.exec(String(name));
    if (member !== null) return this.#ofMember(member[1] ?? '', PASSED_ON);
    return this.#all(tableOf(rest.find((one) => typeof one === 'object')), PASSED_ON, id);
  }

  described(id: string): Described {
    const texts = this.#entry(id).filter((one) => typeof one === 'string');
    const [name = '', ...rest] = texts;
    if (MEMBER.test(name)) return { version: 'link', content: `${id}\t${name}` };
    const patch = textAt(this.#patches, name);
    const change = patch === '' ? [] : [patch, sha256(this.#fileAt(patch) ?? '')];
    return { version: name.slice(name.indexOf('@', 1) + 1), content: [id, name, ...rest, ...change].join('\t') };
  }

  #entry(id: string): readonly unknown[] {
    const entry = at(this.#packages, id);
    return Array.isArray(entry) ? entry : [];
  }

  /** What is installed for one package alone is below its name. */
  #ofMember(folder: string, keys: readonly string[]): readonly Given[] | undefined {
    if (!Object.hasOwn(this.#workspaces, folder)) return undefined;
    const member = tableAt(this.#workspaces, folder);
    return this.#all(member, keys, folder === '' ? '' : textAt(member, 'name'));
  }

  /** Undefined if something is not there that must be. */
  #all(from: Table, keys: readonly string[], id: string): readonly Given[] | undefined {
    const given = namesIn(from, keys).map((name) => ({ name, to: this.#placeOf(name, id) }));
    const optional = new Set(namesIn(from, OPTIONAL));
    return given.every(({ name, to }) => to !== undefined || optional.has(name)) ? given : undefined;
  }

  #placeOf(name: string, from: string): string | undefined {
    for (let at = from; ; at = at.replace(/(?:^|\/)(?:@[^/]+\/)?[^/]+$/, '')) {
      const place = at === '' ? name : `${at}/${name}`;
      if (Object.hasOwn(this.#packages, place)) return place;
      if (at === '') return undefined;
    }
  }
}
