/**
 * The lock file of pnpm, version 6 or 9: things are packages with the peers they were resolved with. From version 11 on
 * pnpm writes two documents, of which the first says what pnpm itself needs. Pure, but for the YAML parser it is given.
 */
import { posix } from 'node:path';
import type { RelPath } from '../../base/paths.ts';
import { type Table, tableOf } from '../../base/table.ts';
import type { Described, Given, Illegible, Lock, Member } from './lock.ts';
import { tableAt, textAt } from './tables.ts';

const VERSIONS = /^(?:6|9)\.\d+$/;
const PASSED_ON = ['dependencies', 'optionalDependencies'];
const OWN = [...PASSED_ON, 'devDependencies', 'configDependencies'];
/** Packages of the workspace are told from others by it. */
const MEMBER = 'link:';

/** `documents` is what is in the file; every scalar of it a text. */
export function readPnpmLock(documents: readonly unknown[], members: readonly Member[]): Lock | Illegible {
  const tables = documents.map(tableOf);
  const unknown = tables.map((table) => textAt(table, 'lockfileVersion')).find((version) => !VERSIONS.test(version));
  if (tables.length === 0 || unknown !== undefined) return { trouble: `is of the unknown version "${unknown ?? ''}"` };
  return new PnpmLock(tables, new Map(members.map((one) => [one.folder, one])));
}

class PnpmLock implements Lock {
  readonly #members: ReadonlyMap<string, Member>;
  /** Of each folder everything that documents say of it. */
  readonly #importers = new Map<string, Table[]>();
  readonly #packages = new Map<string, Table>();
  /** What packages are given, by their names with peers; in version 6 it stands in the package itself. */
  readonly #snapshots = new Map<string, Table>();

  constructor(documents: readonly Table[], members: ReadonlyMap<string, Member>) {
    this.#members = members;
    for (const one of documents) {
      const importers = Object.hasOwn(one, 'importers') ? tableAt(one, 'importers') : { '.': one };
      for (const [folder, importer] of Object.entries(importers)) {
        this.#importers.set(folder, [...(this.#importers.get(folder) ?? []), tableOf(importer)]);
      }
      for (const [id, entry] of Object.entries(tableAt(one, 'packages'))) this.#packages.set(id, tableOf(entry));
      const key = textAt(one, 'lockfileVersion').startsWith('6') ? 'packages' : 'snapshots';
      for (const [id, entry] of Object.entries(tableAt(one, key))) this.#snapshots.set(id, tableOf(entry));
    }
  }

  own(folder: RelPath): readonly Given[] | undefined {
    return this.#importers.has(folder) ? this.#ofImporter(folder) : undefined;
  }

  given(id: string): readonly Given[] | undefined {
    if (id.startsWith(MEMBER)) {
      const folder = id.slice(MEMBER.length);
      const passedOn = this.#members.get(folder)?.passedOn;
      return this.#ofImporter(folder, passedOn === undefined ? undefined : new Set(passedOn));
    }
    const entry = this.#snapshots.get(id) ?? {};
    return this.#all(
      PASSED_ON.flatMap((key) => Object.entries(tableAt(entry, key))).map(([name, ref]) => [name, ref, '.']),
    );
  }

  described(id: string): Described {
    if (id.startsWith(MEMBER)) return { version: 'link', content: id };
    const bare = withoutPeers(id);
    const resolution = tableAt(this.#packages.get(id) ?? this.#packages.get(bare) ?? {}, 'resolution');
    const integrity = Object.keys(resolution).length === 1 ? textAt(resolution, 'integrity') : '';
    const version = /^\/?(?:@[^/]+\/)?[^@/]+@(.*)$/.exec(bare)?.[1] ?? '';
    return { version, content: `${id}\t${integrity || JSON.stringify(resolution)}` };
  }

  /** What is at a folder that is linked to, or of it only some; a folder outside of the workspace has nothing here. */
  #ofImporter(folder: string, some?: ReadonlySet<string>): readonly Given[] | undefined {
    const importers = this.#importers.get(folder) ?? [];
    const entries = importers.flatMap((one) => OWN.flatMap((key) => Object.entries(tableAt(one, key))));
    const taken = entries.filter(([name]) => some?.has(name) ?? true);
    return this.#all(taken.map(([name, entry]) => [name, textAt(tableOf(entry), 'version'), folder]));
  }

  /** Undefined if one of them is not in the file. */
  #all(references: readonly (readonly [string, unknown, string])[]): readonly Given[] | undefined {
    const given: Given[] = [];
    for (const [name, reference, folder] of references) {
      const to = this.#idOf(name, String(reference), folder);
      if (to === undefined) return undefined;
      given.push({ name, to });
    }
    return given;
  }

  /** A reference is a version, or the whole name of a package where that has another one than it is loaded by. */
  #idOf(name: string, reference: string, folder: string): string | undefined {
    if (reference.startsWith(MEMBER)) return MEMBER + posix.join(folder, reference.slice(MEMBER.length));
    return [`${name}@${reference}`, reference, `/${name}@${reference}`].find((id) => this.#snapshots.has(id));
  }
}

/** Peers and patches stand in parentheses at the end, which may hold others. */
function withoutPeers(id: string): string {
  let end = id.length;
  while (id[end - 1] === ')') {
    let depth = 0;
    let start = end;
    do {
      start -= 1;
      if (id[start] === ')') depth += 1;
      if (id[start] === '(') depth -= 1;
    } while (depth > 0 && start > 0);
    if (depth > 0) break;
    end = start;
  }
  return id.slice(0, end);
}
