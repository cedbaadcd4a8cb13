/**
 * Random pipelines live through random histories, with real commands, a real cache on disk, and the whole program but
 * for its command line; a smaller share with the built program. See `_history.ts` for what is compared with what.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import { openProject } from '../../core/app/project.ts';
import type { OutcomeKind } from '../../core/graph/outcome.ts';
import { openLmdb } from '../../core/store/lmdb/lmdb.ts';
import type { Driver, RunEnd, RunOptions } from './_driver.ts';
import { live } from './_history.ts';
import { ITEMS } from './_items.ts';
import { hold, withBase } from './_oracle.ts';
import { PIPELINES } from './_pipeline.ts';
import { REPOSITORIES } from './_repository.ts';
import { ended, type Rig, withRig } from './_rig.ts';
import { story } from './_story.ts';

/** Runs within this process. */
class Inside implements Driver {
  readonly isWatch = false;
  readonly root: string;
  readonly logFile: string;

  constructor(base: string) {
    this.root = join(base, 'project');
    this.logFile = join(base, 'log');
    mkdirSync(this.root);
    writeFileSync(this.logFile, '');
  }

  async run({ jobs, target, force = false, level, abortAfter }: RunOptions): Promise<RunEnd> {
    const told: string[] = [];
    const env = { PATH: process.env['PATH'], LC_ALL: 'C', TEST_LOG: this.logFile, LEVEL: level };
    const project = openProject({
      cwd: this.root,
      env,
      config: undefined,
      strict: false,
      warn: (text) => told.push(text),
    });
    const printed: Record<string, string> = {};
    const controller = new AbortController();
    const timer = abortAfter === undefined ? undefined : setTimeout(() => controller.abort(), abortAfter);
    try {
      const { outcomes } = await project.engine().run({
        targets: target === undefined ? project.graph.names : [target],
        jobs,
        force,
        frozen: false,
        keepGoing: true,
        signal: controller.signal,
        listener(event) {
          if (event.type === 'output')
            printed[event.name] = (printed[event.name] ?? '') + Buffer.from(event.chunk).toString();
          if (event.type === 'warning') told.push(`${event.name}: ${event.message}`);
          if (event.type === 'done') told.push(JSON.stringify(event.outcome));
        },
      });
      return {
        outcomes: Object.fromEntries(outcomes.map(({ name, outcome }): [string, OutcomeKind] => [name, outcome])),
        printed,
        told: told.join('\n'),
      };
    } finally {
      clearTimeout(timer);
      await project.close();
    }
  }

  halve = halve;

  configure(text: string): string {
    return text;
  }

  note(): void {}

  later(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  isAtWork(): boolean {
    return false;
  }
}

async function halve(root: string, isGone: (digest: string) => boolean): Promise<void> {
  const stores = openLmdb(join(root, '.fleche'), { onTrouble: () => {} });
  for (const { digest } of [...stores.values.list()]) if (isGone(digest)) stores.values.delete(digest);
  await stores.close();
}

/** Runs of the built program. */
class Outside implements Driver {
  readonly isWatch = false;
  readonly root: string;
  readonly logFile: string;
  readonly #rig: Rig;

  constructor(rig: Rig) {
    this.#rig = rig;
    this.root = rig.root;
    this.logFile = join(rig.aside, 'log.txt');
  }

  async run({ jobs, target, force = false, level, abortAfter, killAfter }: RunOptions): Promise<RunEnd> {
    const args = ['run', '--json', '--keep-going', '--jobs', String(jobs)];
    if (force) args.push('--force');
    if (target !== undefined) args.push(target);
    const child = this.#rig.start(args, { LC_ALL: 'C', LEVEL: level });
    const after = killAfter ?? abortAfter;
    const timer =
      after === undefined
        ? undefined
        : setTimeout(() => child.kill(killAfter === undefined ? 'SIGINT' : 'SIGKILL'), after);
    const { stdout, stderr } = await ended(child);
    clearTimeout(timer);
    const outcomes: Record<string, OutcomeKind> = {};
    for (const line of stdout.split('\n')) {
      if (!line.startsWith('{"type":"task"') || !line.endsWith('}')) continue;
      const { name, outcome }: { name: string; outcome: OutcomeKind } = JSON.parse(line);
      outcomes[name] = outcome;
    }
    return { outcomes, printed: undefined, told: stdout + stderr };
  }

  halve = halve;

  configure(text: string): string {
    return text;
  }

  note(): void {}

  later(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  isAtWork(): boolean {
    return false;
  }
}

test('whatever happens to a workspace, a run makes it what a clean build makes, and works no more than it must', async () => {
  await hold(
    fc.asyncProperty(story('inside', PIPELINES), (story) =>
      withBase((base) => live(story, PIPELINES, new Inside(base))),
    ),
    { normal: 200, nightly: 12_000, seconds: 80 },
  );
});

test('the same of repositories of packages, whatever changes in manifests, templates, ignore files and the lock file', async () => {
  await hold(
    fc.asyncProperty(story('inside', REPOSITORIES), (story) =>
      withBase((base) => live(story, REPOSITORIES, new Inside(base))),
    ),
    { normal: 70, nightly: 6000, seconds: 30 },
  );
});

test('the same of tasks that are done for each of many files', async () => {
  await hold(
    fc.asyncProperty(story('inside', ITEMS), (story) => withBase((base) => live(story, ITEMS, new Inside(base)))),
    { normal: 60, nightly: 6000, seconds: 25 },
  );
});

test('the same of the built program, which can be killed, and whose cache can be damaged', async () => {
  await hold(
    fc.asyncProperty(story('outside', PIPELINES), (story) =>
      withRig({}, (rig) => live(story, PIPELINES, new Outside(rig))),
    ),
    { normal: 30, nightly: 1000, seconds: 60 },
  );
});

test.run();
