/** `fleche show`: one record, for a person or a program. */
import { inspect } from 'node:util';
import { formatDuration } from '../../base/duration.ts';
import { FlecheError } from '../../base/errors.ts';
import type { Digest } from '../../base/hash.ts';
import { Cache } from '../../call/caches/cache.ts';
import { expandKey, mayBeDigest } from '../../call/prefix.ts';
import type { CallRecord } from '../../store/record.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import type { Project } from '../project.ts';
import { chosenTask, taskNamed } from '../selection/targets.ts';
import { harmless } from '../terminal/text.ts';

/** A record, by its key or the beginning of one, or by a task: then the newest. */
export async function show(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const project = await context.open();
  try {
    const record = await recordNamed(invocation.args[0] ?? '', project);
    const text = invocation.flag('json')
      ? JSON.stringify({ type: 'record', ...record })
      : recordText(record, project.now());
    machine.stdout.write(`${text}\n`);
    return EXIT.done;
  } finally {
    await project.close();
  }
}

async function recordNamed(name: string, project: Project): Promise<CallRecord> {
  const { values, calls } = project.stores();
  const task = taskNamed(name, project) ?? (mayBeDigest(name) ? undefined : chosenTask(name, project));
  if (task !== undefined) {
    for (const record of calls.find({ kind: 'task', name: task })) return record;
    throw new FlecheError('CALL_UNKNOWN', `task "${task}" has no record`, { hint: `Run it: fleche run ${name}` });
  }
  const key = await expandKey(new Cache(values, calls), name);
  const record = calls.get(key);
  if (record !== undefined) return record;
  throw new FlecheError('CALL_UNKNOWN', `no call is on file under ${name}`, {
    hint: 'Name a task, or a key as `run --json` prints it.',
  });
}

function recordText(record: CallRecord, now: number): string {
  const { kind, name, module, key, filed, failure, result, outputs, log, parts, metadata } = record;
  const where = module === null ? '' : ` of ${harmless(module)}`;
  return [
    `${kind} ${harmless(name)}${where}, ${formatDuration(Math.max(0, now - filed))} ago`,
    `key      ${key}`,
    ...(failure === null ? [] : [`failed   ${harmless(failure.message)}`]),
    ...(result === null ? [] : [`result   ${result.digest}`]),
    ...(outputs === null ? [] : [`outputs  ${outputs}`, `         list them: ${catOf(outputs)}`]),
    ...(log === null ? [] : [`log      ${log}`, `         show it: ${catOf(log)}`]),
    'made of',
    ...parts.map((part) => `  ${part.digest.slice(0, 12)}  ${harmless(part.name)}`),
    ...(Object.keys(metadata).length === 0
      ? []
      : [
          'metadata',
          ...inspect(metadata, { depth: 4 })
            .split('\n')
            .map((line) => `  ${line}`),
        ]),
  ].join('\n');
}

function catOf(digest: Digest): string {
  return `fleche cat ${digest.slice(0, 12)}`;
}
