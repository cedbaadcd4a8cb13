/**
 * Runs the tests: `node --import tsx tests/main.ts [pattern …]`, where a pattern is a regular expression over paths such
 * as `base/order.ts`. Prints each file's report when the file is done and last, alone, `N passed, N failed`. With
 * FLECHE_TEST_PROFILE=nightly property tests take many more cases and everything may take longer.
 */
import { resolve } from 'node:path';
import { killAll, runTests } from './_runner.ts';

const nightly = process.env['FLECHE_TEST_PROFILE'] === 'nightly';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    killAll();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });
}

const { passed, failed } = await runTests({
  folder: resolve(import.meta.dirname),
  patterns: process.argv.slice(2),
  jobs: 2,
  fileTimeout: nightly ? 10 * HOUR : 6 * MINUTE,
  timeout: nightly ? 20 * HOUR : 13 * MINUTE,
  print: (text) => process.stdout.write(text),
});
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
