/** What the configuration says of services. */
import { tableOf, textOf } from '../../../base/table.ts';
import type { Readiness, Task } from '../../../graph/tasks/task.ts';
import { label } from '../text/problems.ts';
import { durationOf } from './scheduling.ts';
import type { TaskText } from './task-text.ts';

const LAST_PORT = 65_535;
const MINUTE = 60_000;

/** What has no meaning for a command that stays, and why. */
const WITHOUT: Readonly<Record<string, string>> = {
  call: 'a service is a command',
  outputs: 'a service has no outputs',
  optional_outputs: 'a service has no outputs',
  discovered: 'a service has no answer that could depend on what it reads',
  retries: 'a service is not tried again',
  timeout: 'a service takes as long as it is needed',
};

/** The service that a task is, if it says so or has to be ready; undefined for any other task. Notes what is said that a service cannot have. */
export function readService(text: TaskText): Task['service'] {
  const ready = text.value('ready');
  const persistent = text.value('persistent');
  if (persistent === false && ready !== undefined) {
    note(text, 'ready', 'only a service has to be ready', 'Write persistent = true, or remove it.');
  }
  if (persistent !== true && (persistent === false || ready === undefined)) return undefined;
  for (const [key, why] of Object.entries(WITHOUT)) {
    const value = text.value(key);
    const isSaid = value !== undefined && !(Array.isArray(value) && value.length === 0) && value !== 0;
    if (isSaid) note(text, key, why, 'Remove it, or remove persistent.');
  }
  return { ready: ready === undefined ? undefined : readinessOf(text) };
}

function note(text: TaskText, key: string, says: string, hint: string): void {
  const { path, problems } = text.spot(key);
  problems.add({ code: 'CONFIG_INVALID', message: `${label(path)}: ${says}`, hint, path, on: 'key' });
}

function readinessOf(text: TaskText): Readiness | undefined {
  const written = tableOf(text.value('ready'));
  const timeout = durationOf(written['timeout']) ?? MINUTE;
  const { port } = written;
  const log = textOf(written['log']);
  const command = textOf(written['command']);
  if (typeof port === 'number') {
    if (port > LAST_PORT) note(text, 'ready', `there is no port ${port}`, `The last one is ${LAST_PORT}.`);
    return { when: { kind: 'port', port }, timeout };
  }
  if (log !== undefined) return { when: { kind: 'log', text: log }, timeout };
  return command === undefined ? undefined : { when: { kind: 'command', command }, timeout };
}
