/** Tasks that print very much: what fleche holds of it has a bound, whoever reads it and however slowly. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Rig, withRig } from './_rig.ts';

const MB = 1 << 20;
const LINE = `${'a line of a long log, '.repeat(4)}\n`;
const LINES = Math.ceil((100 * MB) / LINE.length);
const FILES = {
  'fleche.config.toml': `[default]
root = true
tasks = ["print"]
[tasks.print]
run = "yes '${LINE.trim()}' | head -n ${LINES}"
inputs = []
[tasks.say]
run = "echo little"
inputs = []
`,
};
/** Tells the most that a process ever had in memory, bytes. */
const TELL = `process.on('exit', () => require('node:fs').writeFileSync(process.env.TEST_PEAK, String(process.resourceUsage().maxRSS * 1024)));`;

interface Printed {
  readonly bytes: number;
  /** The most that fleche had in memory, bytes. */
  readonly peak: number;
}

/** Runs it with a reader that does not begin to read at once. */
async function run(rig: Rig, args: readonly string[]): Promise<Printed> {
  const [tell, peak] = [join(rig.aside, 'tell.cjs'), join(rig.aside, 'peak')];
  writeFileSync(tell, TELL);
  const child = rig.start(['run', ...args], { NODE_OPTIONS: `--require=${tell}`, TEST_PEAK: peak });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let bytes = 0;
  await delay(1000);
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  assert.is(await ended, 0);
  return { bytes, peak: Number(readFileSync(peak, 'utf8')) };
}

test('what a task prints while it runs, and when it is answered from the cache, is not held as a whole', () =>
  withRig(FILES, async (rig) => {
    const usual = (await run(rig, ['say'])).peak;
    // What was shown is garbage that is collected now and then.
    for (const [log, garbage] of [
      ['stream', 160],
      ['grouped', 80],
    ] as const) {
      for (const more of [['--force'], []]) {
        const { bytes, peak } = await run(rig, [`--log=${log}`, ...more]);
        assert.ok(peak < usual + garbage * MB, `${log} ${more.join(' ')}: ${Math.round(peak / MB)} MB`);
        assert.ok(log === 'stream' ? bytes > LINES * LINE.length : bytes < 3 * MB, `${log}: ${bytes} bytes`);
      }
    }
  }));

test.run();
