/**
 * Outputs of tasks for Vite, Rolldown and Rollup: `import data from 'fleche:codegen/schema.json'`. An output is imported
 * as the file that it is, so that whatever the bundler does for such files is done for it.
 */
import { FlecheError } from '../../core/index.ts';
import { IMPORT } from './task-import.ts';
import { Pipeline, type PipelineOptions, valueText } from './task-outputs.ts';

/** A bundler's module, as far as this plugin needs to know it. */
interface Module {
  readonly id: string | null;
}

interface ModuleGraph {
  getModuleById(id: string): Module | undefined;
  getModulesByFile(file: string): Set<Module> | undefined;
}

interface DevServer {
  readonly watcher: { add(paths: readonly string[]): unknown };
}

interface Environment {
  readonly name: string;
  readonly moduleGraph?: ModuleGraph;
}

interface Host {
  addWatchFile(path: string): void;
  error(message: string): never;
  readonly environment?: Environment;
}

interface Update<M> {
  readonly file: string;
  readonly timestamp: number;
  readonly modules: readonly M[];
}

/** A plugin for Vite, Rolldown and Rollup, as far as these need to know it. */
export interface PipelinePlugin {
  readonly name: string;
  readonly enforce: 'pre';
  configResolved(config: { readonly root: string }): void;
  configureServer(server: DevServer): void;
  buildStart(): Promise<void>;
  watchChange(): void;
  readonly resolveId: {
    readonly filter: { readonly id: RegExp };
    readonly handler: (this: Host, source: string) => Promise<string | null>;
  };
  readonly load: {
    readonly filter: { readonly id: RegExp };
    readonly handler: (this: Host, id: string) => Promise<string | null>;
  };
  hotUpdate<M extends Module>(this: { readonly environment: Environment }, update: Update<M>): Promise<M[] | undefined>;
}

/** Before the import that a value stands for. */
const VALUE = '\0fleche-value:';
const VALUES = /^\0fleche-value:/;

/**
 * Runs or restores the tasks that modules import from, and watches what these tasks read. A task that fails is an error
 * of the build, with what it printed. In Vite's server a change of what a task reads runs it again, and updates the
 * modules that it made otherwise, and no others.
 */
export function pipelineForVite(options: PipelineOptions = {}): PipelinePlugin {
  const tasks = new Pipeline(options);
  const updates = new Updates(tasks);
  let server: DevServer | undefined;
  if (options.cwd !== undefined) tasks.settle(options.cwd);
  const watch = (host?: Host): void => {
    const { files, folders } = tasks.watched;
    for (const file of files) host?.addWatchFile(file);
    // The folder of the project has more in it than what tasks read, and what is bundled of it is watched anyway.
    server?.watcher.add([...files, ...folders.filter((folder) => folder !== tasks.root)]);
  };
  return {
    name: 'fleche:pipeline',
    enforce: 'pre',
    configResolved: ({ root }) => tasks.settle(root),
    configureServer: (made) => {
      server = made;
    },
    // A build that follows another one may not ask again for what is imported.
    buildStart: () => tasks.refresh().catch(() => {}),
    watchChange: () => tasks.renew(),
    resolveId: {
      filter: { id: IMPORT },
      async handler(source) {
        if (!IMPORT.test(source)) return null;
        try {
          const { file } = await tasks.output(source);
          await updates.note(this.environment?.name ?? '');
          return file ?? VALUE + source;
        } catch (error) {
          return error instanceof FlecheError ? this.error(error.describe()) : Promise.reject(error);
        } finally {
          watch(this);
        }
      },
    },
    load: {
      filter: { id: VALUES },
      async handler(id) {
        if (!VALUES.test(id)) return null;
        const output = await tasks.output(id.slice(VALUE.length));
        return `export default ${valueText(output).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}`;
      },
    },
    async hotUpdate<M extends Module>(
      this: { readonly environment: Environment },
      { file, timestamp, modules }: Update<M>,
    ): Promise<M[] | undefined> {
      const { name, moduleGraph } = this.environment;
      const changed = await updates.after(file, timestamp, name).finally(() => watch());
      if (changed === undefined || moduleGraph === undefined) return undefined;
      const made = changed.flatMap((id) =>
        id.startsWith(VALUE) ? (moduleGraph.getModuleById(id) ?? []) : [...(moduleGraph.getModulesByFile(id) ?? [])],
      );
      const others = modules.filter(({ id }) => id !== null && !updates.isOutput(id));
      return [...new Set([...others, ...(made as M[])])];
    },
  };
}

/** What each environment was given, and what has to be given to it anew. */
class Updates {
  readonly #tasks: Pipeline;
  /** For each environment the digests of what stands behind modules. */
  readonly #given = new Map<string, Map<string, string>>();
  readonly #outputs = new Set<string>();
  #refreshed: { readonly timestamp: number; readonly file: string; readonly done: Promise<void> } | undefined;

  constructor(tasks: Pipeline) {
    this.#tasks = tasks;
  }

  isOutput(id: string): boolean {
    return this.#outputs.has(id);
  }

  /** Takes down what an environment is given now. Returns the modules that were given otherwise before. */
  async note(environment: string): Promise<readonly string[]> {
    const given = this.#given.get(environment) ?? new Map<string, string>();
    this.#given.set(environment, given);
    const changed: string[] = [];
    for (const [source, { file, digest }] of await this.#tasks.state()) {
      const id = file ?? VALUE + source;
      this.#outputs.add(id);
      if (given.has(id) && given.get(id) !== digest) changed.push(id);
      given.set(id, digest);
    }
    return changed;
  }

  /**
   * The modules that are other ones after a file changed; undefined if it is no matter of tasks. Throws what is wrong with
   * the tasks then.
   */
  async after(file: string, timestamp: number, environment: string): Promise<readonly string[] | undefined> {
    if (this.#outputs.has(file)) {
      // Written by a task, whose run may be what is being waited for.
      await this.#refreshed?.done.catch(() => {});
      return this.note(environment);
    }
    if (!this.#tasks.concerns(file)) return undefined;
    // Each environment asks after the same change.
    if (this.#refreshed?.timestamp !== timestamp || this.#refreshed.file !== file) {
      this.#refreshed = { timestamp, file, done: this.#tasks.refresh() };
    }
    try {
      await this.#refreshed.done;
    } catch (error) {
      // What is shown instead has to be replaced, even by what was there before.
      for (const id of this.#given.get(environment)?.keys() ?? []) this.#given.get(environment)?.set(id, 'failed');
      throw error instanceof FlecheError ? new Error(error.describe()) : error;
    }
    return this.note(environment);
  }
}
