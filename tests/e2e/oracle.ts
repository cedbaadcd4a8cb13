/**
 * Random pipelines live through random histories, with real commands, a real cache on disk, and the whole program but
 * for its command line; a smaller share with the built program. See `_history.ts` for what is compared with what.
 */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import { openProject } from '../../core/app/project.ts';
import type { OutcomeKind } from '../../core/graph/outcome.ts';
import { openLmdb } from '../../core/store/lmdb/lmdb.ts';
import { type Driver, live, type RunEnd, type RunOptions, type Story, story } from './_history.ts';
import { ended, type Rig, withRig } from './_rig.ts';

const NIGHTLY = process.env['FLECHE_TEST_PROFILE'] === 'nightly';

/** Runs within this process. */
class Inside implements Driver {
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
        targets: target === undefined ? project.defaults : [target],
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
}

async function halve(root: string, isGone: (digest: string) => boolean): Promise<void> {
  const stores = openLmdb(join(root, '.fleche'), { onTrouble: () => {} });
  for (const { digest } of [...stores.values.list()]) if (isGone(digest)) stores.values.delete(digest);
  await stores.close();
}

/** A file system in memory where there is one: nothing here is about power cuts. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

async function withBase(work: (base: string) => Promise<void>): Promise<void> {
  const base = realpathSync(mkdtempSync(join(SCRATCH, 'fleche-')));
  try {
    await work(base);
  } finally {
    rmSync(base, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Runs of the built program. */
class Outside implements Driver {
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
}

interface Extent {
  readonly normal: number;
  readonly nightly: number;
  /** In the normal profile; where the machine is too slow, fewer histories are lived through, which is told. */
  readonly seconds: number;
}

async function hold(property: fc.IAsyncProperty<[Story]>, { normal, nightly, seconds }: Extent): Promise<void> {
  const { FLECHE_ORACLE_RUNS, FLECHE_ORACLE_SEED, FLECHE_ORACLE_PATH } = process.env;
  const numRuns = Number(FLECHE_ORACLE_RUNS ?? (NIGHTLY ? nightly : normal));
  const details = await fc.check(property, {
    numRuns,
    ...(NIGHTLY ? {} : { interruptAfterTimeLimit: seconds * 1000 }),
    includeErrorInReport: true,
    ...(FLECHE_ORACLE_SEED === undefined ? {} : { seed: Number(FLECHE_ORACLE_SEED), path: FLECHE_ORACLE_PATH ?? '' }),
  });
  if (details.failed) throw new Error(await fc.asyncDefaultReportMessage(details));
  if (details.numRuns < numRuns) console.log(`${details.numRuns} of ${numRuns} histories in ${seconds} s`);
}

test('whatever happens to a workspace, a run makes it what a clean build makes, and works no more than it must', async () => {
  await hold(
    fc.asyncProperty(story(false), (story) => withBase((base) => live(story, new Inside(base)))),
    { normal: 300, nightly: 20_000, seconds: 120 },
  );
});

test('the same of the built program, which can be killed, and whose cache can be damaged', async () => {
  await hold(
    fc.asyncProperty(story(true), (story) => withRig({}, (rig) => live(story, new Outside(rig)))),
    { normal: 30, nightly: 1000, seconds: 60 },
  );
});

test.run();
