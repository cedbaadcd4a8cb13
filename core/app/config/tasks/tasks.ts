/**
 * The tasks of a configuration, complete and normalised: paths relative to the project, names of tasks in full. What is
 * wrong with them beyond their form is noted here.
 */
import { topologicalOrder } from '../../../base/order.ts';
import { isTable, type Table, tableOf, textOf, textsOf } from '../../../base/table.ts';
import type { Discovered, Installed, Stdin, Task, TaskArg, TaskBody } from '../../../graph/tasks/task.ts';
import type { Package, Packages } from '../../packages/packages.ts';
import { ARGUMENT, TASK_KEYS } from '../schema/task-schema.ts';
import { plainValue } from '../text/plain-value.ts';
import { label } from '../text/problems.ts';
import { noteItemPaths, outputsOfAll, readForeach } from './foreach.ts';
import type { InputLists, Inputs } from './inputs.ts';
import { type Need, TaskNames } from './needs.ts';
import { notePatterns, pathOf, readPatterns } from './patterns.ts';
import { durationOf, readScheduling } from './scheduling.ts';
import { readService } from './services.ts';
import type { Spot, TaskText } from './task-text.ts';

/** Characters of a digest that tell manifests apart, and can be shown. */
const SHORT_FACE = 16;

/** What was made of the texts of tasks. */
interface ReadTasks {
  readonly tasks: ReadonlyMap<string, Task>;
  readonly names: TaskNames;
  /** Which of its written inputs each of a task's input patterns comes from, by the task's name. */
  readonly origins: ReadonlyMap<string, readonly number[]>;
}

/** Environment variables of all tasks, beside their own. */
export interface Variables {
  readonly env: readonly string[];
  readonly passEnv: readonly string[];
}

/** Reads tasks, in their order. A task whose form is wrong, which the checks note, has something made up. */
export function readTasks(
  texts: readonly TaskText[],
  packages: Packages,
  lists: InputLists,
  variables: Variables,
): ReadTasks {
  const names = new TaskNames(packages, texts);
  const needs = new Map(texts.map((text) => [text.name, names.needsOf(text)]));
  const origins = new Map<string, readonly number[]>();
  const installed = new InstalledPackages(packages);
  const tasks = new Map<string, Task>();
  for (const text of texts) {
    const inputs = inputsOf(text, lists);
    origins.set(text.name, inputs.origins);
    const task = readTask(text, { needs: needs.get(text.name) ?? [], inputs, names, variables });
    const lock = packages.all.length > 0 && task.body.kind === 'command' && text.value('lock') !== false;
    tasks.set(text.name, lock ? { ...task, installed: installed.of(text.home) } : task);
  }
  noteCycles(needs, packages);
  noteItemPaths(tasks, texts);
  return { tasks, names, origins };
}

/** A command without inputs reads its folder, unless it tells what it reads; a function reads its arguments, an item itself. */
function inputsOf(text: TaskText, lists: InputLists): Inputs {
  notePatterns(textsOf(text.value('inputs')), 'pattern', (...steps) => text.spot('inputs', ...steps));
  const reads = ['call', 'discovered', 'foreach'];
  return lists.of(
    text,
    reads.some((key) => text.value(key) !== undefined),
  );
}

/** What there is for the commands of each package to load. */
class InstalledPackages {
  readonly #packages: Packages;
  readonly #known = new Map<Package, Installed>();

  constructor(packages: Packages) {
    this.#packages = packages;
  }

  of(home: Package): Installed {
    const known = this.#known.get(home);
    if (known !== undefined) return known;
    const near = [home, ...this.#packages.loadable(home)];
    const manifests = near.map(({ name, face }) => `${name}\t${face?.slice(0, SHORT_FACE) ?? ''}`).join('\n');
    const made = { folder: home.folder, manifests };
    this.#known.set(home, made);
    return made;
  }
}

/** What of a task is told by more than its own text. */
interface Around {
  readonly needs: readonly Need[];
  readonly inputs: Inputs;
  readonly names: TaskNames;
  readonly variables: Variables;
}

function readTask(text: TaskText, { needs, inputs, names, variables }: Around): Task {
  const { name, home } = text;
  const value = (key: string): unknown => text.value(key) ?? TASK_KEYS[key]?.default;
  const description = textOf(value('description'));
  const discovered = discoveredOf(tableOf(value('discovered')), home);
  const staleAfter = durationOf(value('stale_after'));
  const scheduling = readScheduling((key) => text.value(key));
  const service = readService(text);
  const outputsIn = (key: string): readonly string[] =>
    readPatterns(value(key), 'output', home, (...steps) => text.spot(key, ...steps));
  const optional = outputsIn('optional_outputs');
  const outputs = [...outputsIn('outputs'), ...optional];
  const foreach = readForeach(text, { names, needs, outputs });
  return {
    name,
    body: readBody(text, names),
    dir: pathOf(textOf(value('dir')) ?? '.', home),
    needs: needs.map(({ task }) => task),
    inputs: inputs.patterns,
    ...(inputs.whole === undefined ? {} : { whole: inputs.whole }),
    ...(discovered === undefined ? {} : { discovered }),
    outputs: foreach === undefined ? outputs : outputsOfAll(outputs),
    ...(optional.length === 0 ? {} : { optional }),
    ...(foreach === undefined ? {} : { foreach }),
    env: [...new Set([...variables.env, ...textsOf(value('env'))])],
    passEnv: [...new Set([...variables.passEnv, ...textsOf(value('pass_env'))])],
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
