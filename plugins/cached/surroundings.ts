/**
 * What the calls of one plugin depend on beside their arguments, and share with many others: the root, the environment,
 * what the plugin reads by itself, and the configurations of a folder. As it was at most a moment ago, so what is
 * filed on the strength of it is to be checked again before it is written.
 */
import { dirname } from 'node:path';
import { type Digest, digest, type Part } from '../../core/index.ts';
import { environmentValue, type Machine } from '../machine.ts';
import { Configurations, USUAL_ENV } from './configurations.ts';
import { type CachedOptions, configurationsOf, partOf } from './settings.ts';

export class Surroundings {
  readonly #machine: Machine;
  readonly #root: string;
  readonly #rootParts: readonly Part[];
  readonly #configurations: Configurations;
  readonly #names: readonly string[];
  readonly #uses: readonly string[];
  readonly #env = new Map<string, { readonly value: string | undefined; readonly part: Part }>();

  constructor(plugin: string, settings: CachedOptions, root: string, machine: Machine) {
    const { portable, env = [], uses = [] } = settings;
    const names = configurationsOf(plugin, settings);
    this.#machine = machine;
    this.#root = root;
    this.#rootParts = portable === true ? [] : [partOf('option', 'root', digest(root))];
    this.#names = [...new Set(['NODE_ENV', ...(names === undefined ? USUAL_ENV : []), ...env])];
    this.#configurations = new Configurations(root, machine, names);
    this.#uses = uses;
  }

  /** For a module behind a file. Throws where a folder that is used has too many files. */
  parts(file: string): Part[] {
    return [...this.#rootParts, ...this.#names.map((name) => this.#envPart(name)), ...this.#fileParts(dirname(file))];
  }

  #envPart(name: string): Part {
    const value = environmentValue(name);
    const known = this.#env.get(name);
    if (known !== undefined && known.value === value) return known.part;
    const part = partOf('env', `env:${name}`, digest(value));
    this.#env.set(name, { value, part });
    return part;
  }

  #fileParts(folder: string): readonly Part[] {
    return this.#machine.recently(`surroundings of ${folder}`, () => [
      ...this.#uses.map((path) => partOf('files', `uses:${path}`, this.#used(path))),
      partOf('option', 'configurations', this.#configurations.above(folder)),
    ]);
  }

  #used(path: string): Digest {
    return this.#machine.recently(`content of ${path}`, () => this.#machine.content(`${this.#root}/${path}`));
  }

  /** Whether the files among them are for this module what parts taken earlier say. */
  hold(file: string, parts: readonly Part[]): boolean {
    const then = new Map(parts.map(({ name, digest }) => [name, digest]));
    try {
      return this.#fileParts(dirname(file)).every(({ name, digest }) => then.get(name) === digest);
    } catch {
      return false;
    }
  }
}
