/**
 * What a target reads, in words of this project. Of projects below counts what they make where that is needed, else their
 * files. What has no equal is said in comments. Pure.
 */
import { posix } from 'node:path';
import { type Table, tableOf, textsOf } from '../../base/table.ts';
import type { Project } from './nx-projects.ts';
import type { Targets } from './nx-targets.ts';

/** All files of a project, in words of Nx. */
const WHOLE: ReadonlySet<string> = new Set(['**', '**/*']);

/** Inputs of a target, as far as they have an equal. */
interface TargetInputs {
  readonly patterns: readonly string[];
  readonly env: readonly string[];
  readonly tools: readonly string[];
  readonly comments: readonly string[];
}

export class NamedInputs {
  readonly #shared: Table;
  readonly #targets: Targets;

  /** `file` is what is in nx.json. */
  constructor(file: Table, targets: Targets) {
    this.#shared = tableOf(file['namedInputs']);
    this.#targets = targets;
  }

  /** `upward`: whether what projects below make is among the needs of the target. */
  of(project: Project, definition: Table, upward: boolean): TargetInputs {
    const written = definition['inputs'];
    const found = new Finding(this.#shared, this.#targets, upward);
    const below = found.beside();
    for (const one of Array.isArray(written) ? written : ['default', '^default']) {
      (typeof one === 'string' && one.startsWith('^') ? below : found).add(one, project);
    }
    const own = found.patterns.filter((pattern) => !WHOLE.has(pattern));
    // Nx counts nothing that git ignores, and what is written as a rule is; of everything it is no part anyway.
    if (own.length === found.patterns.length) own.push(...takenAway(this.#targets.outputsOf(project)));
    else own.unshift('@default');
    return { ...found, patterns: [...new Set([...own, ...below.patterns])] };
  }
}

/** Inputs while they are found. */
class Finding implements TargetInputs {
  readonly patterns: string[] = [];
  readonly env: string[];
  readonly tools: string[];
  readonly comments: string[];
  readonly #shared: Table;
  readonly #targets: Targets;
  readonly #upward: boolean;

  constructor(shared: Table, targets: Targets, upward: boolean, like?: Finding) {
    this.#shared = shared;
    this.#targets = targets;
    this.#upward = upward;
    this.env = like?.env ?? [];
    this.tools = like?.tools ?? [];
    this.comments = like?.comments ?? [];
  }

  /** The same with patterns of its own. */
  beside(): Finding {
    return new Finding(this.#shared, this.#targets, this.#upward, this);
  }

  add(written: unknown, project: Project): void {
    if (typeof written === 'string') {
      if (written.startsWith('^')) this.#below(written.slice(1), project);
      else if (written.includes('{') || written.startsWith('!')) this.#fileset(written, project);
      else this.#named(written, project);
      return;
    }
    const { fileset, env, runtime, externalDependencies, input, dependencies, projects } = tableOf(written);
    if (typeof fileset === 'string') this.#fileset(fileset, project);
    else if (typeof env === 'string') this.env.push(env);
    else if (runtime !== undefined) this.comments.push(`No equal: the input that ${String(runtime)} prints.`);
    else if (externalDependencies !== undefined) this.tools.push(...textsOf(externalDependencies));
    else if (typeof input === 'string' && dependencies === true) this.#below(input, project);
    else if (typeof input === 'string' && projects !== undefined) {
      for (const name of [projects].flat()) {
        const other = this.#targets.project(String(name));
        if (other !== undefined && other !== project) this.#ofOther(input, other);
      }
    } else if (typeof input === 'string') this.#named(input, project);
  }

  #fileset(text: string, project: Project): void {
    this.patterns.push(this.#targets.place(text, project));
  }

  #named(name: string, project: Project): void {
    const list = project.namedInputs[name] ?? this.#shared[name];
    if (Array.isArray(list)) for (const one of list) this.add(one, project);
    else if (name === 'default') this.patterns.push('**');
    else this.comments.push(`Left out: the input "${name}", which nx.json does not name.`);
  }

  #below(name: string, project: Project): void {
    if (this.#upward) return;
    for (const other of this.#targets.below(project)) this.#ofOther(name, other);
  }

  /** Files of another project, from the root. */
  #ofOther(name: string, other: Project): void {
    const theirs = this.beside();
    theirs.#named(name, other);
    for (const pattern of [...theirs.patterns, ...takenAway(this.#targets.outputsOf(other))]) {
      const negation = pattern.startsWith('!') ? '!' : '';
      const path = pattern.slice(negation.length);
      this.patterns.push(path.startsWith('//') ? pattern : `${negation}//${posix.join(other.folder, path)}`);
    }
  }
}

function takenAway(patterns: readonly string[]): readonly string[] {
  return patterns.map((pattern) => `!${pattern}`);
}
