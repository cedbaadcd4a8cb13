/**
 * Random pipelines live through random histories, with real commands, a real cache on disk, and the whole program but
 * for its command line; a smaller share with the built program. See `_history.ts` for what is compared with what.
 */
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { OutcomeKind } from '../../core/graph/tasks/outcome.ts';
import type { Driver, RunEnd, RunOptions } from './_driver.ts';
import { live } from './_history.ts';
import { halve } from './_inside.ts';
import { ITEMS } from './_items.ts';
import { Noted, tally } from './_noted.ts';
import { hold, withBase } from './_oracle.ts';
import { PIPELINES } from './_pipeline.ts';
import { REPOSITORIES } from './_repository.ts';
import { ended, type Rig, withRig } from './_rig.ts';
import { story } from './_story.ts';

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
      withBase((base) => live(story, PIPELINES, new Noted(base))),
    ),
    { normal: 200, nightly: 12_000, seconds: 80 },
  );
});

test('the same of repositories of packages, whatever changes in manifests, templates, ignore files and the lock file', async () => {
  await hold(
    fc.asyncProperty(story('inside', REPOSITORIES), (story) =>
      withBase((base) => live(story, REPOSITORIES, new Noted(base))),
    ),
    { normal: 70, nightly: 6000, seconds: 30 },
  );
});

test('the same of tasks that are done for each of many files', async () => {
  await hold(
    fc.asyncProperty(story('inside', ITEMS), (story) => withBase((base) => live(story, ITEMS, new Noted(base)))),
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

test('notes were asked, and some of them were answers', () => {
  const { asked, answered } = tally;
  console.log(`${answered} of ${asked} runs were answered by a note`);
  assert.ok(asked === 0 || answered > 0);
});

test.run();
