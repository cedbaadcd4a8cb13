/** Repositories of other tools, taken over and run. Commands say words in a log beside the root. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { parseInvocation } from '../../../core/app/cli/invocation.ts';
import { VERBS } from '../../../core/app/cli/verbs.ts';
import { chosenTasks } from '../../../core/app/selection/targets.ts';
import { init } from '../../../core/app/verbs/init.ts';
import { fakeMachine } from '../_machine.ts';
import { run, type Scratch, withScratch } from '../_scratch.ts';

export type Files = Readonly<Record<string, string | object>>;

interface Imported {
  readonly scratch: Scratch;
  /** What was told. */
  readonly told: string;
  /** A configuration as it was written. */
  text(folder?: string): string;
  /** Any file. */
  read(path: string): string;
  /** The same, parsed. */
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what is tested
  toml(folder?: string): any;
  /** Runs tasks, and gives their outcomes and what commands said, sorted. */
  run(...targets: readonly string[]): Promise<{ readonly outcomes: Outcomes; readonly log: readonly string[] }>;
}

type Outcomes = Readonly<Record<string, string>>;

/** A command that says a word in the log of the root, from any folder. */
export function say(word: string): string {
  return `node -e "const fs=require('fs'),p=require('path');let d=process.cwd();while(!fs.existsSync(p.join(d,'log')))d=p.dirname(d);fs.appendFileSync(p.join(d,'log'),'${word}\\n')"`;
}

export async function initialise(scratch: Scratch, ...argv: readonly string[]): Promise<string> {
  const machine = fakeMachine({ cwd: realpathSync(scratch.root) });
  const open = (): Promise<never> => Promise.reject(new Error('opened a project'));
  await init({ invocation: parseInvocation(['init', ...argv], VERBS), machine, open });
  return machine.stdout.text;
}

/** Takes a repository over and hands it to the test. */
export async function imported(
  files: Files,
  from: string | undefined,
  use: (imported: Imported) => Promise<void> | void,
): Promise<void> {
  const texts = Object.entries(files).map(([path, value]) => [
    path,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  await withScratch({ '../log': '', ...Object.fromEntries(texts) }, async (scratch) => {
    const told = await initialise(scratch, ...(from === undefined ? [] : ['--from', from]));
    const text = (folder = '.'): string => {
      const file = join(scratch.root, folder, 'fleche.config.toml');
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    };
    await use({
      scratch,
      told,
      text,
      read: (path) => readFileSync(join(scratch.root, path), 'utf8'),
      toml: (folder) => JSON.parse(JSON.stringify(parse(text(folder)))),
      run: async (...targets) => {
        const before = readFileSync(join(scratch.root, '../log'), 'utf8').length;
        const project = scratch.open();
        const report = await run(project, targets.length === 0 ? project.graph.names : chosenTasks(targets, project));
        await project.close();
        const said = readFileSync(join(scratch.root, '../log'), 'utf8').slice(before);
        return {
          outcomes: Object.fromEntries(report.outcomes.map(({ name, outcome, message }) => [name, message ?? outcome])),
          log: said
            .split('\n')
            .filter((line) => line !== '')
            .sort(),
        };
      },
    });
  });
}
