/** What the configuration says of tasks that are done for each of many items. */
import { suggest } from '../../../base/nearest.ts';
import { tableOf, textOf } from '../../../base/table.ts';
import {
  commandWithVariables,
  FILE_PLACEHOLDERS,
  patternForAll,
  placeholdersIn,
  VALUE_PLACEHOLDERS,
} from '../../../graph/foreach/placeholders.ts';
import type { Foreach, Task } from '../../../graph/tasks/task.ts';
import { plainValue } from '../text/plain-value.ts';
import { label } from '../text/problems.ts';
import type { Need, TaskNames } from './needs.ts';
import { readPatterns } from './patterns.ts';
import type { Spot, TaskText } from './task-text.ts';

/** What has no meaning for a task that is done for each of many items, and why. */
const WITHOUT: Readonly<Record<string, readonly [isSaid: (value: unknown) => boolean, why: string]>> = {
  persistent: [(value) => value === true, 'a service is not done for each of many items'],
  clean: [(value) => value === false, 'earlier outputs of an item are always removed before it runs'],
};

/** What else is said of the task. */
interface Around {
  readonly names: TaskNames;
  readonly needs: readonly Need[];
  /** As they are written, with placeholders. */
  readonly outputs: readonly string[];
}

/** What a task is done for; undefined if it is done once. Notes what has no meaning. */
export function readForeach(text: TaskText, around: Around): Foreach | undefined {
  const written = text.value('foreach');
  if (written === undefined) return undefined;
  for (const [key, [isSaid, why]] of Object.entries(WITHOUT)) {
    if (isSaid(text.value(key))) note(text.spot(key), 'key', why, `Remove it, or remove foreach.`);
  }
  if (text.local.includes('[')) {
    note(text.spot(), 'key', 'its name has a bracket, and its items are called after it', 'Choose another name.');
  }
  if (Object.hasOwn(tableOf(text.value('args')), 'item')) {
    note(text.spot('args', 'item'), 'key', 'the item is passed as "item" already', 'Choose another name.');
  }
  const of = itemsOf(text, around);
  noteQuoted(text);
  return { of, outputs: around.outputs, at: text.keyAt('foreach') };
}

function itemsOf(text: TaskText, { names, needs }: Around): Foreach['of'] {
  const written = text.value('foreach');
  if (Array.isArray(written)) return { kind: 'values', values: written.map(plainValue) };
  const { from, glob } = tableOf(written);
  if (typeof from === 'string') {
    const meant = names.one(from, text.home);
    const task = typeof meant === 'string' ? meant : from;
    // Of what is named several times, this comes last.
    const isNeeded = needs.find((need) => need.task === task)?.spot.path.at(-2) !== 'foreach';
    return { kind: 'from', task, isNeeded };
  }
  const spot = (...more: readonly number[]): Spot => text.spot('foreach', 'glob', ...more);
  const patterns = readPatterns(typeof glob === 'string' ? [glob] : glob, 'pattern', text.home, spot);
  return { kind: 'files', patterns };
}

/** The patterns of what all items write. */
export function outputsOfAll(outputs: readonly string[]): readonly string[] {
  return outputs.map(patternForAll);
}

function noteQuoted(text: TaskText): void {
  const command = textOf(text.value('run'));
  if (command === undefined || !commandWithVariables(command).isQuoted) return;
  note(
    text.spot('run'),
    'value',
    'a placeholder stands in single quotes, where nothing is replaced',
    'Use double quotes, or none: it is quoted by itself.',
  );
}

/** Notes outputs and reports that cannot be told apart for two items, and placeholders that there are not. */
export function noteItemPaths(tasks: ReadonlyMap<string, Task>, texts: readonly TaskText[]): void {
  for (const text of texts) {
    const task = tasks.get(text.name);
    if (task?.foreach === undefined) continue;
    const { of, outputs } = task.foreach;
    const isOfFiles = of.kind === 'files' || (of.kind === 'from' && tasks.get(of.task)?.body.kind === 'command');
    const known: readonly string[] = isOfFiles ? FILE_PLACEHOLDERS : VALUE_PLACEHOLDERS;
    if (of.kind === 'from' && isOfFiles && of.task !== text.name && tasks.get(of.task)?.outputs.length === 0) {
      note(
        text.spot('foreach', 'from'),
        'value',
        `"${of.task}" has no outputs`,
        'Name a task that writes files, or a function.',
      );
    }
    const needed = outputs.length - (task.optional?.length ?? 0);
    for (const [index, pattern] of outputs.entries()) {
      const spot = index < needed ? text.spot('outputs', index) : text.spot('optional_outputs', index - needed);
      noteItemPath(pattern, known, spot);
    }
    const { form, file = null } = task.discovered ?? {};
    if (form !== undefined && file !== null) noteItemPath(file, known, text.spot('discovered', form));
  }
}

/** Something of the sort that each item has of its own. */
function noteItemPath(pattern: string, known: readonly string[], spot: Spot): void {
  const names = placeholdersIn(pattern);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const hint = `${suggest(unknown, known)} There are ${known.map((name) => `{${name}}`).join(', ')}.`;
    note(spot, 'value', `{${unknown}} stands for nothing`, hint);
  } else if (names.length === 0 && !pattern.startsWith('!')) {
    const example = `{${known.at(-2)}}`;
    note(spot, 'value', 'all items would write it', `Name it after the item, with a placeholder such as ${example}.`);
  } else if (/[^/]\{dir\}|\{dir\}[^/]|[^/]\{path\}/.test(pattern)) {
    note(spot, 'value', '{dir} and {path} begin a step of a path', 'Put a "/" in front of it, and behind {dir}.');
  }
}

function note({ path, problems }: Spot, on: 'key' | 'value', says: string, hint: string): void {
  problems.add({ code: 'CONFIG_INVALID', message: `${label(path)}: ${says}`, hint, path, on });
}
