/**
 * The tasks of a configuration, complete and normalised: paths relative to the project, names of tasks in full. What is
 * wrong with them beyond their form is noted here.
 */
import { FlecheError } from '../../base/errors.ts';
import { topologicalOrder } from '../../base/order.ts';
import { normalRel, type RelPath } from '../../base/paths.ts';
import { expandBraces } from '../../files/braces.ts';
import type { Discovered, Stdin, Task, TaskArg, TaskBody } from '../../graph/task.ts';
import type { Package, Packages } from '../packages/packages.ts';
import { isTable, type Table } from './check.ts';
import { brokenRule } from './formats.ts';
import { type Need, TaskNames } from './needs.ts';
import { label } from './problems.ts';
import { durationOf, readScheduling } from './scheduling.ts';
import { ARGUMENT, TASK_KEYS } from './schema.ts';
import { readService } from './services.ts';
import type { Spot, TaskText } from './task-text.ts';
import { plainValue, tableOf, textOf, textsOf } from './values.ts';

/** What was made of the texts of tasks. */
export interface ReadTasks {
  readonly tasks: ReadonlyMap<string, Task>;
  readonly names: TaskNames;
}

/** Reads tasks, in their order. A task whose form is wrong, which the checks note, has something made up. */
export function readTasks(texts: readonly TaskText[], packages: Packages): ReadTasks {
  const names = new TaskNames(packages, texts);
  const needs = new Map(texts.map((text) => [text.name, names.needsOf(text)]));
  const tasks = new Map(texts.map((text) => [text.name, readTask(text, needs.get(text.name) ?? [], names)]));
  noteCycles(needs, packages);
  return { tasks, names };
}

function readTask(text: TaskText, needs: readonly Need[], names: TaskNames): Task {
  const { name, home } = text;
  const value = (key: string): unknown => text.value(key) ?? TASK_KEYS[key]?.default;
  const description = textOf(value('description'));
  const discovered = discoveredOf(tableOf(value('discovered')), home);
  const staleAfter = durationOf(value('stale_after'));
  const scheduling = readScheduling((key) => text.value(key));
  const service = readService(text);
  return {
    name,
    body: readBody(text, names),
    dir: pathOf(textOf(value('dir')) ?? '.', home),
    needs: needs.map(({ task }) => task),
    inputs: readPatterns(value('inputs'), 'pattern', home, (...steps) => text.spot('inputs', ...steps)),
    ...(discovered === undefined ? {} : { discovered }),
    outputs: readPatterns(value('outputs'), 'output', home, (...steps) => text.spot('outputs', ...steps)),
    env: textsOf(value('env')),
    passEnv: textsOf(value('pass_env')),
    tools: textsOf(value('tools')),
    clean: value('clean') === true,
    cache: value('cache') === true,
    ...(staleAfter === undefined ? {} : { staleAfter }),
    ...(scheduling === undefined ? {} : { scheduling }),
    ...(service === undefined ? {} : { service }),
    ...(description === undefined ? {} : { description }),
    at: text.at,
  };
}

const FORMS: readonly Discovered['form'][] = ['depfile', 'metafile', 'list', 'tsc'];

/** `tsc = false` is as if nothing were said. */
function discoveredOf(written: Table, home: Package): Discovered | undefined {
  if (written['tsc'] === true) return { form: 'tsc', file: null };
  const form = FORMS.find((form) => typeof written[form] === 'string');
  return form === undefined ? undefined : { form, file: pathOf(textOf(written[form]) ?? '', home) };
}

function readBody(text: TaskText, names: TaskNames): TaskBody {
  const { home, local } = text;
  const reference = textOf(text.value('call'));
  if (reference === undefined) {
    const stdin = stdinOf(text.value('stdin'), home);
    const command = textOf(text.value('run')) ?? home.scripts[local] ?? '';
    return { kind: 'command', command, ...(stdin === undefined ? {} : { stdin }) };
  }
  const [module = '', name = ''] = reference.split('#');
  const args = Object.entries(tableOf(text.value('args'))).map(
    ([key, value]) => [key, readArg(value, text, ['args', key], names)] as const,
  );
  return { kind: 'function', module: pathOf(module, home), export: name, args: Object.fromEntries(args) };
}

function stdinOf(written: unknown, home: Package): Stdin | undefined {
  const text = textOf(written);
  if (text !== undefined) return { kind: 'text', text };
  const file = textOf(tableOf(written)['file']);
  return file === undefined ? undefined : { kind: 'file', path: pathOf(file, home) };
}

function readArg(value: unknown, text: TaskText, steps: readonly string[], names: TaskNames): TaskArg {
  const { home } = text;
  if (isTable(value)) {
    if (typeof value['from'] === 'string') {
      const meant = names.one(value['from'], home);
      return { kind: 'from', task: typeof meant === 'string' ? meant : value['from'] };
    }
    if (typeof value['file'] === 'string') return { kind: 'file', path: pathOf(value['file'], home) };
    if (typeof value['env'] === 'string') return { kind: 'env', name: value['env'], default: textOf(value['default']) };
    if (typeof value['digest'] === 'string') return { kind: 'digest', prefix: value['digest'] };
    if (Object.hasOwn(value, 'value')) return { kind: 'value', value: plainValue(value['value']) };
    if (Object.hasOwn(value, 'glob')) {
      const glob = value['glob'];
      const spot = (...more: readonly number[]): Spot => text.spot(...steps, 'glob', ...more);
      return {
        kind: 'glob',
        patterns: readPatterns(typeof glob === 'string' ? [glob] : glob, 'pattern', home, spot),
      };
    }
  }
  noteInnerSources(value, text.spot(...steps));
  return { kind: 'value', value: plainValue(value) };
}

/** The keys that make a table a source of an argument; `value` is none. */
const SOURCES: ReadonlySet<string> = new Set(
  ARGUMENT.forms.flatMap(({ tags }) => tags).filter((tag) => tag !== 'value'),
);

/**
 * A source that stands deeper inside a value would be passed as it is written and its content would not be in the key,
 * which is hardly what is meant.
 */
function noteInnerSources(value: unknown, { path, problems }: Spot): void {
  const members = Array.isArray(value) ? value.entries() : isTable(value) ? Object.entries(value) : [];
  for (const [step, member] of members) {
    const inner = [...path, step];
    const source = isTable(member) ? sourceOf(member) : undefined;
    if (source === undefined) {
      noteInnerSources(member, { path: inner, problems });
      continue;
    }
    problems.add({
      code: 'CONFIG_INVALID',
      message: `${label(inner)}: { ${source} = … } would be passed as it is written`,
      hint: 'Make it an argument of its own, or put the whole argument in { value = … } to pass it as it is written.',
      path: inner,
      on: 'value',
    });
  }
}

/** The key that would make the table a source, if it stood in the right place. */
function sourceOf(table: Table): string | undefined {
  const [key = '', ...others] = Object.keys(table);
  const isWhole = others.length === 0 || (key === 'env' && others.length === 1 && others[0] === 'default');
  const isNamed = typeof table[key] === 'string' || (key === 'glob' && Array.isArray(table[key]));
  return SOURCES.has(key) && isWhole && isNamed ? key : undefined;
}

/** A path as it is seen from the project, of one that is written in a package. */
function pathOf(text: string, { folder }: Package): RelPath {
  const path = text.replaceAll('\\', '/');
  if (path.startsWith('//')) return normalRel(path.replace(/^\/+/, './'));
  return normalRel(folder === '.' ? path : `${folder}/${path}`);
}

/**
 * Patterns in normal form and as they are seen from the project, so that equal ones are written alike; none if the form of
 * one is wrong. `spot` leads to the list, or to one of its elements.
 */
function readPatterns(
  value: unknown,
  format: 'pattern' | 'output',
  home: Package,
  spot: (...index: readonly number[]) => Spot,
): readonly string[] {
  const written = textsOf(value);
  if (written.some((pattern) => brokenRule(format, pattern) !== undefined)) return [];
  const add = ({ path, problems }: Spot, message: string, hint: string): void =>
    problems.add({ code: 'CONFIG_INVALID', message: `${label(path)} ${message}`, hint, path, on: 'value' });
  if (written.length > 0 && written.every((pattern) => pattern.startsWith('!'))) {
    add(spot(), 'only takes files away', 'Put a pattern without "!" before the others, such as "**".');
  }
  for (const [index, pattern] of written.entries()) {
    if (!isTooWide(pattern)) continue;
    add(spot(index), 'stands for too many words', 'Use * or ** instead of so many alternatives in braces.');
  }
  return written.map((pattern) => patternFrom(home, pattern));
}

function isTooWide(pattern: string): boolean {
  if (!pattern.includes('{')) return false;
  try {
    expandBraces(pattern);
    return false;
  } catch (error) {
    if (error instanceof FlecheError && error.code === 'CONFIG_INVALID') return true;
    throw error;
  }
}

/** A pattern as it is seen from the project. */
function patternFrom({ folder }: Package, pattern: string): string {
  const negation = pattern.startsWith('!') ? '!' : '';
  const text = pattern.slice(negation.length);
  if (/^[\\/]{2}/.test(text)) return negation + normalPattern(text);
  if (folder === '.') return negation + normalPattern(text);
  const [, up = '', rest = ''] = /^((?:\.\.?[\\/]+)*)(.*)$/s.exec(text) ?? [];
  const base = normalRel(`${folder}/${up.replaceAll('\\', '/')}`);
  return negation + normalPattern(base === '.' ? rest : `${base}/${rest}`);
}

/** An empty step, one of a single dot, or a backslash. */
const ABNORMAL = /\\|^\/|\/\/|\/$|(?:^|\/)\.(?:\/|$)/;

function normalPattern(pattern: string): string {
  if (!ABNORMAL.test(pattern)) return pattern;
  const steps = pattern.replaceAll('\\', '/').split('/');
  const kept = steps.filter((step) => step !== '' && step !== '.');
  return kept.length === 0 ? '**' : kept.join('/');
}

/** Notes every circle of needs, each with its whole path, at the need that closes it. */
function noteCycles(all: ReadonlyMap<string, readonly Need[]>, packages: Packages): void {
  const needs = new Map([...all].map(([name, list]) => [name, list.map(({ task }) => task)]));
  const order = [...all.keys()];
  for (;;) {
    const found = topologicalOrder(order, (name) => needs.get(name) ?? []);
    if (found.kind === 'ordered') return;
    const names = found.path.slice(0, -1);
    const first = names.indexOf(order.find((name) => names.includes(name)) ?? '');
    const circle = [...names.slice(first), ...names.slice(0, first)];
    const start = circle[0] ?? '';
    const last = circle.at(-1) ?? '';
    const edges = circle.map((name, at) => needOf(all, name, circle[at + 1] ?? start));
    const through = edges.every((need) => need?.isFromPackages) ? packages.circle() : undefined;
    const closing = needOf(all, last, start);
    closing?.spot.problems.add({
      code: 'CONFIG_CYCLE',
      message:
        through === undefined
          ? `tasks need each other in a circle: ${[...circle, start].join(' → ')}`
          : `packages depend on each other in a circle: ${through.join(' → ')}`,
      hint:
        through !== undefined
          ? 'Remove one of these dependencies from its package.json, or name the tasks that are needed without "^".'
          : circle.length === 1
            ? 'A task cannot need itself.'
            : 'Remove one of these needs.',
      path: closing.spot.path,
      on: 'value',
    });
    if (through !== undefined) return;
    needs.set(last, needs.get(last)?.filter((need) => need !== start) ?? []);
  }
}

function needOf(all: ReadonlyMap<string, readonly Need[]>, name: string, need: string): Need | undefined {
  return all.get(name)?.find(({ task }) => task === need);
}
