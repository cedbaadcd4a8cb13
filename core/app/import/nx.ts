/**
 * nx.json and the projects' own settings as a configuration, one file a project. Taken over are targets that run commands
 * or scripts; what other executors do is known to their plugins alone. Which projects there are is read off project.json
 * files and workspaces; which depends on which, that Nx also finds out from imports, only off manifests.
 */
import { FlecheError } from '../../base/errors.ts';
import { type Table, tableOf } from '../../base/table.ts';
import type { Draft, DraftTable } from './draft.ts';
import { NamedInputs } from './nx-inputs.ts';
import { needsOf } from './nx-needs.ts';
import { nxProjects, type Project } from './nx-projects.ts';
import { Targets } from './nx-targets.ts';
import type { Repository } from './repository.ts';
import { withTemplates } from './shared-tasks.ts';
import { type ImportedTask, keysOf, npmRemarks, variables } from './task-keys.ts';

/** Throws `USAGE` if there is no nx.json. */
export function fromNx(repository: Repository): readonly Draft[] {
  const file = repository.json('nx.json');
  if (file === undefined) {
    throw new FlecheError('USAGE', 'there is no nx.json here', { hint: 'Go to the root of the repository.' });
  }
  return new Nx(repository, file).drafts();
}

function isInside({ folder }: Draft): boolean {
  return folder !== '.';
}

/** What is left out is worth a file too. */
function isEmpty({ tables, comments }: Draft): boolean {
  return tables.length === 0 && comments.length === 0;
}

class Nx {
  readonly #repository: Repository;
  readonly #file: Table;
  readonly #projects: readonly Project[];
  readonly #targets: Targets;
  readonly #inputs: NamedInputs;

  constructor(repository: Repository, file: Table) {
    this.#repository = repository;
    this.#file = file;
    this.#projects = nxProjects(repository);
    this.#targets = new Targets(file, this.#projects);
    this.#inputs = new NamedInputs(file, this.#targets);
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
    const whole = [{ folder: '.', comments, tables: [...head, ...(root?.tables ?? [])] }, ...files.filter(isInside)];
    const scripts = new Map(this.#projects.map((one) => [one.folder, one.scripts]));
    return withTemplates(whole, scripts).filter(
      (draft) => !isInside(draft) || !isEmpty(draft) || !this.#repository.has(`${draft.folder}/package.json`),
    );
  }

  /** The task, or why there is none. */
  #table(project: Project, name: string): DraftTable | string {
    const definition = this.#targets.definition(project, name);
    const run = this.#targets.commandOf(project, name, definition);
    if (run === undefined) {
      const { executor } = definition;
      const how = typeof executor === 'string' ? `with the executor ${executor}` : 'whose command a plugin of Nx finds';
      return `No equal: target ${name} ${how}.`;
    }
    const task = this.#task(project, definition, run);
    return { path: ['tasks', name], comments: task.comments, keys: keysOf(task) };
  }

  #task(project: Project, definition: Table, run: string): ImportedTask {
    const needs = needsOf(project, definition, this.#targets);
    const inputs = this.#inputs.of(project, definition, needs.upward);
    const env = variables(inputs.env);
    const options = tableOf(definition['options']);
    return {
      run,
      needs: needs.names,
      inputs: inputs.patterns,
      outputs: [],
      optional: this.#targets.written(project, definition),
      env: env.names,
      passEnv: ['*'],
      cache: definition['cache'] === true,
      persistent: definition['continuous'] === true,
      more: {
        dir: this.#targets.folderOf(project, definition),
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
}
