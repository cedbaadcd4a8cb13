/** `fleche ci`: a run as a job of a CI service wants it: what a change can matter to, told in the service's own ways. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { toRel } from '../../base/paths.ts';
import { assignmentOf } from '../ci/assignment.ts';
import { CiReporter } from '../ci/ci-reporter.ts';
import { jobFiles, timingsOf, writeJobFiles } from '../ci/job-files.ts';
import { markupOf, type Note } from '../ci/markup.ts';
import { type GithubEvent, type Provider, providerOf } from '../ci/provider.ts';
import { parseShare, verified } from '../ci/verified.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import { parseJobs } from '../jobs.ts';
import type { Project } from '../project.ts';
import { jsonReporter } from '../reporters/json.ts';
import { LOG_MODES } from '../reporters/reporter.ts';
import { counted } from '../reporters/task-line.ts';
import { noteRun } from '../run-history.ts';
import { answersSent } from '../sent.ts';
import type { Environment } from '../terminal/style.ts';
import { harmless } from '../terminal/text.ts';

const SHARED_MODE = 'FLECHE_SHARED_MODE';

export async function ci(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const { env } = machine;
  const provider = providerOf(env, githubEvent(env['GITHUB_EVENT_PATH']));
  const share = parseShare(invocation.text('verify'));
  const timings = timingsOf(jobFiles(invocation, machine));
  const out = invocation.flag('json') ? machine.stderr : machine.stdout;
  const reporter = new CiReporter(out, {
    log: invocation.choice('log', LOG_MODES) ?? 'grouped',
    markup: markupOf(provider.name, () => Math.floor(Date.now() / 1000)),
    secret: randomUUID(),
    place: (task): Note['at'] => placeOf(task),
  });
  const json = invocation.flag('json') ? jsonReporter(machine.stdout) : undefined;
  let placeOf: (task: string) => Note['at'] = () => undefined;
  const warn = (message: string): void => void reporter.listener({ type: 'warning', name: null, message });
  const project = await context.open(warn, modest(env, provider));
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
    if (shard !== undefined && json !== undefined)
      machine.stdout.write(`${JSON.stringify({ type: 'shard', ...shard })}\n`);
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
        json?.listener(event);
        return reporter.listener(event);
      },
    });
    const { runsFile } = project.stores();
    if (runsFile !== undefined) noteRun(runsFile, report.summary, project.now());
    await answersSent(project, machine);
    for (const line of sharedLines(project)) out.write(`${line}\n`);
    if (report.interrupted) return machine.interruption.code ?? EXIT.interrupted;
    const { listener } = reporter;
    const differing = await verified(report, share, { engine: project.engine(), request, listener });
    const unwritten = writeJobFiles(jobFiles(invocation, machine), report, {
      heading,
      cache,
      timings,
      tail: (task) => reporter.tail(task),
    });
    for (const { message } of unwritten) warn(message);
    const isWhole = report.summary.failed === 0 && differing.length === 0 && !unwritten.some(({ isAsked }) => isAsked);
    return isWhole ? EXIT.done : EXIT.failed;
  } finally {
    reporter.close();
    await project.close();
  }
}

function sharedLines(project: Project): readonly string[] {
  return (project.shared()?.reports() ?? []).map(({ name, hits, stored, unstored }) => {
    const lost = unstored === 0 ? '' : `, ${unstored} could not be sent`;
    return `shared cache ${harmless(name)}: ${counted(hits, 'answer')} taken, ${stored} sent${lost}`;
  });
}

/** A job that is not trusted sends nothing to shared caches, unless the environment says that it may. */
function modest(env: Environment, { name, trust }: Provider): Environment {
  const isFree = name === 'local' || trust.trusted || env[SHARED_MODE] !== undefined;
  return isFree ? env : { ...env, [SHARED_MODE]: 'read' };
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
