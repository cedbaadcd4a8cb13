/** The histories of the oracle with the built program, a smaller share: it can be killed, and its cache damaged. */
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import type { OutcomeKind } from '../../core/graph/tasks/outcome.ts';
import type { Driver, RunEnd, RunOptions } from './_driver.ts';
import { live } from './_history.ts';
import { halve } from './_inside.ts';
import { EXTENTS, hold } from './_oracle.ts';
import { PIPELINES } from './_pipeline.ts';
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

test('whatever happens to a workspace or its cache, and whenever the program is killed, the next run ends right', async () => {
  await hold(
    fc.asyncProperty(story('outside', PIPELINES), (story) =>
      withRig({}, (rig) => live(story, PIPELINES, new Outside(rig))),
    ),
    EXTENTS.program,
  );
});

test.run();
