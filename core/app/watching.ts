/**
 * A watch of one project from its configuration to its end: opens it, follows edits of the configuration, and closes it.
 * Where the configuration comes to be broken the last good one stays.
 */
import { readFileSync, realpathSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Key } from '../base/hash.ts';
import { type AbsPath, toAbs, toRel } from '../base/paths.ts';
import { Watcher } from '../files/watch/watcher.ts';
import type { Engine } from '../graph/engine.ts';
import { Live } from '../graph/watch/live.ts';
import { Watch } from '../graph/watch/watch.ts';
import type { WatchListener } from '../graph/watch/watch-events.ts';
import type { ConfigurationFiles } from '../graph/watch/watched-configuration.ts';
import { WatchedTasks } from '../graph/watch/watched-tasks.ts';
import { CONFIG_FILE } from './config/text/source.ts';
import { filesOfPackages, packageFolders } from './packages/find.ts';
import { MANIFEST } from './packages/manifest.ts';
import type { Project } from './project.ts';

interface WatchingOptions {
  /** Finds and reads the project. Throws what is wrong with its configuration. */
  readonly open: () => Project | Promise<Project>;
  /** The wanted tasks of a project. Throws what makes it impossible to tell. */
  readonly targets: (project: Project) => readonly string[] | Promise<readonly string[]>;
  /** How many tasks may run at once, at least 1. */
  readonly jobs: (project: Project) => number;
  /** Looks at everything at this interval instead of watching it, ms. */
  readonly poll: number | undefined;
  readonly clock: Clock;
  readonly listener: WatchListener;
}

export class Watching {
  readonly #options: WatchingOptions;
  readonly #watch: Watch;
  readonly #live: Live;
  #project: Project;
  #engine: Engine;
  #tasks: WatchedTasks;
  /** What stood in the files of the configuration when it was last read. */
  #read: string;
  #reading: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(project: Project, read: string, targets: readonly string[], options: WatchingOptions) {
    this.#options = options;
    this.#project = project;
    this.#read = read;
    this.#live = new Live(options.jobs(project));
    this.#engine = project.engine();
    this.#tasks = new WatchedTasks(this.#engine, this.#live, targets);
    this.#watch = new Watch({
      tasks: this.#tasks,
      configuration: filesOf(project),
      clock: options.clock,
      listener: (event) => {
        if (event.type === 'configuration') this.#reload();
        else return options.listener(event);
      },
    });
  }

  /** Begins. Rejects with what is wrong with the configuration, and with what makes the cache unusable under `strict`. */
  static async begin(options: WatchingOptions): Promise<Watching> {
    const project = await options.open();
    // At once, before anybody else has a turn.
    const read = textsOf(project);
    try {
      const watching = new Watching(project, read, await options.targets(project), options);
      watching.#start();
      return watching;
    } catch (error) {
      await project.close();
      throw error;
    }
  }

  /** The project as it was last read. */
  get project(): Project {
    return this.#project;
  }

  #start(): void {
    const watch = this.#watch;
    const watcher = new Watcher({
      root: rootOf(this.#project),
      poll: this.#options.poll,
      listener: {
        path: (path) => watch.path(path),
        folder: (path) => watch.folder(path),
        anything: () => watch.anything(),
        trouble: (message) => watch.trouble(message),
      },
    });
    watch.start(watcher).catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    if (!this.#isClosed) this.#options.listener({ type: 'fault', error });
  }

  /** The wanted tasks and what they need. */
  get names(): readonly string[] {
    return this.#tasks.names;
  }

  /** What a task printed when this answer of it was made. */
  printed(key: Key): Iterable<Uint8Array> | undefined {
    return this.#engine.printed(key);
  }

  /** Runs everything once more. */
  force(): void {
    this.#watch.force();
  }

  /** Looks at everything once more. */
  lookAgain(): void {
    this.#watch.anything();
  }

  #reload(): void {
    this.#reading = this.#reading.then(() => this.#reloadNow()).catch((error: unknown) => this.#fail(error));
  }

  /** Reads the configuration again, if there is another text in one of its files. */
  async #reloadNow(): Promise<void> {
    if (this.#isClosed) return;
    const texts = textsOf(this.#project);
    if (texts === this.#read) return this.#watch.configured();
    let next: Project;
    let targets: readonly string[];
    try {
      next = await this.#readAgain(texts);
      targets = await this.#options.targets(next);
      next.cacheFolder();
    } catch (error) {
      this.#read = texts;
      this.#options.listener({ type: 'broken', error });
      return this.#watch.configured();
    }
    const before = this.#project;
    this.#watch.rest();
    if (!next.inherit(before)) {
      await this.#live.endAll();
      await before.close();
    }
    this.#project = next;
    this.#engine = next.engine();
    this.#tasks = new WatchedTasks(this.#engine, this.#live, targets);
    await this.#watch.replace(this.#tasks, filesOf(next));
  }

  /** The project as its files say; they are read once more if another text was there before than is after. */
  async #readAgain(texts: string): Promise<Project> {
    for (let before = texts; ; before = this.#read) {
      const project = await this.#options.open();
      this.#read = textsOf(project);
      if (this.#read === before) return project;
    }
  }

  /** Ends all tasks and the watch. Rejects with `STORE_UNUSABLE` under `strict` if there was trouble with the cache. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#watch.close();
    await this.#reading;
    await this.#project.close();
  }
}

function rootOf({ root }: Project): AbsPath {
  return realpathSync(root) as AbsPath;
}

function filesOf({ root, config }: Project): ConfigurationFiles {
  return {
    paths: config.files.map((file) => toRel(root, file)),
    patterns: filesOfPackages(config.packagePatterns, CONFIG_FILE),
  };
}

/** What stands in the files of the configuration, and in those of packages that came to be. */
function textsOf({ root, config }: Project): string {
  const folders = packageFolders(root, config.packagePatterns, CONFIG_FILE);
  const own = folders.flatMap((folder) => [MANIFEST, CONFIG_FILE].map((name) => toAbs(root, `${folder}/${name}`)));
  return JSON.stringify([...config.files, ...own].map((file) => [file, textOf(file)]));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    // What is wrong with it is told by who reads it for its meaning.
    return messageOf(error);
  }
}
