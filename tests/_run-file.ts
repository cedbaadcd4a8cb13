/**
 * Runs one test file in this process and tells the parent process what came of it. The counts come from uvu's own
 * return values, not from what is printed: a test may print anything. No report means that the file did not get to its
 * end. Only for tests/_runner.ts; by hand a test file is run as it is.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** What became of a test file that reached its end. */
export interface FileReport {
  readonly passed: number;
  readonly total: number;
  /** Tests left out by `.skip`, or because of an `.only` beside them. */
  readonly skipped: number;
  /** Tests that were defined but never handed to uvu, because no `test.run()` came after them. */
  readonly stray: number;
}

/** One started suite: runs its tests, prints a dot for each, and gives errors, passed, skipped and total. */
type Suite = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>;
/** How uvu shares the started suites with its own command line; the first element of a group is its title. */
const shared = globalThis as { UVU_DEFER?: number; UVU_QUEUE?: [[title: null, ...Suite[]]] };

const [file] = process.argv.slice(2);
if (file === undefined || process.send === undefined) throw new Error('only for tests/_runner.ts');

/**
 * Random cases are the same in every run, so that a change is judged by what it changed; FLECHE_TEST_SEED chooses others,
 * and the nightly profile draws new ones each time.
 */
if (process.env['FLECHE_TEST_PROFILE'] !== 'nightly' && readFileSync(file, 'utf8').includes("'fast-check'")) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ seed: Number(process.env['FLECHE_TEST_SEED'] ?? 1) });
}

shared.UVU_DEFER = 1;
const group: [null, ...Suite[]] = [null];
shared.UVU_QUEUE = [group];
const { test } = await import('uvu');
await import(pathToFileURL(file).href);

const counts = { passed: 0, total: 0, skipped: 0, stray: 0 };
for (const suite of group.splice(1) as Suite[]) {
  const [errors, passed, skipped, total] = await suite();
  counts.passed += passed;
  counts.skipped += skipped;
  counts.total += total;
  if (errors !== true) process.stdout.write(`\n${errors}\n`);
}

// A lone `.only` makes uvu run nothing else and count what it leaves out: the tests that nobody started.
test.only('stray tests are counted', () => undefined);
test.run();
const write = process.stdout.write;
process.stdout.write = () => true;
for (const probe of group.splice(1) as Suite[]) counts.stray += (await probe())[2];
process.stdout.write = write;

process.send(counts satisfies FileReport, () => process.disconnect());
