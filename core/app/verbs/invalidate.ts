/** `fleche invalidate`: forgets calls, and everything that was made of what they made. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Key, sha256 } from '../../base/hash.ts';
import { toRel } from '../../base/paths.ts';
import { Cache } from '../../call/caches/cache.ts';
import type { Invalidatable, InvalidatedCall, Invalidation } from '../../call/caches/invalidation.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import type { Project } from '../project.ts';
import { counted } from '../reporters/task-line.ts';
import { taskNamed } from '../selection/targets.ts';
import { type Style, styleFor } from '../terminal/style.ts';
import { harmless } from '../terminal/text.ts';

const SHORT_DIGEST = 12;

export async function invalidate(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const project = await context.open();
  try {
    const { values, calls } = project.stores();
    const what = invocation.args.map((word) => meant(word, project, machine.cwd));
    const done = await new Cache(values, calls).invalidate(what, { dryRun: invocation.flag('dry-run') });
    if (!done.dryRun) project.shared()?.refuse(keysOf(done.calls));
    const text = invocation.flag('json')
      ? `${JSON.stringify({ type: 'invalidate', ...done })}\n`
      : invalidationText(done, styleFor(machine.stdout));
    machine.stdout.write(text);
    return EXIT.done;
  } finally {
    await project.close();
  }
}

/** The keys of calls and of all that was made of what they made. */
function keysOf(calls: readonly InvalidatedCall[]): readonly Key[] {
  return calls.flatMap(({ key, dependents }) => [key, ...keysOf(dependents)]);
}

/** A task of this project, else a file that is there, else what the cache knows by that name or key. */
function meant(word: string, project: Project, cwd: string): Invalidatable {
  const { root } = project;
  const task = taskNamed(word, project);
  if (task !== undefined) return { name: task, kind: 'task' };
  const path = resolve(cwd, word);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return word;
  return { file: toRel(root, path), content: sha256(readFileSync(path)) };
}

/** What was invalidated for a person, each call under what it was made of. */
function invalidationText({ calls, count, dryRun }: Invalidation, style: Style): string {
  const lines: string[] = [];
  const rest: { readonly call: InvalidatedCall; readonly depth: number }[] = [];
  const push = (of: readonly InvalidatedCall[], depth: number): void => {
    for (const call of of.toReversed()) rest.push({ call, depth });
  };
  push(calls, 0);
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { call, depth } = next;
    const { kind, name, key, through, dependents } = call;
    const by = through === null ? '' : ` by ${harmless(through)}`;
    lines.push(`${'  '.repeat(depth)}- ${harmless(name)} ${style.dim(`${kind} ${key.slice(0, SHORT_DIGEST)}${by}`)}\n`);
    push(dependents, depth + 1);
  }
  return `${lines.join('')}${dryRun ? 'would invalidate' : 'invalidated'} ${counted(count, 'call')}\n`;
}
