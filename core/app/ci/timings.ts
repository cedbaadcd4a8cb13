/**
 * A file with the times that tasks took, for jobs that split the work: all of them must be given the same one. Plain JSON,
 * task to ms.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { FlecheError, messageOf, systemCode } from '../../base/errors.ts';
import { byCodeUnit } from '../../base/order.ts';
import type { TaskOutcome } from '../../graph/tasks/outcome.ts';

export type Timings = ReadonlyMap<string, number>;

/** Empty where there is no such file. Throws `USAGE` for one that is something else. */
export function readTimings(path: string): Timings {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return new Map();
    throw unfit(path, messageOf(error));
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
      throw unfit(path, 'it is no JSON object');
    return new Map(Object.entries(parsed).filter((entry): entry is [string, number] => isTime(entry[1])));
  } catch (error) {
    throw error instanceof FlecheError ? error : unfit(path, messageOf(error));
  }
}

/** What is known by now, with what this run found out. */
export function withOutcomes(timings: Timings, outcomes: readonly TaskOutcome[]): Timings {
  const ran = outcomes
    .filter(({ outcome }) => outcome === 'ran')
    .map(({ name, ms }) => [name, Math.round(ms)] as const);
  return new Map([...timings, ...ran]);
}

/** Replaces the file as a whole. */
export function writeTimings(path: string, timings: Timings): void {
  mkdirSync(dirname(path), { recursive: true });
  const entries = [...timings.keys()].sort(byCodeUnit).map((name) => [name, timings.get(name)] as const);
  writeFileSync(`${path}.new`, `${JSON.stringify(Object.fromEntries(entries), null, 1)}\n`);
  renameSync(`${path}.new`, path);
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function unfit(path: string, why: string): FlecheError {
  return new FlecheError('USAGE', `--timings: "${path}" cannot be used: ${why}`, {
    hint: 'Remove it: without times the work is split by the number of tasks.',
  });
}
