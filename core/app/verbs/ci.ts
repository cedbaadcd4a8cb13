/** `fleche ci`: a run as a job of a CI service wants it: what a change can matter to, told in the service's own ways. */
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { toRel } from '../../base/paths.ts';
import type { RunReport } from '../../graph/outcome.ts';
import { assignmentOf } from '../ci/assignment.ts';
import { CiReporter } from '../ci/ci-reporter.ts';
import { jobSummary } from '../ci/job-summary.ts';
import { junitXml } from '../ci/junit.ts';
import { markupOf, type Note } from '../ci/markup.ts';
import { type GithubEvent, type Provider, providerOf } from '../ci/provider.ts';
import { readTimings, withOutcomes, writeTimings } from '../ci/timings.ts';
import { parseShare, verified } from '../ci/verified.ts';
import { EXIT } from '../exit-code.ts';
import { parseJobs } from '../jobs.ts';
import type { Project } from '../project.ts';
import { jsonReporter } from '../reporters/json.ts';
import { counted } from '../reporters/task-line.ts';
import { harmless } from '../text.ts';
import type { VerbContext } from '../verb.ts';

export async function ci(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const { env, cwd } = machine;
  const provider = providerOf(env, githubEvent(env['GITHUB_EVENT_PATH']));
  const share = parseShare(invocation.text('verify'));
  const timingsFile = invocation.text('timings');
  const timings = timingsFile === undefined ? new Map<string, number>() : readTimings(resolve(cwd, timingsFile));
  const out = invocation.flag('json') ? machine.stderr : machine.stdout;
  const reporter = new CiReporter(out, {
    markup: markupOf(provider.name, () => Math.floor(Date.now() / 1000)),
    secret: randomUUID(),
    place: (task): Note['at'] => placeOf(task),
  });
  const json = invocation.flag('json') ? jsonReporter(machine.stdout) : undefined;
  let placeOf: (task: string) => Note['at'] = () => undefined;
  const project = await context.open((message) => reporter.listener({ type: 'warning', name: null, message }));
  try {
    const repository = env['GITHUB_WORKSPACE'] || project.root;
    placeOf = (task) => {
      const { file, line } = project.graph.task(task).at;
      return { file: toRel(repository, resolve(project.root, file)), line };
    };
    const { targets, shard, notes } = await assignmentOf(context, project, provider, timings);
    const heading = [`fleche ci on ${provider.title}`, ...notes].join('; ');
    const cache = cacheLine(project, provider);
    out.write(`${harmless(heading)}\n${harmless(cache)}\n`);
    const request = {
      jobs: parseJobs(invocation.text('jobs'), project.jobs, machine.cpus),
      frozen: false,
      keepGoing: !invocation.flag('fail-fast'),
      signal: machine.interruption.signal,
    };
    const report = await project.engine().run({
      ...request,
      targets,
      force: invocation.flag('force'),
      listener: (event) => {
        reporter.listener(event);
        json?.listener(event);
      },
    });
    if (report.interrupted) return machine.interruption.code ?? EXIT.interrupted;
    const differing =
      share === 0
        ? []
        : await verified(report, share, { engine: project.engine(), request, listener: reporter.listener });
    if (shard !== undefined && json !== undefined)
      machine.stdout.write(`${JSON.stringify({ type: 'shard', ...shard })}\n`);
    if (timingsFile !== undefined) writeTimings(resolve(cwd, timingsFile), withOutcomes(timings, report.outcomes));
    const junit = invocation.text('junit');
    if (junit !== undefined)
      put(
        resolve(cwd, junit),
        junitXml(report, (task) => reporter.tail(task)),
      );
    const page = invocation.text('job-summary') ?? env['GITHUB_STEP_SUMMARY'];
    if (page !== undefined && page !== '') appendFileSync(resolve(cwd, page), jobSummary(report, heading, cache));
    tellOutputs(env['GITHUB_OUTPUT'], report);
    return report.summary.failed > 0 || differing.length > 0 ? EXIT.failed : EXIT.done;
  } finally {
    reporter.close();
    await project.close();
  }
}

function cacheLine(project: Project, { trust }: Provider): string {
  const folder = project.cacheFolder();
  if (folder === undefined) return 'cache: in memory, nothing is kept';
  const { calls } = project.stores();
  const count = calls.count();
  const state = count === 0 ? 'empty' : `${counted(count, 'answer')} on file`;
  return `cache: ${state}${trust.trusted ? '' : '; what this job makes is not to be trusted by others'}`;
}

function githubEvent(path: string | undefined): GithubEvent {
  if (!path) return {};
  try {
    const event: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof event === 'object' && event !== null ? event : {};
  } catch {
    // Without it less is known, and less is trusted.
    return {};
  }
}

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Values for later steps of a job on GitHub. */
function tellOutputs(file: string | undefined, { summary, outcomes }: RunReport): void {
  if (!file) return;
  const { ran, cached, failed } = summary;
  const rate = ran + cached === 0 ? 1 : cached / (ran + cached);
  const names = outcomes.filter(({ outcome }) => outcome === 'ran').map(({ name }) => name);
  const lines = [
    `ran=${ran}`,
    `cached=${cached}`,
    `failed=${failed}`,
    `hit-rate=${rate.toFixed(3)}`,
    `tasks=${JSON.stringify(names)}`,
  ];
  appendFileSync(file, `${lines.join('\n')}\n`);
}
