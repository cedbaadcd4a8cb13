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
interface Extent {
  readonly normal: number;
  readonly nightly: number;
  /** In the normal profile; where the machine is too slow, fewer histories are lived through, which is told. */
  readonly seconds: number;
}

/** Checks a property of histories. A counterexample is told with its seed and path, which the environment can name. */
export async function hold<T>(property: fc.IAsyncProperty<[T]>, { normal, nightly, seconds }: Extent): Promise<void> {
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
