/**
 * The histories of the oracle under watch: random edits at rest and while tasks run. When nothing is left to do, the
 * workspace is what a clean build makes, and no task ran more often than it had to; see `_history.ts`. That nothing is
 * left to do is told by the watch itself: events come in the order of the edits, so a round that has seen a file which is
 * written last has seen all edits before it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import { openProject } from '../../core/app/project.ts';
import { Watching } from '../../core/app/watching.ts';
import type { OutcomeKind } from '../../core/graph/tasks/outcome.ts';
import type { WatchEvent, WatchRound } from '../../core/graph/watch/watch-events.ts';
import type { Driver, RunEnd, RunOptions } from './_driver.ts';
import { live } from './_history.ts';
import { ITEMS } from './_items.ts';
import { EXTENTS, hold, withBase } from './_oracle.ts';
import { PIPELINES } from './_pipeline.ts';
import { type Story, story, type World } from './_story.ts';

/**
 * Tasks that show the file which is written last. Several in turn, for a file that changes whenever its task has just run
 * is taken for that task's doing.
 */
const FLAGS = Array.from({ length: 8 }, (_, index) => `flag${index}`);

/** Lines that a failure shows. */
const MOST_TOLD = 100;
/** Time after which no new folder is looked at again, ms. */
const LATEST = 2500;
/** A round that has not ended by then never does, ms. */
const LOST = 20_000;

const clock = {
  now: (): number => performance.now(),
  after(ms: number, call: () => void): () => void {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

class Watched implements Driver {
  readonly isWatch = true;
  readonly root: string;
  readonly logFile: string;
  readonly #base: string;
  #watching: Watching | undefined;
  #flags = 0;
  #told: string[] = [];
  #outcomes: Record<string, OutcomeKind> = {};
  readonly #working = new Set<string>();
  #hear: (event: WatchEvent) => void = () => {};

  constructor(base: string) {
    this.root = join(base, 'project');
    this.logFile = join(base, 'log');
    this.#base = base;
    mkdirSync(this.root);
    for (const file of ['log', ...FLAGS]) writeFileSync(join(base, file), '');
  }

  configure(text: string): string {
    const names = FLAGS.map((name) => `"${name}", `).join('');
    const tasks = FLAGS.map((name) => `\n[tasks.${name}]\nrun = "cat ../${name}"\ninputs = ["../${name}"]\n`).join('');
    return text.replace('tasks = [', `tasks = [${names}`) + tasks;
  }

  isAtWork(name: string): boolean {
    return this.#working.has(name);
  }

  async run({ jobs, force = false, abortAfter }: RunOptions): Promise<RunEnd> {
    this.#told = this.#told.slice(-MOST_TOLD);
    this.#outcomes = {};
    const task = FLAGS[++this.#flags % FLAGS.length] ?? '';
    const text = `flag ${this.#flags}`;
    writeFileSync(join(this.#base, task), text);
    this.note(text);
    const seen = this.#seen(task, text);
    this.#watching ??= await this.#begin(jobs);
    if (abortAfter !== undefined) {
      await Promise.race([seen, new Promise((resume) => setTimeout(resume, abortAfter))]);
      await this.close();
      return this.#end();
    }
    let round = await seen;
    if (force) {
      const forced = this.#heard('a forced round', (event) =>
        event.type === 'rested' && event.round.cause === 'request' ? event.round : undefined,
      );
      this.#watching.force();
      round = await forced;
    }
    return this.#end(round);
  }

  async later(): Promise<RunEnd | undefined> {
    const next = this.#heard('another round', (event) => (event.type === 'rested' ? event.round : undefined));
    const none = new Promise<undefined>((resume) => void setTimeout(() => resume(undefined), LATEST).unref());
    const round = await Promise.race([next, none]);
    return round === undefined ? undefined : this.#end(round);
  }

  #end(round?: WatchRound): RunEnd {
    for (const { name, outcome } of round?.outcomes ?? []) this.#outcomes[name] = outcome;
    return { outcomes: this.#outcomes, printed: undefined, told: this.#told.join('\n') };
  }

  #begin(jobs: number): Promise<Watching> {
    const env = { PATH: process.env['PATH'], LC_ALL: 'C', TEST_LOG: this.logFile };
    return Watching.begin({
      open: () =>
        openProject({ cwd: this.root, env, config: undefined, strict: false, warn: (text) => this.#told.push(text) }),
      targets: ({ defaults }) => defaults,
      jobs: () => jobs,
      poll: undefined,
      clock,
      listener: (event) => {
        this.#take(event);
        this.#hear(event);
      },
    });
  }

  note(text: string): void {
    this.#told.push(`${clock.now().toFixed(1)} ${text}`);
  }

  #take(event: WatchEvent): void {
    if (event.type === 'task' && event.event.type === 'output') return;
    this.note(JSON.stringify(event.type === 'broken' ? { ...event, error: String(event.error) } : event));
    if (event.type === 'superseded') this.#working.delete(event.name);
    if (event.type === 'task' && event.event.type === 'start') this.#working.add(event.event.name);
    if (event.type !== 'task' || event.event.type !== 'done') return;
    this.#working.delete(event.event.outcome.name);
    const { name, outcome } = event.event.outcome;
    this.#outcomes[name] = outcome;
  }

  /** The round in which a task has shown this text. */
  #seen(task: string, text: string): Promise<WatchRound> {
    let isShown = false;
    return this.#heard(text, (event) => {
      if (event.type === 'task' && event.event.type === 'output' && event.event.name === task)
        isShown = Buffer.from(event.event.chunk).toString() === text;
      return event.type === 'rested' && isShown ? event.round : undefined;
    });
  }

  /** What `find` gives for the first event for which it gives anything. */
  #heard<T>(what: string, find: (event: WatchEvent) => T | undefined): Promise<T> {
    const heard = new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}\n${this.#told.join('\n')}`)), LOST);
      // Who is cut short does not wait for it any more.
      timer.unref();
      this.#hear = (event) => {
        if (event.type === 'fault') reject(event.error);
        if (event.type === 'broken') reject(event.error);
        if (event.type === 'loop') reject(new Error(`${JSON.stringify(event)}\n${this.#told.join('\n')}`));
        const found = find(event);
        if (found === undefined) return;
        clearTimeout(timer);
        this.#hear = () => {};
        resolve(found);
      };
    });
    // Whoever waits for it may be busy with edits when it fails.
    heard.catch(() => {});
    return heard;
  }

  async close(): Promise<void> {
    await this.#watching?.close();
    this.#working.clear();
    this.#watching = undefined;
  }

  /** Nobody touches the cache of a watch. */
  halve(): Promise<void> {
    return Promise.resolve();
  }
}

async function watched<P>(story: Story<P>, world: World<P>): Promise<void> {
  await withBase(async (base) => {
    const driver = new Watched(base);
    try {
      await live(story, world, driver);
    } finally {
      await driver.close();
    }
  });
}

test('whatever is edited, and whenever, what a watch leaves is what a clean build makes, and it works no more than it must', async () => {
  await hold(
    fc.asyncProperty(story('watch', PIPELINES), (story) => watched(story, PIPELINES)),
    EXTENTS.watch,
  );
});

test('the same of tasks that are done for each of many files', async () => {
  await hold(
    fc.asyncProperty(story('watch', ITEMS), (story) => watched(story, ITEMS)),
    EXTENTS.watchedItems,
  );
});

test.run();
