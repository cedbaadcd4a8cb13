/** Files that a job leaves behind, for people, for its service, and for jobs that follow. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { RunReport } from '../../graph/tasks/outcome.ts';
import type { Invocation } from '../invocation.ts';
import type { Machine } from '../verb.ts';
import { jobSummary } from './job-summary.ts';
import { junitXml } from './junit.ts';
import { readTimings, type Timings, withOutcomes, writeTimings } from './timings.ts';

/** Absolute paths of the files that are wanted. */
interface JobFiles {
  readonly junit: string | undefined;
  /** Appended to: other steps of the job write there too. */
  readonly page: string | undefined;
  /** The same, for values that later steps of a job on GitHub find. */
  readonly values: string | undefined;
  readonly timings: string | undefined;
}

interface JobStory {
  /** What the job was, in words. */
  readonly heading: string;
  /** The state of the cache, in a sentence. */
  readonly cache: string;
  readonly timings: Timings;
  /** The last lines that a task printed. */
  readonly tail: (task: string) => readonly string[];
}

export function jobFiles(invocation: Invocation, { cwd, env }: Pick<Machine, 'cwd' | 'env'>): JobFiles {
  const place = (path: string | undefined): string | undefined => (path ? resolve(cwd, path) : undefined);
  return {
    junit: place(invocation.text('junit')),
    page: place(invocation.text('job-summary') ?? env['GITHUB_STEP_SUMMARY']),
    values: place(env['GITHUB_OUTPUT']),
    timings: place(invocation.text('timings')),
  };
}

/** Throws `USAGE` for a file with something else in it. */
export function timingsOf({ timings }: JobFiles): Timings {
  return timings === undefined ? new Map() : readTimings(timings);
}

export function writeJobFiles({ junit, page, values, timings }: JobFiles, report: RunReport, story: JobStory): void {
  if (timings !== undefined) writeTimings(timings, withOutcomes(story.timings, report.outcomes));
  if (junit !== undefined) {
    mkdirSync(dirname(junit), { recursive: true });
    writeFileSync(junit, junitXml(report, story.tail));
  }
  if (page !== undefined) appendFileSync(page, jobSummary(report, story.heading, story.cache));
  if (values !== undefined) appendFileSync(values, valuesOf(report));
}

function valuesOf({ summary, outcomes }: RunReport): string {
  const { ran, cached, failed } = summary;
  const rate = ran + cached === 0 ? 1 : cached / (ran + cached);
  const names = outcomes.filter(({ outcome }) => outcome === 'ran').map(({ name }) => name);
  return [
    `ran=${ran}`,
    `cached=${cached}`,
    `failed=${failed}`,
    `hit-rate=${rate.toFixed(3)}`,
    `tasks=${JSON.stringify(names)}`,
    '',
  ].join('\n');
}
