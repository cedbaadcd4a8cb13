/** The report of a run as one JSON document. Its form has a version, which changes when something is taken away. Pure. */
import { criticalPath } from '../../graph/scheduling/critical-path.ts';
import type { TaskGraph } from '../../graph/tasks/graph.ts';
import type { RunReport, RunSummary, TaskOutcome } from '../../graph/tasks/outcome.ts';

interface SummaryReport {
  readonly version: 1;
  /** What made it, such as `fleche 1.2.3`. */
  readonly by: string;
  /** When the run began, ISO 8601. */
  readonly started: string;
  readonly targets: readonly string[];
  readonly jobs: number;
  readonly interrupted: boolean;
  readonly totals: Omit<RunSummary, 'type'>;
  readonly criticalPath: CriticalPath;
  readonly tasks: readonly (Omit<TaskOutcome, 'type'> & { readonly needs: readonly string[] })[];
}

/** The tasks that a run could not have been shorter than, each before what needs it, with their own times. */
export interface CriticalPath {
  readonly ms: number;
  readonly tasks: readonly { readonly name: string; readonly ms: number }[];
}

export interface SummaryOptions {
  readonly by: string;
  /** ms since the epoch. */
  readonly started: number;
  readonly targets: readonly string[];
  readonly jobs: number;
  readonly graph: TaskGraph;
}

export function summaryReport(report: RunReport, options: SummaryOptions): SummaryReport {
  const { by, started, targets, jobs, graph } = options;
  const { type: _, ...totals } = report.summary;
  return {
    version: 1,
    by,
    started: new Date(started).toISOString(),
    targets,
    jobs,
    interrupted: report.interrupted,
    totals,
    criticalPath: criticalPathOf(report, graph),
    tasks: report.outcomes.map(({ type: _, ...outcome }) => ({ ...outcome, needs: graph.task(outcome.name).needs })),
  };
}

/** By the times that tasks took themselves in this run. A service goes on beside those that need it, and does not count. */
export function criticalPathOf({ outcomes }: RunReport, graph: TaskGraph): CriticalPath {
  const times = new Map(
    outcomes.flatMap(({ name, ms }) => (graph.task(name).service === undefined ? [[name, ms] as const] : [])),
  );
  const timeOf = (name: string): number => times.get(name) ?? 0;
  const needs = new Map(outcomes.map(({ name }) => [name, graph.task(name).needs]));
  const tasks = criticalPath(needs, timeOf).flatMap((name) => (times.has(name) ? [{ name, ms: timeOf(name) }] : []));
  return { ms: tasks.reduce((sum, { ms }) => sum + ms, 0), tasks };
}
