/** `fleche completion`: prints a script for a shell; and what that asks while somebody types. */
import { resolve } from 'node:path';
import { FlecheError } from '../../base/errors.ts';
import { suggest } from '../../base/nearest.ts';
import type { Task } from '../../graph/tasks/task.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { Machine, VerbAction, VerbContext, VerbSpec } from '../cli/verb.ts';
import { type Names, type Offer, type Offers, offersFor } from '../completion/offers.ts';
import { SCRIPTS } from '../completion/scripts.ts';
import { openProject, type Project } from '../project.ts';
import { allPackages, packageOf } from '../selection/targets.ts';
import { cut, harmless } from '../terminal/text.ts';

/** The longest that is said of a word, in cells. */
const LONGEST = 60;

export async function completion({ invocation, machine }: VerbContext): Promise<number> {
  const [shell = ''] = invocation.args;
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined) {
    throw new FlecheError('USAGE', `there is no completion for "${shell}"`, {
      hint: suggest(shell, Object.keys(SCRIPTS)),
    });
  }
  machine.stdout.write(script);
  return EXIT.done;
}

/** Prints what could stand in the place of the last word, one a line. Where the project cannot be read, less is known. */
export function completing(verbs: readonly VerbSpec[]): VerbAction {
  return async ({ invocation: { args }, machine }) => {
    machine.stdout.write(textOf(await offersFor(args, verbs, () => namesAround(args, machine))));
    return EXIT.done;
  };
}

function textOf({ words, paths }: Offers): string {
  const lines = words.map(([word, text]) => `${harmless(word)}\t${cut(harmless(text), LONGEST)}`);
  return [...lines, ...(paths === undefined ? [] : [`\t${paths}`])].map((line) => `${line}\n`).join('');
}

/** What can be named where the command line so far says that it works. */
async function namesAround(words: readonly string[], { cwd, env }: Machine): Promise<Names> {
  try {
    const folder = resolve(cwd, valueIn(words, '--cwd') ?? '.');
    const config = valueIn(words, '--config');
    return namesOf(openProject({ cwd: folder, env, config, strict: false, warn: () => {} }));
  } catch {
    // What is wrong with the configuration is told when it is used.
    return { tasks: [], packages: [] };
  }
}

function valueIn(words: readonly string[], option: string): string | undefined {
  const written = words.findLast((word) => word.startsWith(`${option}=`));
  const at = words.lastIndexOf(option);
  return written?.slice(option.length + 1) ?? (at < 0 ? undefined : words[at + 1]);
}

function namesOf(project: Project): Names {
  const { graph, packages } = project;
  const tasks = graph.names.map((name) => graph.task(name));
  const here = new Set([...allPackages(project)].map(({ name }) => name));
  const local = new Map<string, Task[]>();
  for (const task of tasks) {
    if (!here.has(packageOf(task.name))) continue;
    const name = task.name.slice(task.name.lastIndexOf('#') + 1);
    const same = local.get(name) ?? [];
    local.set(name, same);
    same.push(task);
  }
  const single = tasks.filter(({ name }) => name.includes('#'));
  return {
    tasks: [
      ...[...local].map(([name, same]): Offer => [name, aboutAll(same)]),
      ...single.map((task): Offer => [task.name, about(task)]),
    ],
    packages: packages.all.map(({ name, folder }): Offer => [name, folder]),
  };
}

function aboutAll(tasks: readonly Task[]): string {
  const [only] = tasks;
  return tasks.length === 1 && only !== undefined ? about(only) : `in ${tasks.length} packages`;
}

function about({ body }: Task): string {
  return body.kind === 'command' ? body.command : `${body.module}#${body.export}`;
}
