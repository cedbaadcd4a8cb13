/** Files that a job leaves behind, for people, for its service, and for jobs that follow. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import type { RunReport } from '../../graph/tasks/outcome.ts';
import type { Invocation } from '../cli/invocation.ts';
import type { Machine } from '../cli/verb.ts';
import { jobSummary } from './job-summary.ts';
import { junitXml } from './junit.ts';
import { readTimings, type Timings, withOutcomes, writeTimings } from './timings.ts';

/** Absolute paths of the files that are wanted. */
interface JobFiles {
  readonly junit: string | undefined;
  /** Appended to: other steps of the job write there too. */
  readonly page: string | undefined;
  readonly pageBy: '--job-summary' | 'GITHUB_STEP_SUMMARY';
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
  const page = invocation.text('job-summary');
  return {
    junit: place(invocation.text('junit')),
    page: place(page ?? env['GITHUB_STEP_SUMMARY']),
    pageBy: page === undefined ? 'GITHUB_STEP_SUMMARY' : '--job-summary',
    values: place(env['GITHUB_OUTPUT']),
    timings: place(invocation.text('timings')),
  };
}

/** Throws `USAGE` for a file with something else in it. */
export function timingsOf({ timings }: JobFiles): Timings {
  return timings === undefined ? new Map() : readTimings(timings);
}

/** What could not be written. */
interface Unwritten {
  /** In a sentence. */
  readonly message: string;
  /** Whether the file was asked for; the others are those of the service. */
  readonly isAsked: boolean;
}

/** Writes all that can be written: a full disk under one of them costs none of the others. */
export function writeJobFiles(
  { junit, page, pageBy, values, timings }: JobFiles,
  report: RunReport,
  story: JobStory,
): readonly Unwritten[] {
  const unwritten: Unwritten[] = [];
  const attempt = (what: string, path: string | undefined, write: (path: string) => void): void => {
    if (path === undefined) return;
    try {
      write(path);
    } catch (error) {
      const message = `${what}: "${path}" could not be written: ${messageOf(error)}`;
      unwritten.push({ message, isAsked: what.startsWith('--') });
    }
  };
  attempt('--timings', timings, (path) => writeTimings(path, withOutcomes(story.timings, report.outcomes)));
  attempt('--junit', junit, (path) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, junitXml(report, story.tail));
  });
  attempt(pageBy, page, (path) => appendFileSync(path, jobSummary(report, story.heading, story.cache)));
  attempt('GITHUB_OUTPUT', values, (path) => appendFileSync(path, valuesOf(report)));
  return unwritten;
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
