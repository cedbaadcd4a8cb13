/**
 * Makes templates of tasks that packages have alike: what a task of most packages is stands once, in the root, and in a
 * package only what is other there. Pure.
 */
import type { Draft, DraftKeys, DraftTable } from './draft.ts';
import { keysBeside } from './task-keys.ts';

/** A task of a package in a draft. */
interface Found {
  readonly folder: string;
  readonly table: DraftTable;
  /** Its keys; without a command if that is the script of its name. */
  readonly keys: DraftKeys;
  readonly isScript: boolean;
}

/**
 * The same configuration, with templates where they say less. `scripts` has those of every package by its folder; a task
 * that not all packages with such a script have is left as it is, for a template is for all of them.
 */
export function withTemplates(
  drafts: readonly Draft[],
  scripts: ReadonlyMap<string, Readonly<Record<string, string>>>,
): readonly Draft[] {
  const found = drafts.flatMap(({ folder, tables }) =>
    folder === '.' ? [] : tables.map((table) => foundIn(folder, table, scripts.get(folder) ?? {})),
  );
  const templates = new Map<string, DraftTable>();
  for (const name of new Set(found.map(({ table }) => nameOf(table)))) {
    const tasks = found.filter(({ table }) => nameOf(table) === name);
    const users = [...scripts].filter(([, own]) => own[name] !== undefined).map(([folder]) => folder);
    const isForAll = users.every((user) => user === '.' || tasks.some(({ folder }) => folder === user));
    const common = isForAll ? mostCommon(tasks.filter(({ isScript }) => isScript)) : undefined;
    if (common === undefined) continue;
    templates.set(name, { path: ['templates', name], comments: common.table.comments ?? [], keys: common.keys });
  }
  return drafts.map((draft) => {
    if (draft.folder === '.') return { ...draft, tables: beforeTasks(draft.tables, [...templates.values()]) };
    const own = found.filter(({ folder }) => folder === draft.folder);
    return { ...draft, tables: own.flatMap((task) => beside(task, templates.get(nameOf(task.table)))) };
  });
}

function foundIn(folder: string, table: DraftTable, scripts: Readonly<Record<string, string>>): Found {
  const isScript = table.keys['run'] === scripts[nameOf(table)];
  return { folder, table, keys: isScript ? { ...table.keys, run: undefined } : table.keys, isScript };
}

function nameOf({ path }: DraftTable): string {
  return path[1] ?? '';
}

/** The first of those that most are alike; undefined if all of them differ. */
function mostCommon(tasks: readonly Found[]): Found | undefined {
  const alike = new Map<string, Found[]>();
  for (const task of tasks) {
    const text = JSON.stringify([task.table.comments ?? [], task.keys]);
    alike.set(text, [...(alike.get(text) ?? []), task]);
  }
  let most: readonly Found[] = [];
  for (const group of alike.values()) if (group.length > most.length) most = group;
  return most.length > 1 ? most[0] : undefined;
}

/** What a package has to say of a task beside a template; nothing if it is the same. */
function beside({ table, keys }: Found, template: DraftTable | undefined): readonly DraftTable[] {
  if (template === undefined) return [table];
  const own = keysBeside(template.keys, keys);
  return Object.keys(own).length === 0 ? [] : [{ ...table, keys: own }];
}

function beforeTasks(tables: readonly DraftTable[], templates: readonly DraftTable[]): readonly DraftTable[] {
  const isTask = ({ path }: DraftTable): boolean => path[0] === 'tasks';
  return [...tables.filter((table) => !isTask(table)), ...templates, ...tables.filter(isTask)];
}
