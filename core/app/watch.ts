/** Watch mode for programs: gives the rounds of a watch as they end. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { WatchEvent, Watcher, WatchOptions, WatchRound } from '../graph/watch/watch-events.ts';
import type { Environment } from './terminal/style.ts';
import type { Watching } from './watching.ts';

/** Rounds that are kept for who iterates; of more, the latest. */
const MOST_ROUNDS = 100;

/** Begins to watch. `around` is the folder and the environment where the options say nothing of them. */
export function watchProject(
  options: WatchOptions,
  around: { readonly cwd: string; readonly env: Environment },
): Watcher {
  return new ProjectWatcher(options, around);
}

class ProjectWatcher implements Watcher {
  readonly #rounds: WatchRound[] = [];
  readonly #watching: Promise<Watching>;
  readonly #waiting: (() => void)[] = [];
  #end: { readonly error: unknown } | 'closed' | undefined;

  constructor(options: WatchOptions, around: { readonly cwd: string; readonly env: Environment }) {
    this.#watching = this.#begin(options, around);
    this.#watching.catch((error: unknown) => this.#finish({ error }));
    if (options.signal?.aborted) void this.close();
    else options.signal?.addEventListener('abort', () => void this.close(), { once: true });
  }

  async #begin(
    { tasks = [], cwd, env, jobs, poll, onEvent }: WatchOptions,
    around: { readonly cwd: string; readonly env: Environment },
  ): Promise<Watching> {
    const { Watching } = await import('./watching.ts');
    const { openProject } = await import('./project.ts');
    const { chosenTasks } = await import('./selection/targets.ts');
    const tell = (event: WatchEvent): void => {
      onEvent?.(event);
      if (event.type === 'rested') this.#add(event.round);
      else if (event.type === 'fault') void this.#fail(event.error);
    };
    const place = { cwd: resolve(around.cwd, cwd ?? '.'), env: env ?? around.env, config: undefined, strict: false };
    return Watching.begin({
      open: () => openProject({ ...place, warn: (message) => tell({ type: 'trouble', message }) }),
      targets: (project) => chosenTasks(tasks, project),
      jobs: (project) => jobs ?? project.jobs ?? availableParallelism(),
      poll,
      clock: CLOCK,
      listener: tell,
    });
  }

  #add(round: WatchRound): void {
    this.#rounds.push(round);
    if (this.#rounds.length > MOST_ROUNDS) this.#rounds.shift();
    this.#wake();
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }

  #finish(end: { readonly error: unknown } | 'closed'): void {
    this.#end ??= end;
    this.#wake();
  }

  async #fail(error: unknown): Promise<void> {
    this.#finish({ error });
    await this.close();
  }

  rerun(): void {
    void this.#watching.then((watching) => watching.force()).catch(() => {});
  }

  async close(): Promise<void> {
    try {
      const watching = await this.#watching.catch(() => undefined);
      await watching?.close();
    } catch (error) {
      this.#finish({ error });
    } finally {
      this.#finish('closed');
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WatchRound, void> {
    for (;;) {
      const round = this.#rounds.shift();
      if (round !== undefined) yield round;
      else if (this.#end === 'closed') return;
      else if (this.#end !== undefined) throw this.#end.error;
      else await new Promise<void>((resume) => this.#waiting.push(resume));
    }
  }
}

const CLOCK = {
  now: (): number => performance.now(),
  after(ms: number, call: () => void): () => void {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};
