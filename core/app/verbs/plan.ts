/** `fleche plan`: what `run` would do, in the words of `run`, without doing it. */
import type { RunReport } from '../../graph/tasks/outcome.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import { parseJobs } from '../jobs.ts';
import { reporterFor } from '../reporters/choose.ts';
import type { Reporter } from '../reporters/reporter.ts';
import { selectedTasks } from '../selection/selection.ts';

export async function plan(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const frozen = invocation.flag('frozen');
  const project = await context.open();
  try {
    const targets = await selectedTasks(invocation, project, machine);
    const report = await project.engine().plan({
      targets,
      jobs: parseJobs(invocation.text('jobs'), project.jobs, machine.cpus),
      force: invocation.flag('force'),
      frozen,
      keepGoing: invocation.flag('keep-going'),
      signal: machine.interruption.signal,
    });
    tell(report, reporterFor(invocation, machine, 'plan'));
    if (report.interrupted) return machine.interruption.code ?? EXIT.interrupted;
    if (report.summary.failed > 0) return EXIT.failed;
    return frozen && report.summary.ran > 0 ? EXIT.stale : EXIT.done;
  } finally {
    await project.close();
  }
}

function tell({ outcomes, summary }: RunReport, reporter: Reporter): void {
  reporter.listener({ type: 'plan', tasks: outcomes.map(({ name }) => name) });
  for (const outcome of outcomes) reporter.listener({ type: 'done', outcome });
  reporter.listener({ type: 'end', summary });
  reporter.close();
}
