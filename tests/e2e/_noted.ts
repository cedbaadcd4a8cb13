/**
 * Runs within this process that leave notes as the command does. Before each run a note is asked, and the run is done all
 * the same: if the note says that there is nothing to do, so must the run, in the same words.
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { runCli } from '../../core/app/cli/cli.ts';
import { Interruption } from '../../core/app/cli/interruption.ts';
import { type Asker, SeenEnvironment } from '../../core/app/note/question.ts';
import { saySame } from '../../core/app/note/same-again.ts';
import { FakeTerminal } from '../app/_screen.ts';
import type { RunEnd, RunOptions } from './_driver.ts';
import { Inside } from './_inside.ts';

/** How often a note was asked, and how often it was the answer. */
export const tally = { asked: 0, answered: 0 };

/** Longer than the clock takes by which files are stamped, ms. */
const SETTLED = 25;
/** The first run sees that outputs have settled, the second that nothing is to be done. */
const TRIES = 3;

export class Noted extends Inside {
  override async run(options: RunOptions): Promise<RunEnd> {
    // Who runs beside others, or while something is edited, may see something else than the note.
    const isAlone = 'force' in options && options.force === false;
    const said = isAlone ? this.#said(options) : undefined;
    if (isAlone) tally.asked++;
    if (said !== undefined) tally.answered++;
    const end = await super.run(options);
    for (const line of linesOf(said ?? '')) {
      assert.is(JSON.parse(line).outcome, 'cached');
      assert.ok(linesOf(end.told).includes(line), `a note says ${line}, the run said\n${end.told}`);
    }
    return end;
  }

  override async rest(level: string | undefined): Promise<void> {
    for (let tries = 0; tries < TRIES && this.#said({ level, target: undefined }) === undefined; tries++) {
      await delay(SETTLED);
      await this.#leaveNote(level);
    }
  }

  #asker({ level, target }: Pick<RunOptions, 'level' | 'target'>): Asker {
    return {
      argv: ['run', '--json', '--keep-going', ...(target === undefined ? [] : [target])],
      cwd: this.root,
      env: this.env(level),
      flags: [],
      version: 'of a history',
      program: [],
      columns: () => undefined,
    };
  }

  #said(options: Pick<RunOptions, 'level' | 'target'>): string | undefined {
    let said: string | undefined;
    const say = (text: string): boolean => {
      said = text;
      return true;
    };
    saySame(this.#asker(options), { elapsed: () => performance.now(), now: () => Date.now(), say });
    return said;
  }

  async #leaveNote(level: string | undefined): Promise<void> {
    const asker = this.#asker({ level, target: undefined });
    const seen = new SeenEnvironment(asker.env);
    await runCli(asker.argv, {
      cwd: asker.cwd,
      env: seen.env,
      cpus: 2,
      stdout: new FakeTerminal(),
      stderr: new FakeTerminal(),
      clock: { now: () => performance.now(), after: () => () => {} },
      interruption: new Interruption(() => {}),
      version: asker.version,
      noting: { asker, seen, now: () => Date.now() },
    });
  }
}

/** Lines of JSON about tasks, without the time they took. */
function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{"type":"task"'))
    .map((line) => line.replace(/"ms":[\d.]+/, '"ms":0'));
}
