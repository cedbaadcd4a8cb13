/** The files that are asked for beside a run: reserved before it, written after it, whatever became of it. */
import { formatDuration } from '../../base/duration.ts';
import type { RunReport } from '../../graph/tasks/outcome.ts';
import { Timeline } from '../../graph/tasks/timeline.ts';
import type { Invocation } from '../cli/invocation.ts';
import type { Machine } from '../cli/verb.ts';
import { nameWidth } from '../reporters/task-line.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { harmless, padded } from '../terminal/text.ts';
import { ReportFile } from './report-file.ts';
import { type CriticalPath, criticalPathOf, type SummaryOptions, summaryReport } from './summary.ts';
import { traceReport } from './trace.ts';

/** What reports need of the machine. */
type ReportMachine = Pick<Machine, 'cwd' | 'clock' | 'stdout' | 'stderr'>;

export class RunReports {
  /** Where the critical path is shown; undefined if nobody wants to see it. */
  readonly #shown: Terminal | undefined;
  readonly #summary: ReportFile | undefined;
  readonly #trace: ReportFile | undefined;
  /** What has to be noted during the run; undefined if nobody wants to know. */
  readonly timeline: Timeline | undefined;

  /** Throws `USAGE` for a file that cannot be written. */
  constructor(invocation: Invocation, { cwd, clock, stdout, stderr }: ReportMachine) {
    const words = invocation.flag('json') ? stderr : stdout;
    this.#shown = invocation.flag('critical-path') ? words : undefined;
    const reserve = (option: string): ReportFile | undefined => {
      const path = invocation.text(option);
      return path === undefined ? undefined : new ReportFile(cwd, path, option);
    };
    this.#summary = reserve('summary');
    try {
      this.#trace = reserve('trace');
    } catch (error) {
      this.#summary?.discard();
      throw error;
    }
    this.timeline = this.#trace === undefined ? undefined : new Timeline(() => clock.now());
  }

  write(report: RunReport, options: SummaryOptions): void {
    this.#summary?.write(summaryReport(report, options));
    const path = criticalPathOf(report, options.graph);
    this.#shown?.write(pathText(path));
    if (this.timeline === undefined) return;
    this.#trace?.write(traceReport(this.timeline.spans, report, new Set(path.tasks.map(({ name }) => name))));
  }

  /** Leaves the files as they were, if nothing was written. */
  close(): void {
    this.#summary?.discard();
    this.#trace?.discard();
  }
}

/** `critical path 12s`, and below it the tasks with their times. */
function pathText({ ms, tasks }: CriticalPath): string {
  const width = nameWidth(tasks.map(({ name }) => name));
  const lines = tasks.map(({ name, ms }) => `  ${padded(harmless(name), width)}  ${formatDuration(ms)}`);
  return [`critical path ${formatDuration(ms)}`, ...lines, ''].join('\n');
}
