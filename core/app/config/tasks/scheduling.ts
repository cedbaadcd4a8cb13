/** What the configuration says of when and how often tasks run. */
import { parseDuration } from '../../../base/duration.ts';
import { ConfigErrors, FlecheError } from '../../../base/errors.ts';
import { type Table, tableOf, textOf } from '../../../base/table.ts';
import type { Scheduling, Task } from '../../../graph/tasks/task.ts';
import { SCHEDULING_KEYS } from '../schema/scheduling-schema.ts';
import { brokenRule } from '../text/formats.ts';

/**
 * The scheduling of a task, of which `written` gives what is said of a key; undefined if nothing is said. What has the
 * wrong form is left out.
 */
export function readScheduling(written: (key: string) => unknown): Scheduling | undefined {
  if (!Object.keys(SCHEDULING_KEYS).some((key) => written(key) !== undefined)) return undefined;
  const number = (key: string): number => countOf(written(key) ?? SCHEDULING_KEYS[key]?.default) ?? 0;
  const limit = limitOf(tableOf(written('limit')));
  const timeout = durationOf(written('timeout'));
  return {
    weight: number('weight'),
    retries: number('retries'),
    retryDelay: durationOf(written('retry_delay') ?? SCHEDULING_KEYS['retry_delay']?.default) ?? 0,
    ...(limit === undefined ? {} : { limit }),
    ...(timeout === undefined ? {} : { timeout }),
  };
}

function limitOf(written: Table): Scheduling['limit'] {
  const group = textOf(written['group']);
  return group === undefined ? undefined : { group, slots: countOf(written['slots']) ?? 1, size: undefined };
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** Undefined also for what is no duration, which the checks note. */
export function durationOf(value: unknown): number | undefined {
  const text = textOf(value);
  return text === undefined || brokenRule('duration', text) !== undefined ? undefined : parseDuration(text);
}

/**
 * The tasks with the sizes of their groups. `written` is the project's configuration, whose form has been checked. Throws
 * `ConfigErrors` for tasks that want more than it says there is; what depends on the machine is no error.
 */
export function withLimits(tasks: ReadonlyMap<string, Task>, written: Table): ReadonlyMap<string, Task> {
  const sizes = tableOf(written['limits']);
  const jobs = countOf(tableOf(written['default'])['jobs']);
  const faults: FlecheError[] = [];
  const sized = [...tasks].map(([name, task]): [string, Task] => {
    const { scheduling } = task;
    if (scheduling === undefined) return [name, task];
    const { weight, limit } = scheduling;
    if (jobs !== undefined && weight > jobs) faults.push(excess(task, `takes ${weight} jobs`, `jobs = ${jobs}`));
    if (limit === undefined) return [name, task];
    const size = Object.hasOwn(sizes, limit.group) ? countOf(sizes[limit.group]) : undefined;
    if (size !== undefined && limit.slots > size) {
      faults.push(excess(task, `takes ${limit.slots} places of "${limit.group}"`, `[limits] ${limit.group} = ${size}`));
    }
    return [name, { ...task, scheduling: { ...scheduling, limit: { ...limit, size } } }];
  });
  const [first, ...others] = faults;
  if (first !== undefined) throw new ConfigErrors([first, ...others]);
  return new Map(sized);
}

function excess({ name, at }: Task, takes: string, says: string): FlecheError {
  return new FlecheError('CONFIG_INVALID', `task "${name}" ${takes}, more than there are: ${says}`, {
    at,
    hint: 'Let it take less, or say that there are more.',
  });
}
