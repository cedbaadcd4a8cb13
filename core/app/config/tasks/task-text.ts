/**
 * A task as it is written: by its own entry, by a template that its package shares with others, or by both, when the
 * entry replaces keys of the template. Knows nothing of what the keys mean but which of them say what a task does.
 */
import type { SourcePosition } from '../../../base/errors.ts';
import { type Table, tableOf } from '../../../base/table.ts';
import { type Package, ROOT } from '../../packages/packages.ts';
import type { KeyPath, Positions } from '../text/positions.ts';
import type { Problems } from '../text/problems.ts';

/** A table of a file, with the path that leads to it. */
export interface Entry {
  readonly table: Table;
  readonly path: KeyPath;
  readonly positions: Positions;
  readonly problems: Problems;
}

/** Where something stands, and where to note what is wrong with it. */
export interface Spot {
  readonly path: KeyPath;
  readonly problems: Problems;
}

/** Keys that say what a task does, and with what. */
const BODY: readonly string[] = ['run', 'stdin', 'call', 'args'];

export class TaskText {
  /** The task's name within its package. */
  readonly local: string;
  /** The package that the task belongs to; paths are relative to its folder. */
  readonly home: Package;
  readonly #own: Entry | undefined;
  readonly #template: Entry | undefined;

  /** One of `own` and `template` is there. */
  constructor(home: Package, local: string, own: Entry | undefined, template: Entry | undefined) {
    this.home = home;
    this.local = local;
    this.#own = own;
    this.#template = template;
  }

  /** The task's name in the project. */
  get name(): string {
    return qualified(this.home, this.local);
  }

  get isFromTemplate(): boolean {
    return this.#template !== undefined;
  }

  value(key: string): unknown {
    const own = this.#own?.table[key];
    if (this.#template === undefined) return own;
    if (key === 'args' && !this.#hasOwnBody) {
      const merged = { ...tableOf(this.#template.table['args']), ...tableOf(own) };
      return Object.keys(merged).length === 0 ? undefined : merged;
    }
    return own ?? this.#shared(key);
  }

  #shared(key: string): unknown {
    return BODY.includes(key) && this.#hasOwnBody ? undefined : this.#template?.table[key];
  }

  get #hasOwnBody(): boolean {
    const { table } = this.#own ?? {};
    return table?.['run'] !== undefined || table?.['call'] !== undefined;
  }

  /** Where a key, or what is in it, stands; if it stands nowhere, where the task does. */
  spot(...steps: readonly (string | number)[]): Spot {
    const [key, name] = steps;
    const own =
      key === 'args' && name !== undefined ? tableOf(this.#own?.table['args'])[name] : this.#own?.table[key ?? ''];
    const shared = own === undefined && this.#shared(String(key)) !== undefined;
    const entry = this.#entry(shared);
    return { path: [...entry.path, ...steps], problems: entry.problems };
  }

  get at(): SourcePosition {
    const { path, positions } = this.#entry(this.#own === undefined);
    return positions.lazyKey(path);
  }

  /** Where a key of it stands. */
  keyAt(key: string): SourcePosition {
    const { path, positions } = this.#entry(this.#own?.table[key] === undefined);
    return positions.lazyKey([...path, key]);
  }

  #entry(shared: boolean): Entry {
    const entry = shared ? this.#template : (this.#own ?? this.#template);
    return entry ?? NOWHERE;
  }
}

const NOWHERE: Entry = Object.freeze({
  table: {},
  path: [],
  get positions(): never {
    throw new Error('bug: a task that is written nowhere');
  },
  get problems(): never {
    throw new Error('bug: a task that is written nowhere');
  },
});

/** The name in the project of a package's task. */
export function qualified({ name }: Package, local: string): string {
  return name === ROOT ? local : `${name}#${local}`;
}
