/** `fleche run`: brings tasks up to date and tells of it while it happens. */
// For what runs commands: once V8's flags are changed it would be loaded more slowly (`code-cache.ts`).
import 'node:child_process';
import type { RunReport } from '../../graph/tasks/outcome.ts';
import { EXIT } from '../cli/exit-code.ts';
import { REPORT_OPTIONS } from '../cli/options.ts';
import type { Machine, VerbContext } from '../cli/verb.ts';
import { parseJobs } from '../jobs.ts';
import type { NoteDraft } from '../note/draft.ts';
import type { Project } from '../project.ts';
import { reporterFor } from '../reporters/choose.ts';
import { counted } from '../reporters/task-line.ts';
import type { RunReports } from '../reports/run-reports.ts';
import { noteRun } from '../run-history.ts';
import { selectedTasks } from '../selection/selection.ts';
import { answersSent } from '../sent.ts';
import { styleFor } from '../terminal/style.ts';
import { harmless } from '../terminal/text.ts';
import { plan } from './plan.ts';

export async function run(context: VerbContext): Promise<number> {
  if (context.invocation.flag('dry-run')) return plan(context);
  const note = await noteOf(context);
  try {
    const code = await bringUpToDate(context, note);
    if (code === EXIT.done) note?.leave();
    return code;
  } finally {
    note?.close();
  }
}

/** Loaded only where one may be left. */
async function noteOf(context: VerbContext): Promise<NoteDraft | undefined> {
  if (context.machine.noting === undefined) return undefined;
  const { NoteDraft } = await import('../note/draft.ts');
  return NoteDraft.begin(context);
}

async function bringUpToDate(context: VerbContext, note: NoteDraft | undefined): Promise<number> {
  const { invocation, machine } = context;
  const reports = await reportsFor(context);
  const reporter = reporterFor(invocation, machine, 'run');
  const listener = note?.hearing(reporter.listener) ?? reporter.listener;
  let project: Project | undefined;
  try {
    project = await context.open((message) => listener({ type: 'warning', name: null, message }));
    note?.found(project);
    const targets = await selectedTasks(invocation, project, machine);
    const jobs = parseJobs(invocation.text('jobs'), project.jobs, machine.cpus);
    const started = project.now();
    const report = await project.engine().run({
      targets,
      jobs,
      force: invocation.flag('force'),
      frozen: invocation.flag('frozen'),
      keepGoing: invocation.flag('keep-going'),
      signal: machine.interruption.signal,
      listener,
      timeline: reports?.timeline,
    });
    reporter.close();
    note?.over(report, project);
    const { graph } = project;
    reports?.write(report, { by: `fleche ${machine.version}`, started, targets, jobs, graph });
    const { runsFile } = project.stores();
    if (runsFile !== undefined) noteRun(runsFile, report.summary, project.now());
    await answersSent(project, machine);
    return endOf(report, machine);
  } finally {
    reports?.close();
    reporter.close();
    await project?.close();
  }
}

/** Loaded only where a report is asked for. */
async function reportsFor({ invocation, machine }: VerbContext): Promise<RunReports | undefined> {
  if (!REPORT_OPTIONS.some(({ name }) => invocation.flag(name))) return undefined;
  const { RunReports } = await import('../reports/run-reports.ts');
  return new RunReports(invocation, machine);
}

/** The exit code of a run, with a word on standard error where the outcomes alone do not explain it. */
function endOf(report: RunReport, machine: Machine): number {
  const { stderr, interruption } = machine;
  if (report.interrupted) {
    const code = interruption.code ?? EXIT.interrupted;
    if (code !== EXIT.unread) stderr.write(`${styleFor(stderr).yellow('interrupted')}\n`);
    return code;
  }
  if (report.summary.failed > 0) return EXIT.failed;
  if (!report.frozenStale) return EXIT.done;
  const stale = report.outcomes
    .filter(({ outcome, reasons }) => outcome === 'skipped' && reasons.some(({ kind }) => kind !== 'pending'))
    .map(({ name }) => harmless(name));
  stderr.write(
    `${styleFor(stderr).red('frozen')}: ${counted(stale.length, 'task')} would have to run: ${stale.join(', ')}\n`,
  );
  return EXIT.stale;
}
