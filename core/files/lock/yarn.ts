/**
 * The lock file of yarn, of either kind, once it is read: things are entries, found by a name and the range that is asked
 * for. What `resolutions` decides does not stand at the ranges it replaces, so all versions of such a package count. Pure.
 */
import type { RelPath } from '../../base/paths.ts';
import type { Described, Given, Lock, Member } from './lock.ts';

export interface YarnEntry {
  /** What it is asked for by, such as `a@^1.0.0`. */
  readonly keys: readonly string[];
  readonly version: string;
  /** Where it is from, and its digest. */
  readonly content: string;
  /** Names and ranges. */
  readonly dependencies: readonly (readonly [string, string])[];
  /** For packages of the workspace, where these are entries: the folder. */
  readonly folder?: string | undefined;
}

/** Packages of the workspace that are no entries are told from others by it. */
const MEMBER = 'member:';

export class YarnLock implements Lock {
  readonly #entries: readonly YarnEntry[];
  readonly #byKey = new Map<string, string>();
  /** Numbers of entries, as texts, by the name that is asked for. */
  readonly #byName = new Map<string, string[]>();
  readonly #members: readonly Member[];
  readonly #forced: readonly string[];
  /** What nothing is seen to ask for is asked for by what the lock file does not tell, so it counts for all. */
  readonly #unasked: readonly Given[];

  /** `isWhole` says that everything that is asked for stands in the entries and manifests. */
  constructor(entries: readonly YarnEntry[], members: readonly Member[], isWhole: boolean) {
    this.#entries = entries;
    this.#members = members;
    this.#forced = members.find(({ folder }) => folder === '.')?.forced ?? [];
    for (const [index, { keys }] of entries.entries()) {
      for (const key of keys) {
        this.#byKey.set(key, String(index));
        const name = nameIn(key);
        this.#byName.set(name, [...(this.#byName.get(name) ?? []), String(index)]);
      }
    }
    this.#unasked = isWhole ? [] : this.#askedForByNone();
  }

  own(folder: RelPath): readonly Given[] | undefined {
    const entry = this.#entries.find((one) => one.folder === folder);
    const requests = entry?.dependencies ?? this.#members.find((one) => one.folder === folder)?.requests;
    const given = requests === undefined ? undefined : this.#all(requests);
    return given === undefined ? undefined : [...given, ...this.#unasked];
  }

  given(id: string): readonly Given[] | undefined {
    const entry = this.#entries[Number(id)];
    const folder = id.startsWith(MEMBER) ? id.slice(MEMBER.length) : entry?.folder;
    if (folder === undefined) return this.#all(entry?.dependencies ?? []);
    const member = this.#members.find((one) => one.folder === folder);
    const passedOn = member === undefined ? undefined : new Set(member.passedOn);
    const requests = entry?.dependencies ?? member?.requests ?? [];
    return this.#all(requests.filter(([name]) => passedOn?.has(name) ?? true));
  }

  described(id: string): Described {
    const { folder, version = '', content = '' } = this.#entries[Number(id)] ?? {};
    if (!id.startsWith(MEMBER) && folder === undefined) return { version, content };
    return { version: 'link', content: folder ?? id.slice(MEMBER.length) };
  }

  /** Undefined if one of them is neither in the file nor in the workspace. */
  #all(requests: readonly (readonly [string, string])[]): readonly Given[] | undefined {
    const given: Given[] = [];
    for (const [name, range] of requests) {
      const found = this.#found(name, range);
      if (found.length === 0) return undefined;
      for (const to of found) given.push({ name, to });
    }
    return given;
  }

  /** One if its key is there, and what may stand for it. */
  #found(name: string, range: string): readonly string[] {
    const named = this.#byName.get(name) ?? [];
    if (this.#forced.some((one) => concerns(one, name)) && named.length > 0) return named;
    const exact = this.#byKey.get(`${name}@${range}`) ?? this.#byKey.get(`${name}@npm:${range}`);
    if (exact !== undefined) return [exact, ...this.#patched(name, range, named)];
    const member = this.#members.find((one) => one.name === name);
    if (member !== undefined && named.length === 0) return [MEMBER + member.folder];
    // Ranges of a catalog, and others that stand for another one.
    return named.length > 0 || !/^(?:link|portal):/.test(range) ? named : [`${MEMBER}${range}`];
  }

  /** The same as yarn itself changes it: `a@patch:a@npm%3A^1#…`. */
  #patched(name: string, range: string, named: readonly string[]): readonly string[] {
    if (named.length < 2) return [];
    const beginnings = [range, encodeURIComponent(range), encodeURIComponent(`npm:${range}`)].map(
      (one) => `${name}@patch:${name}@${one}#`,
    );
    return named.filter((id) =>
      this.#entries[Number(id)]?.keys.some((key) => beginnings.some((one) => key.startsWith(one))),
    );
  }

  #askedForByNone(): readonly Given[] {
    const asked = new Set<string>();
    const rest = this.#entries.flatMap(({ folder }, index) => (folder === undefined ? [] : [String(index)]));
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      if (asked.has(next)) continue;
      asked.add(next);
      for (const request of this.#entries[Number(next)]?.dependencies ?? []) rest.push(...this.#found(...request));
    }
    return this.#entries.flatMap(({ keys: [key = ''] }, index) =>
      asked.has(String(index)) ? [] : [{ name: nameIn(key), to: String(index) }],
    );
  }
}

function nameIn(key: string): string {
  return key.slice(0, key.indexOf('@', 1));
}

/** Whether a key of `resolutions`, such as `a`, `b/a` or `a@npm:^1.0.0`, may speak of a package. */
function concerns(key: string, name: string): boolean {
  return key === name || key.endsWith(`/${name}`) || key.startsWith(`${name}@`) || key.includes(`/${name}@`);
}
