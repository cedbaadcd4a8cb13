/** The tasks of a configuration, complete and normalised. What is wrong with them beyond their form is noted here. */
import { parseDuration } from '../../base/duration.ts';
import { FlecheError } from '../../base/errors.ts';
import { topologicalOrder } from '../../base/order.ts';
import { normalRel, type RelPath } from '../../base/paths.ts';
import { expandBraces } from '../../files/braces.ts';
import type { Task, TaskArg, TaskBody } from '../../graph/task.ts';
import { isTable, type Table } from './check.ts';
import { brokenRule } from './formats.ts';
import type { KeyPath, Positions } from './positions.ts';
import { label, type Problems } from './problems.ts';
import { ARGUMENT, TASK_KEYS } from './schema.ts';
import { plainValue, tableOf, textOf, textsOf } from './values.ts';

/** The tasks of a `[tasks]` table, in its order. A task whose form is wrong, which the checks note, has something made up. */
export function readTasks(table: Table, positions: Positions, problems: Problems): ReadonlyMap<string, Task> {
  const read = (name: string, value: unknown): Task =>
    readTask(name, typeof value === 'string' ? { run: value } : tableOf(value), positions, problems);
  return new Map(Object.entries(table).map(([name, value]) => [name, read(name, value)]));
}

function readTask(name: string, written: Table, positions: Positions, problems: Problems): Task {
  const path = ['tasks', name];
  const body = readBody(written, path, problems);
  const value = (key: string): unknown => written[key] ?? TASK_KEYS[key]?.default;
  const args = body.kind === 'function' ? Object.values(body.args) : [];
  const description = textOf(value('description'));
  const staleAfter = durationOf(textOf(value('stale_after')));
  return {
    name,
    body,
    dir: pathOf(textOf(value('dir')) ?? '.'),
    needs: [
      ...new Set([...textsOf(value('needs')), ...args.flatMap((arg) => (arg.kind === 'from' ? [arg.task] : []))]),
    ],
    inputs: readPatterns(value('inputs'), 'pattern', [...path, 'inputs'], problems),
    outputs: readPatterns(value('outputs'), 'output', [...path, 'outputs'], problems),
    env: textsOf(value('env')),
    passEnv: textsOf(value('pass_env')),
    tools: textsOf(value('tools')),
    clean: value('clean') === true,
    cache: value('cache') === true,
    ...(staleAfter === undefined ? {} : { staleAfter }),
    ...(description === undefined ? {} : { description }),
    at: positions.lazyKey(path),
  };
}

/** Undefined also for what is no duration, which the checks note. */
function durationOf(text: string | undefined): number | undefined {
  return text === undefined || brokenRule('duration', text) !== undefined ? undefined : parseDuration(text);
}

function readBody(written: Table, path: KeyPath, problems: Problems): TaskBody {
  const reference = textOf(written['call']);
  if (reference === undefined) return { kind: 'command', command: textOf(written['run']) ?? '' };
  const [module = '', name = ''] = reference.split('#');
  const args = Object.entries(tableOf(written['args'])).map(
    ([key, value]) => [key, readArg(value, [...path, 'args', key], problems)] as const,
  );
  return { kind: 'function', module: pathOf(module), export: name, args: Object.fromEntries(args) };
}

function readArg(value: unknown, path: KeyPath, problems: Problems): TaskArg {
  if (isTable(value)) {
    if (typeof value['from'] === 'string') return { kind: 'from', task: value['from'] };
    if (typeof value['file'] === 'string') return { kind: 'file', path: pathOf(value['file']) };
    if (typeof value['env'] === 'string') return { kind: 'env', name: value['env'], default: textOf(value['default']) };
    if (typeof value['digest'] === 'string') return { kind: 'digest', prefix: value['digest'] };
    if (Object.hasOwn(value, 'value')) return { kind: 'value', value: plainValue(value['value']) };
    if (Object.hasOwn(value, 'glob')) {
      const glob = value['glob'];
      const patterns = readPatterns(typeof glob === 'string' ? [glob] : glob, 'pattern', [...path, 'glob'], problems);
      return { kind: 'glob', patterns };
    }
  }
  noteInnerSources(value, path, problems);
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
function noteInnerSources(value: unknown, path: KeyPath, problems: Problems): void {
  const members = Array.isArray(value) ? value.entries() : isTable(value) ? Object.entries(value) : [];
  for (const [step, member] of members) {
    const inner = [...path, step];
    const source = isTable(member) ? sourceOf(member) : undefined;
    if (source === undefined) {
      noteInnerSources(member, inner, problems);
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

function pathOf(text: string): RelPath {
  return normalRel(text.replaceAll('\\', '/'));
}

/** Patterns in normal form, so that equal ones are written alike; none if the form of one is wrong. */
function readPatterns(
  value: unknown,
  format: 'pattern' | 'output',
  path: KeyPath,
  problems: Problems,
): readonly string[] {
  const written = textsOf(value);
  if (written.some((pattern) => brokenRule(format, pattern) !== undefined)) return [];
  const add = (path: KeyPath, message: string, hint: string): void =>
    problems.add({ code: 'CONFIG_INVALID', message: `${label(path)} ${message}`, hint, path, on: 'value' });
  if (written.length > 0 && written.every((pattern) => pattern.startsWith('!'))) {
    add(path, 'only takes files away', 'Put a pattern without "!" before the others, such as "**".');
  }
  for (const [index, pattern] of written.entries()) {
    if (!isTooWide(pattern)) continue;
    add([...path, index], 'stands for too many words', 'Use * or ** instead of so many alternatives in braces.');
  }
  return written.map(normalPattern);
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

/** An empty step, one of a single dot, or a backslash. */
const ABNORMAL = /\\|\/\/|\/$|(?:^!?|\/)\.(?:\/|$)/;

function normalPattern(pattern: string): string {
  if (!ABNORMAL.test(pattern)) return pattern;
  const negation = pattern.startsWith('!') ? '!' : '';
  const steps = pattern.slice(negation.length).replaceAll('\\', '/').split('/');
  const kept = steps.filter((step) => step !== '' && step !== '.');
  return negation + (kept.length === 0 ? '**' : kept.join('/'));
}

/** Notes every circle of needs, each with its whole path, at the need that closes it. */
export function noteCycles(tasks: ReadonlyMap<string, Task>, table: Table, problems: Problems): void {
  const needs = new Map([...tasks].map(([name, task]) => [name, task.needs.filter((need) => tasks.has(need))]));
  const order = [...tasks.keys()];
  for (;;) {
    const found = topologicalOrder(order, (name) => needs.get(name) ?? []);
    if (found.kind === 'ordered') return;
    const names = found.path.slice(0, -1);
    const first = names.indexOf(order.find((name) => names.includes(name)) ?? '');
    const circle = [...names.slice(first), ...names.slice(0, first)];
    const start = circle[0] ?? '';
    const last = circle.at(-1) ?? '';
    problems.add({
      code: 'CONFIG_CYCLE',
      message: `tasks need each other in a circle: ${[...circle, start].join(' → ')}`,
      hint: circle.length === 1 ? 'A task cannot need itself.' : 'Remove one of these needs.',
      path: needPath(tableOf(table[last]), last, start),
      on: 'value',
    });
    needs.set(last, needs.get(last)?.filter((need) => need !== start) ?? []);
  }
}

/** Where a task says that it needs another one. */
function needPath(task: Table, name: string, need: string): KeyPath {
  const index = Array.isArray(task['needs']) ? task['needs'].indexOf(need) : -1;
  if (index >= 0) return ['tasks', name, 'needs', index];
  const [arg] = Object.entries(tableOf(task['args'])).find(([, value]) => tableOf(value)['from'] === need) ?? [];
  return arg === undefined ? ['tasks', name] : ['tasks', name, 'args', arg, 'from'];
}
