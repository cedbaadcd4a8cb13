/** What the oracles have in common: a place for each history, and how many of them are lived through. */
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';

const NIGHTLY = process.env['FLECHE_TEST_PROFILE'] === 'nightly';

/** A file system in memory where there is one: nothing here is about power cuts. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Gives a history a folder, and removes it afterwards. */
export async function withBase(work: (base: string) => Promise<void>): Promise<void> {
  const base = realpathSync(mkdtempSync(join(SCRATCH, 'fleche-')));
  try {
    await work(base);
  } finally {
    rmSync(base, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** How many histories are lived through in the two profiles. */
export interface Extent {
  readonly normal: number;
  readonly nightly: number;
  /** Time after which no further history is begun in the normal profile, for those that mostly wait; else all are. */
  readonly seconds?: number;
}

type Oracle =
  | 'pipelines'
  | 'repositories'
  | 'items'
  | 'program'
  | 'shared'
  | 'sharedRepositories'
  | 'watch'
  | 'watchedItems';

export const EXTENTS: Readonly<Record<Oracle, Extent>> = {
  pipelines: { normal: 200, nightly: 12_000 },
  repositories: { normal: 70, nightly: 6000 },
  items: { normal: 60, nightly: 6000 },
  program: { normal: 30, nightly: 1000 },
  shared: { normal: 20, nightly: 2000 },
  sharedRepositories: { normal: 10, nightly: 1000 },
  watch: { normal: 60, nightly: 4000, seconds: 40 },
  watchedItems: { normal: 15, nightly: 2000, seconds: 12 },
};

/**
 * Checks a property of histories. Without a limit all of them, however long it takes: where a machine is too slow, the
 * runner of the tests ends the file, which fails. A counterexample is told with its seed and path, which the
 * environment can name.
 */
export async function hold<T>(property: fc.IAsyncProperty<[T]>, { normal, nightly, seconds }: Extent): Promise<void> {
  const { FLECHE_ORACLE_RUNS, FLECHE_ORACLE_SEED, FLECHE_ORACLE_PATH } = process.env;
  const numRuns = Number(FLECHE_ORACLE_RUNS ?? (NIGHTLY ? nightly : normal));
  const start = performance.now();
  const details = await fc.check(property, {
    numRuns,
    ...(NIGHTLY || seconds === undefined ? {} : { interruptAfterTimeLimit: seconds * 1000 }),
    includeErrorInReport: true,
    ...(FLECHE_ORACLE_SEED === undefined ? {} : { seed: Number(FLECHE_ORACLE_SEED), path: FLECHE_ORACLE_PATH ?? '' }),
  });
  const took = ((performance.now() - start) / 1000).toFixed();
  console.log(`${details.numRuns} of ${numRuns} histories in ${took} s, seed ${details.seed}`);
  if (details.failed) throw new Error(await fc.asyncDefaultReportMessage(details));
}
