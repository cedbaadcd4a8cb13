/**
 * What tasks of Turbo depend on, in words of this project. Turbo's key of a task folds in all that is upstream, so what a
 * task reaches through others of its package is among its needs. Pure.
 */
import { type Table, textsOf } from '../../base/table.ts';
import type { Member, Repository } from './repository.ts';

/** Stands in a list of a package for that of the root. */
export const EXTENDS = '$TURBO_EXTENDS$';

/** What a task needs, and what follows from that for its other keys. */
export interface Needs {
  readonly names: readonly string[];
  readonly env: readonly string[];
  readonly inputs: readonly string[];
  readonly comments: readonly string[];
}

export class TurboNeeds {
  readonly #repository: Repository;
  readonly #tasks: ReadonlyMap<string, Table>;

  /** `tasks` are those of the root, by name. */
  constructor(repository: Repository, tasks: ReadonlyMap<string, Table>) {
    this.#repository = repository;
    this.#tasks = tasks;
  }

  /**
   * What a task depends on, with what that depends on in turn as far as it is of the same package. A task that no package
   * has a script for runs nothing: it passes on what it depends on, and of packages below the files it counts.
   */
  of(name: string, definition: Table, users: readonly Member[]): Needs {
    const names = new Set<string>();
    const env = new Set<string>();
    const missing = new Set<string>();
    const inputs = new Set<string>();
    const seen = new Set([name, EXTENDS]);
    const rest = [...textsOf(definition['dependsOn'])];
    for (const need of rest) {
      if (seen.has(need)) continue;
      seen.add(need);
      const isUp = need.startsWith('^');
      const onward = isUp ? this.#upward(need.slice(1)) : textsOf(this.#tasks.get(need)?.['dependsOn']);
      if (need.startsWith('$')) env.add(need.slice(1));
      else if (this.#exists(need, users)) {
        names.add(need);
        if (!need.includes('#')) rest.push(...onward);
      } else if (this.#isOnlyPassing(need)) {
        if (isUp) for (const pattern of this.#readBelow(need.slice(1))) inputs.add(pattern);
        rest.push(...onward);
      } else missing.add(need);
    }
    return {
      names: [...names],
      env: [...env],
      inputs: [...inputs],
      comments: missing.size === 0 ? [] : [`Left out, for no package has it: ${[...missing].join(', ')}.`],
    };
  }

  /** Whether it is a task that exists for the sake of what it depends on. */
  #isOnlyPassing(need: string): boolean {
    const { packages, workspace } = this.#repository;
    const name = need.replace(/^\^/, '');
    const isUsed = packages.some(({ scripts }) => scripts[name] !== undefined);
    return workspace !== undefined && !name.includes('#') && this.#tasks.has(name) && !isUsed;
  }

  /** The files that a task counts, as patterns for all packages below. */
  #readBelow(name: string): readonly string[] {
    const written = this.#tasks.get(name)?.['inputs'];
    if (written === undefined) return ['^@default'];
    const taken = textsOf(written).filter((pattern) => !pattern.startsWith('!'));
    return [...taken.map(ownPattern), 'package.json'].map((one) => (one.startsWith('//') ? one : `^${one}`));
  }

  /** What a task of the packages below depends on in packages below them. */
  #upward(name: string): readonly string[] {
    return textsOf(this.#tasks.get(name)?.['dependsOn']).filter((need) => need.startsWith('^'));
  }

  #exists(need: string, users: readonly Member[]): boolean {
    const { packages, root, workspace } = this.#repository;
    const hash = need.lastIndexOf('#');
    const local = need.slice(hash + 1).replace(/^\^/, '');
    if (hash >= 0) {
      const owner = need.slice(0, hash);
      const one = owner === root.name ? root : packages.find(({ name }) => name === owner);
      return one?.scripts[local] !== undefined && (this.#tasks.has(local) || this.#tasks.has(need));
    }
    if (need.startsWith('^')) return packages.some(({ scripts }) => scripts[local] !== undefined);
    if (workspace === undefined || users[0] === root) return root.scripts[local] !== undefined;
    const owners = users.length === 1 ? users : packages;
    return owners.some(({ scripts }) => scripts[local] !== undefined);
  }
}

/** A pattern of `inputs` as it is written here. What is meant by everything is not what tasks write. */
export function ownPattern(pattern: string): string {
  return pattern === '$TURBO_DEFAULT$' || pattern === '**' || pattern === '**/*' ? '@default' : rooted(pattern);
}

/** A pattern of Turbo as it is written here. */
export function rooted(pattern: string): string {
  return pattern.replace(/^(!?)\$TURBO_ROOT\$\//, '$1//').replace(/^(!?)\.\//, '$1');
}
