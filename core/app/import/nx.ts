/**
 * nx.json and the projects' own settings as a configuration, one file a project. Taken over are targets that run commands
 * or scripts; what other executors do is known to their plugins alone. Which projects there are is read off project.json
 * files and workspaces; which depends on which, that Nx also finds out from imports, only off manifests.
 */
import { posix } from 'node:path';
import { FlecheError } from '../../base/errors.ts';
import type { Draft, DraftTable } from './draft.ts';
import { nxProjects, type Project } from './nx-projects.ts';
import { type JsonTable, type Repository, tableOf, textsOf } from './repository.ts';
import { type ImportedTask, keysOf, npmRemarks, variables } from './task-keys.ts';

/** Throws `USAGE` if there is no nx.json. */
export function fromNx(repository: Repository): readonly Draft[] {
  const file = repository.json('nx.json');
  if (file === undefined) {
    throw new FlecheError('USAGE', 'there is no nx.json here', { hint: 'Go to the root of the repository.' });
  }
  return new Nx(repository, file).drafts();
}

/** All files of a project, in words of Nx. */
const WHOLE: ReadonlySet<string> = new Set(['**', '**/*']);

/** Inputs of a target, as far as they have an equal. */
interface Inputs {
  readonly patterns: string[];
  readonly env: string[];
  readonly tools: string[];
  readonly comments: string[];
}

class Nx {
  readonly #repository: Repository;
  readonly #file: JsonTable;
  readonly #projects: readonly Project[];

  constructor(repository: Repository, file: JsonTable) {
    this.#repository = repository;
    this.#file = file;
    this.#projects = nxProjects(repository);
  }

  drafts(): readonly Draft[] {
    const folders = this.#projects.map(({ folder }) => folder).filter((folder) => folder !== '.');
    const { workspace } = this.#repository;
    const isCovered = folders.every((folder) => this.#repository.packages.some((one) => one.folder === folder));
    const packages = workspace !== undefined && isCovered ? workspace : folders;
    const files = this.#projects.map((project): Draft => {
      const tables = Object.keys(project.targets).map((name) => this.#table(project, name));
      const left = tables.flatMap((table) => (typeof table === 'string' ? [table] : []));
      return {
        folder: project.folder,
        comments: left,
        tables: tables.flatMap((table) => (typeof table === 'string' ? [] : [table])),
      };
    });
    const root = files.find(({ folder }) => folder === '.');
    const hasBuild = files.some(({ tables }) => tables.some(({ path }) => path[1] === 'build'));
    const head: DraftTable[] = [
      { path: ['default'], keys: { tasks: hasBuild ? ['build'] : undefined } },
      ...(folders.length === 0 ? [] : [{ path: ['workspace'], keys: { packages } }]),
    ];
    const remarks = ['plugins', 'generators', 'release', 'sync', 'tasksRunnerOptions'].filter(
      (key) => key in this.#file,
    );
    const comments = [
      'Made from nx.json by fleche init --from nx. Dependencies between projects are those of their manifests: what Nx',
      'finds out from imports has to stand there, or among the needs of a task. Nx takes a task for done that writes none',
      'of its outputs; where that is a failure, call them "outputs".',
      ...(remarks.length === 0 ? [] : [`Not taken over: ${remarks.join(', ')}.`]),
      ...(root?.comments ?? []),
    ];
    // A project without a manifest is a package by its configuration.
    const others = files.filter(
      ({ folder, tables }) => folder !== '.' && (tables.length > 0 || !this.#repository.has(`${folder}/package.json`)),
    );
    return [{ folder: '.', comments, tables: [...head, ...(root?.tables ?? [])] }, ...others];
  }

  /** A target with its defaults. */
  #definition(project: Project, name: string): JsonTable {
    const defaults = tableOf(this.#file['targetDefaults']);
    const own = tableOf(project.targets[name]);
    const executor = typeof own['executor'] === 'string' ? own['executor'] : undefined;
    const standard = tableOf((executor === undefined ? undefined : defaults[executor]) ?? defaults[name]);
    return { ...standard, ...own, options: { ...tableOf(standard['options']), ...tableOf(own['options']) } };
  }

  /** The task, or why there is none. */
  #table(project: Project, name: string): DraftTable | string {
    const definition = this.#definition(project, name);
    const run = this.#commandOf(project, name, definition);
    if (run === undefined) return `No equal: target ${name} with the executor ${String(definition['executor'])}.`;
    const task = this.#task(project, definition, run);
    return { path: ['tasks', name], comments: task.comments, keys: keysOf(task) };
  }

  #commandOf(project: Project, name: string, definition: JsonTable): string | undefined {
    const options = tableOf(definition['options']);
    const { executor } = definition;
    if (executor === 'nx:run-script') {
      return project.scripts[typeof options['script'] === 'string' ? options['script'] : name];
    }
    if (executor !== undefined && executor !== 'nx:run-commands') return undefined;
    const commands = [
      definition['command'],
      options['command'],
      ...(Array.isArray(options['commands']) ? options['commands'] : []),
    ]
      .map((one) => (typeof one === 'string' ? one : tableOf(one)['command']))
      .filter((one) => typeof one === 'string')
      .map((one) => this.#filled(one, project));
    if (commands.length === 0) return project.scripts[name];
    const [only] = commands;
    if (only !== undefined && commands.length === 1) return only;
    return options['parallel'] === false ? commands.join(' && ') : commands.map((one) => `(${one})`).join(' && ');
  }

  /** Where a target runs, as seen from its project: a script there, commands at the root if nothing else is said. */
  #folderOf(project: Project, definition: JsonTable): string | undefined {
    if (definition['executor'] === 'nx:run-script' || project.folder === '.') return undefined;
    const cwd = tableOf(definition['options'])['cwd'];
    const at = typeof cwd === 'string' ? posix.normalize(this.#filled(cwd, project)).replace(/\/$/, '') : '.';
    if (at === project.folder) return undefined;
    return at === '.' ? '//' : `//${at}`;
  }

  /** Texts may stand for places, which a command is told as seen from the root. */
  #filled(text: string, { folder, name }: Project): string {
    return text
      .replaceAll('{projectRoot}', folder)
      .replaceAll('{projectName}', name)
      .replaceAll('{workspaceRoot}/', '')
      .replaceAll('{workspaceRoot}', '.');
  }

  #task(project: Project, definition: JsonTable, run: string): ImportedTask {
    const outputs = textsOf(definition['outputs']).flatMap((one) => this.#output(one, project, definition) ?? []);
    const needs = this.#needsOf(project, definition);
    const written = definition['inputs'];
    const inputs: Inputs = { patterns: [], env: [], tools: [], comments: [] };
    const all = Array.isArray(written) ? written : ['default', '^default'];
    const below: Inputs = { ...inputs, patterns: [] };
    for (const one of all) {
      this.#input(one, project, needs.upward, typeof one === 'string' && one.startsWith('^') ? below : inputs);
    }
    // Nx counts nothing that git ignores, and what is written as a rule is.
    inputs.patterns.push(...this.#outputsOf(project).map((pattern) => `!${pattern}`), ...below.patterns);
    const isWhole = inputs.patterns.some((pattern) => WHOLE.has(pattern));
    const patterns = isWhole
      ? ['@default', ...inputs.patterns.filter((pattern) => !WHOLE.has(pattern))]
      : inputs.patterns;
    const env = variables(inputs.env);
    const isEndless = definition['continuous'] === true;
    const options = tableOf(definition['options']);
    return {
      run,
      needs: needs.names,
      inputs: [...new Set(patterns)],
      outputs: [],
      optional: outputs,
      env: env.names,
      passEnv: ['*'],
      cache: definition['cache'] === true,
      persistent: isEndless,
      more: {
        dir: this.#folderOf(project, definition),
        tools: inputs.tools.length === 0 ? undefined : inputs.tools,
      },
      comments: [
        ...needs.comments,
        ...inputs.comments,
        ...env.comments,
        ...npmRemarks(run),
        ...(Object.keys(tableOf(options['env'])).length > 0
          ? ['No equal: env of the options; set it in the command.']
          : []),
        ...(Object.keys(tableOf(definition['configurations'])).length > 0
          ? ['No equal: configurations; each of them is a task of its own.']
          : []),
      ],
    };
  }

  /** What all targets of a project write, as seen from it. */
  #outputsOf(project: Project): readonly string[] {
    const all = Object.keys(project.targets).flatMap((target) => {
      const definition = this.#definition(project, target);
      return textsOf(definition['outputs']).flatMap((one) => this.#output(one, project, definition) ?? []);
    });
    return [...new Set(all)].filter((pattern) => !pattern.startsWith('!'));
  }

  #output(text: string, project: Project, definition: JsonTable): string | undefined {
    const option = /^\{options\.([\w.]+)\}/.exec(text)?.[1];
    const value = option === undefined ? undefined : tableOf(definition['options'])[option];
    if (option !== undefined && typeof value !== 'string') return undefined;
    const whole = option === undefined ? text : text.replace(`{options.${option}}`, `{workspaceRoot}/${String(value)}`);
    return this.#place(whole, project);
  }

  /** A pattern in words of Nx as seen from the project. */
  #place(text: string, { folder, name }: Project): string {
    const negation = text.startsWith('!') ? '!' : '';
    const named = text.slice(negation.length).replaceAll('{projectName}', name);
    const path = named.replace(/^\{projectRoot\}(?:\/|$)/, '');
    if (path !== named) return negation + (path === '' ? '**' : path);
    const fromRoot = posix.normalize(named.replace(/^\{workspaceRoot\}\//, '').replaceAll('{projectRoot}', folder));
    if (folder === '.') return negation + fromRoot;
    return fromRoot.startsWith(`${folder}/`)
      ? negation + fromRoot.slice(folder.length + 1)
      : `${negation}//${fromRoot}`;
  }

  /** One input. Of projects below counts what they make where they are needed, else their files. */
  #input(written: unknown, project: Project, upward: boolean, into: Inputs): void {
    if (typeof written === 'string') {
      if (written.startsWith('^')) this.#inputBelow(written.slice(1), project, upward, into);
      else if (written.includes('{') || written.startsWith('!')) into.patterns.push(this.#place(written, project));
      else this.#namedInput(written, project, upward, into);
      return;
    }
    const table = tableOf(written);
    const { fileset, env, runtime, externalDependencies, input, dependencies, projects } = table;
    if (typeof fileset === 'string') into.patterns.push(this.#place(fileset, project));
    else if (typeof env === 'string') into.env.push(env);
    else if (runtime !== undefined) into.comments.push(`No equal: the input that ${String(runtime)} prints.`);
    else if (externalDependencies !== undefined) into.tools.push(...textsOf(externalDependencies));
    else if (typeof input === 'string' && dependencies === true) this.#inputBelow(input, project, upward, into);
    else if (typeof input === 'string' && projects !== undefined) {
      for (const name of [projects].flat()) this.#inputOf(input, String(name), project, upward, into);
    } else if (typeof input === 'string') this.#namedInput(input, project, upward, into);
  }

  #namedInput(name: string, project: Project, upward: boolean, into: Inputs): void {
    const named = tableOf(this.#file['namedInputs'])[name] ?? project.namedInputs[name];
    if (Array.isArray(project.namedInputs[name] ?? named)) {
      const list = project.namedInputs[name] ?? named;
      for (const one of Array.isArray(list) ? list : []) this.#input(one, project, upward, into);
    } else if (name === 'default') {
      into.patterns.push('**');
    } else into.comments.push(`Left out: the input "${name}", which nx.json does not name.`);
  }

  #inputBelow(name: string, project: Project, upward: boolean, into: Inputs): void {
    if (upward) return;
    for (const other of project.dependencies) this.#inputOf(name, other, project, upward, into);
  }

  /** Files of another project, as seen from this one. */
  #inputOf(name: string, other: string, project: Project, upward: boolean, into: Inputs): void {
    const found = this.#projects.find((one) => one.name === other || one.packageName === other);
    if (found === undefined || found === project) return;
    const theirs: Inputs = { patterns: [], env: into.env, tools: into.tools, comments: into.comments };
    this.#namedInput(name, found, upward, theirs);
    theirs.patterns.push(...this.#outputsOf(found).map((pattern) => `!${pattern}`));
    for (const pattern of theirs.patterns) {
      const negation = pattern.startsWith('!') ? '!' : '';
      const path = pattern.slice(negation.length);
      into.patterns.push(path.startsWith('//') ? pattern : `${negation}//${posix.join(found.folder, path)}`);
    }
  }

  /** `upward`: whether what projects below make is among the needs. */
  #needsOf(
    project: Project,
    definition: JsonTable,
  ): { readonly names: readonly string[]; readonly upward: boolean; readonly comments: readonly string[] } {
    const names = new Set<string>();
    const missing: string[] = [];
    let upward = false;
    const visited = new Set<string>();
    const visit = (written: unknown): void => {
      for (const one of Array.isArray(written) ? written : []) {
        for (const need of this.#meant(one, project)) {
          if (visited.has(need)) continue;
          visited.add(need);
          if (need.startsWith('^')) {
            if (!this.#projects.some((other) => this.#isTask(other, need.slice(1)))) continue;
            upward = true;
            names.add(need);
          } else if (need.includes('#')) {
            if (this.#isTaskNamed(need)) names.add(need);
            else missing.push(need);
          } else if (this.#isTask(project, need)) {
            names.add(need);
            visit(this.#definition(project, need)['dependsOn']);
          } else if (project.targets[need] !== undefined) missing.push(need);
        }
      }
    };
    visit(definition['dependsOn']);
    for (const need of [...names].filter((need) => need.startsWith('^'))) {
      for (const other of project.implicit) {
        const found = this.#projects.find(({ name }) => name === other);
        if (found !== undefined && this.#isTask(found, need.slice(1)))
          names.add(`${found.packageName}#${need.slice(1)}`);
      }
    }
    const comments = missing.length === 0 ? [] : [`Left out, for it has no equal: ${missing.join(', ')}.`];
    return { names: [...names], upward, comments };
  }

  #meant(written: unknown, { name, packageName }: Project): readonly string[] {
    if (typeof written === 'string') {
      const [owner = '', target] = written.split(':');
      if (target === undefined || written.startsWith('^')) return [written];
      const found = this.#projects.find((one) => one.name === owner);
      if (found === undefined) return [written];
      return [owner === name ? target : `${found.packageName}#${target}`];
    }
    const { target, projects, dependencies } = tableOf(written);
    if (typeof target !== 'string') return [];
    if (dependencies === true || projects === 'dependencies') return [`^${target}`];
    if (projects === undefined || projects === 'self') return [target];
    return [projects].flat().map((one) => {
      const found = this.#projects.find((other) => other.name === one);
      return found?.packageName === packageName ? target : `${found?.packageName ?? String(one)}#${target}`;
    });
  }

  #isTask(project: Project, name: string): boolean {
    return (
      project.targets[name] !== undefined &&
      this.#commandOf(project, name, this.#definition(project, name)) !== undefined
    );
  }

  #isTaskNamed(need: string): boolean {
    const hash = need.lastIndexOf('#');
    const project = this.#projects.find(({ packageName }) => packageName === need.slice(0, hash));
    return project !== undefined && this.#isTask(project, need.slice(hash + 1));
  }
}
