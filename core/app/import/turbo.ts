/**
 * turbo.json (version 2) as a configuration: tasks of all packages become templates, tasks of one package stand in its own
 * file. Turbo's key of a task folds in all that is upstream, so what a task reaches through others is among its needs.
 */
import { FlecheError } from '../../base/errors.ts';
import { type Table, tableOf, textsOf } from '../../base/table.ts';
import type { Draft, DraftTable } from './draft.ts';
import { commandOf, type Member, type Repository } from './repository.ts';
import { type LeftOutputs, leftOutputs } from './shared-outputs.ts';
import { type ImportedTask, keysBeside, keysOf, NOTHING, npmRemarks, type Variables, variables } from './task-keys.ts';
import { EXTENDS, ownPattern, rooted, TurboNeeds } from './turbo-needs.ts';

const FILE = 'turbo.json';
/** The list of inputs that all tasks have. */
const GLOBAL = 'global';

/** Variables that Turbo counts for packages that use a framework. */
const FRAMEWORKS: Readonly<Record<string, readonly string[]>> = {
  next: ['NEXT_PUBLIC_*'],
  vite: ['VITE_*'],
  astro: ['PUBLIC_*'],
  gatsby: ['GATSBY_*'],
  nuxt: ['NUXT_*', 'NITRO_*'],
  expo: ['EXPO_PUBLIC_*'],
  'react-scripts': ['REACT_APP_*'],
  '@vue/cli-service': ['VUE_APP_*'],
  '@sveltejs/kit': ['VITE_*', 'PUBLIC_*'],
  '@redwoodjs/core': ['REDWOOD_ENV_*'],
};

/** Keys of tasks that change nothing here, or have no equal. */
const SAID: Readonly<Record<string, string>> = {
  outputLogs: 'No equal: outputLogs; what is shown is chosen with --log.',
  interactive: 'No equal: interactive; tasks have no terminal.',
  interruptible: 'No equal: interruptible; watch always begins anew when something changes.',
  with: 'No equal: with; name both tasks where they are wanted.',
};

/** Throws `USAGE` if there is no turbo.json, or one of version 1. */
export function fromTurbo(repository: Repository): readonly Draft[] {
  return new Turbo(repository).drafts();
}

class Turbo {
  readonly #repository: Repository;
  readonly #file: Table;
  /** By name: `build`, `package#build` or `//#build`. */
  readonly #tasks: ReadonlyMap<string, Table>;
  readonly #own = new Map<Member, Table>();
  readonly #needs: TurboNeeds;

  constructor(repository: Repository) {
    const file = repository.json(FILE) ?? repository.json(`${FILE}c`);
    if (file === undefined) {
      throw new FlecheError('USAGE', `there is no ${FILE} here`, { hint: 'Go to the root of the repository.' });
    }
    if (file['tasks'] === undefined && file['pipeline'] !== undefined) {
      throw new FlecheError('USAGE', `${FILE} is of version 1, with "pipeline"`, {
        hint: 'Bring it up to version 2 first: npx @turbo/codemod migrate.',
      });
    }
    this.#repository = repository;
    this.#file = file;
    this.#tasks = new Map(Object.entries(tableOf(file['tasks'])).map(([name, task]) => [name, tableOf(task)]));
    this.#needs = new TurboNeeds(repository, this.#tasks);
  }

  drafts(): readonly Draft[] {
    const { packages, workspace } = this.#repository;
    const shared = [...this.#tasks.keys()].filter((name) => !name.includes('#'));
    if (workspace === undefined) return [this.#rootDraft([], this.#rootTasks(shared))];
    const templates = shared.flatMap((name) => this.#template(name) ?? []);
    const head: DraftTable = { path: ['workspace'], keys: { packages: workspace } };
    const own = [...this.#tasks.keys()].flatMap((name) => (name.startsWith('//#') ? [name.slice(3)] : []));
    const files = packages.map((one) => this.#packageDraft(one)).filter(({ tables }) => tables.length > 0);
    return [this.#rootDraft([head], [...templates, ...this.#rootTasks(own)]), ...files];
  }

  #rootDraft(head: readonly DraftTable[], tables: readonly DraftTable[]): Draft {
    const names = tables.map(({ path }) => path[1] ?? '');
    const tasks = names.includes('build') ? ['build'] : names.slice(0, 1);
    const { global, passed } = this.#variables;
    const keys = keysOf({ ...NOTHING, cache: true, env: global.names, passEnv: passed.names });
    const defaults: DraftTable = {
      path: ['default'],
      keys: { tasks: tasks.length === 0 ? undefined : tasks, ...keys },
    };
    const shared: readonly DraftTable[] =
      this.#dependencies.length === 0 ? [] : [{ path: ['inputs'], keys: { [GLOBAL]: this.#dependencies } }];
    const remarks = ['remoteCache', 'daemon', 'ui', 'concurrency', 'boundaries'].filter((key) => key in this.#file);
    return {
      folder: '.',
      comments: [
        `Made from ${FILE} by fleche init --from turbo.`,
        'Turbo takes a task for done that writes none of its outputs; where that is a failure, call them "outputs".',
        ...(remarks.length === 0 ? [] : [`Not taken over: ${remarks.join(', ')}.`]),
        ...global.comments,
        ...passed.comments,
      ],
      tables: [defaults, ...head, ...shared, ...tables],
    };
  }

  /** What all tasks have beside their own. */
  get #variables(): { readonly global: Variables; readonly passed: Variables } {
    const loose = this.#file['envMode'] === 'loose' ? ['*'] : [];
    return {
      global: variables(textsOf(this.#file['globalEnv'])),
      passed: variables([...textsOf(this.#file['globalPassThroughEnv']), ...loose]),
    };
  }

  /** Files that all tasks read, seen from the root. */
  get #dependencies(): readonly string[] {
    return textsOf(this.#file['globalDependencies']).map((path) =>
      path.startsWith('!') ? `!//${path.slice(1)}` : `//${path}`,
    );
  }

  #template(name: string): DraftTable | undefined {
    const users = this.#repository.packages.filter(({ scripts }) => scripts[name] !== undefined);
    if (users.length === 0) return undefined;
    const task = this.#task(name, this.#tasks.get(name) ?? {}, users);
    return { path: ['templates', name], comments: task.comments, keys: keysOf(task) };
  }

  #rootTasks(names: readonly string[]): readonly DraftTable[] {
    const { root, runsPreAndPost } = this.#repository;
    return names.flatMap((name): DraftTable[] => {
      if (root.scripts[name] === undefined) return [];
      const definition = this.#tasks.get(`//#${name}`) ?? this.#tasks.get(name) ?? {};
      const task = this.#task(name, definition, [root]);
      const run = commandOf(root, name, runsPreAndPost);
      return [
        {
          path: ['tasks', name],
          comments: [...task.comments, ...npmRemarks(run)],
          keys: keysOf({ ...task, run }),
        },
      ];
    });
  }

  /** What a package has for itself, beside the templates. */
  #packageDraft(one: Member): Draft {
    const { runsPreAndPost } = this.#repository;
    const file = this.#ownTasks(one);
    const names = [...new Set([...this.#tasks.keys(), ...Object.keys(file)].map(localName))];
    const tables = names.flatMap((name): DraftTable[] => {
      const script = one.scripts[name];
      if (script === undefined) return [];
      const shared = this.#tasks.get(name);
      const definition = this.#tasks.get(`${one.name}#${name}`) ?? shared;
      if (definition === undefined && file[name] === undefined) return [];
      const template = shared === undefined ? {} : (this.#template(name)?.keys ?? {});
      const whole = this.#task(name, this.#definitionOf(one, name), [one]);
      const command = commandOf(one, name, runsPreAndPost);
      const isOwn = definition !== shared || file[name] !== undefined;
      const all = keysOf({ ...whole, run: command === script ? undefined : command });
      const keys = isOwn || shared === undefined ? keysBeside(template, all) : { run: all['run'] };
      const isNothing = Object.values(keys).every((value) => value === undefined);
      if (isNothing && shared !== undefined) return [];
      return [{ path: ['tasks', name], comments: isOwn ? whole.comments : [], keys }];
    });
    return { folder: one.folder, comments: ['Made by fleche init --from turbo.'], tables };
  }

  #task(name: string, definition: Table, users: readonly Member[]): ImportedTask {
    const own = variables(textsOf(definition['env']));
    const passed = variables(textsOf(definition['passThroughEnv']));
    const needs = this.#needs.of(name, definition, users);
    const outputs = this.#outputsOf(name, definition, users);
    const isPersistent = definition['persistent'] === true;
    return {
      needs: needs.names,
      inputs: this.#inputsOf(definition, users, needs.inputs),
      outputs: [],
      optional: outputs.patterns,
      env: [...own.names, ...needs.env, ...frameworkVariables(users)],
      passEnv: passed.names,
      cache: definition['cache'] !== false && outputs.isWhole,
      persistent: isPersistent,
      comments: [
        ...needs.comments,
        ...outputs.comments,
        ...own.comments,
        ...passed.comments,
        ...Object.keys(definition).flatMap((key) => SAID[key] ?? []),
      ],
    };
  }

  /** Those that no task before this one has in one of the packages. */
  #outputsOf(name: string, definition: Table, users: readonly Member[]): LeftOutputs {
    const names = [...new Set([...this.#tasks.keys()].map(localName))];
    const before = names.slice(0, Math.max(0, names.indexOf(name)));
    const others = users.flatMap((one) =>
      before.flatMap((other) =>
        one.scripts[other] === undefined
          ? []
          : [{ other, written: textsOf(this.#definitionOf(one, other)['outputs']) }],
      ),
    );
    return leftOutputs(
      textsOf(definition['outputs']).map(rooted),
      (pattern) => others.find(({ written }) => written.map(rooted).includes(pattern))?.other,
    );
  }

  /** What a task is in a package, with what the package says of it. */
  #definitionOf(one: Member, name: string): Table {
    return merged(
      this.#tasks.get(`${one.name}#${name}`) ?? this.#tasks.get(name) ?? {},
      tableOf(this.#ownTasks(one)[name]),
    );
  }

  /** What the turbo.json of a package says of tasks. */
  #ownTasks(one: Member): Table {
    const known = this.#own.get(one);
    if (known !== undefined) return known;
    const file = `${one.folder}/${FILE}`;
    const said = one.folder === '.' ? {} : (this.#repository.json(file) ?? this.#repository.json(`${file}c`) ?? {});
    const tasks = tableOf(said['tasks']);
    this.#own.set(one, tasks);
    return tasks;
  }

  #inputsOf(definition: Table, users: readonly Member[], below: readonly string[]): readonly string[] | undefined {
    const global = this.#dependencies.length === 0 ? [] : [`@${GLOBAL}`];
    const written = definition['inputs'] === undefined ? undefined : textsOf(definition['inputs']);
    const others = [...below, ...global];
    if (written === undefined) return others.length === 0 ? undefined : inFront(['@default', ...others]);
    const manifests = users.some(({ folder }) => folder !== '.') ? ['package.json'] : [];
    return inFront([...written.map(ownPattern), ...manifests, ...others]);
  }
}

/** Everything in folders has to come before what is taken away of it. */
function inFront(patterns: readonly string[]): readonly string[] {
  const whole = ['@default', '^@default'];
  return [
    ...whole.filter((pattern) => patterns.includes(pattern)),
    ...patterns.filter((pattern) => !whole.includes(pattern)),
  ];
}

function localName(name: string): string {
  return name.slice(name.lastIndexOf('#') + 1);
}

/** Keys of a package's own turbo.json replace those of the root; lists may say that they add to them. */
function merged(shared: Table, own: Table): Table {
  const lists = Object.entries(own).map(([key, value]) => {
    const texts = textsOf(value);
    if (!texts.includes(EXTENDS)) return [key, value] as const;
    return [key, [...textsOf(shared[key]), ...texts.filter((text) => text !== EXTENDS)]] as const;
  });
  return { ...shared, ...Object.fromEntries(lists) };
}

function frameworkVariables(users: readonly Member[]): readonly string[] {
  const used = users.flatMap(({ manifest }) => [
    ...Object.keys(tableOf(manifest['dependencies'])),
    ...Object.keys(tableOf(manifest['devDependencies'])),
  ]);
  return [...new Set(used.flatMap((name) => FRAMEWORKS[name] ?? []))];
}
