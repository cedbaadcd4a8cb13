/**
 * The targets of an Nx repository: what they run, where, and what they write, in words of this project. Only what is read
 * of nx.json and the projects' own settings counts; what executors do beside that is known to their plugins alone.
 */
import { posix } from 'node:path';
import { type Table, tableOf, textsOf } from '../../base/table.ts';
import type { Project } from './nx-projects.ts';

export class Targets {
  readonly #defaults: Table;
  readonly #projects: readonly Project[];

  /** `file` is what is in nx.json. */
  constructor(file: Table, projects: readonly Project[]) {
    this.#defaults = tableOf(file['targetDefaults']);
    this.#projects = projects;
  }

  /** A project by what Nx calls it, or by what it is called here. */
  project(name: string): Project | undefined {
    return this.#projects.find((one) => one.name === name || one.packageName === name);
  }

  /** The projects that one depends on by manifests, directly or through others. */
  below(project: Project): ReadonlySet<Project> {
    const found = new Set<Project>();
    const rest = [project];
    for (const one of rest) {
      for (const name of one.dependencies) {
        const other = this.project(name);
        if (other === undefined || other === project || found.has(other)) continue;
        found.add(other);
        rest.push(other);
      }
    }
    return found;
  }

  /** Whether any project has a task of this name. */
  isTaskAnywhere(name: string): boolean {
    return this.#projects.some((one) => this.isTask(one, name));
  }

  /** A target with its defaults. */
  definition(project: Project, name: string): Table {
    const defaults = this.#defaults;
    const own = tableOf(project.targets[name]);
    const executor = typeof own['executor'] === 'string' ? own['executor'] : undefined;
    const standard = tableOf((executor === undefined ? undefined : defaults[executor]) ?? defaults[name]);
    return { ...standard, ...own, options: { ...tableOf(standard['options']), ...tableOf(own['options']) } };
  }

  /** Undefined for a target that runs neither a command nor a script. */
  commandOf(project: Project, name: string, definition: Table): string | undefined {
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
  folderOf(project: Project, definition: Table): string | undefined {
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

  /** What all targets of a project write, as seen from it. */
  outputsOf(project: Project): readonly string[] {
    const all = Object.keys(project.targets).flatMap((target) => {
      const definition = this.definition(project, target);
      return this.written(project, definition);
    });
    return [...new Set(all)].filter((pattern) => !pattern.startsWith('!'));
  }

  /** What one target writes, as seen from its project. */
  written(project: Project, definition: Table): readonly string[] {
    return textsOf(definition['outputs']).flatMap((one) => this.#output(one, project, definition) ?? []);
  }

  #output(text: string, project: Project, definition: Table): string | undefined {
    const option = /^\{options\.([\w.]+)\}/.exec(text)?.[1];
    const value = option === undefined ? undefined : tableOf(definition['options'])[option];
    if (option !== undefined && typeof value !== 'string') return undefined;
    const whole = option === undefined ? text : text.replace(`{options.${option}}`, `{workspaceRoot}/${String(value)}`);
    return this.place(whole, project);
  }

  /** A pattern in words of Nx as seen from the project. */
  place(text: string, { folder, name }: Project): string {
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

  /** Whether a target of a project can be taken over. */
  isTask(project: Project, name: string): boolean {
    return (
      project.targets[name] !== undefined && this.commandOf(project, name, this.definition(project, name)) !== undefined
    );
  }

  /** The same, of `project#target`. */
  isTaskNamed(need: string): boolean {
    const hash = need.lastIndexOf('#');
    const project = this.#projects.find(({ packageName }) => packageName === need.slice(0, hash));
    return project !== undefined && this.isTask(project, need.slice(hash + 1));
  }
}
