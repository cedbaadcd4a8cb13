/**
 * Which service runs this job, as its variables tell, and how far the job is to be trusted. Pure; what an event file says
 * is read by the caller. Nothing here protects anything: it is the credentials of a job that decide where it can write.
 */
import type { Environment } from '../terminal/style.ts';

export type ProviderName = 'github' | 'gitlab' | 'buildkite' | 'circleci' | 'azure' | 'generic' | 'local';

/** Whether what a job makes may be taken over by others. */
interface Trust {
  readonly trusted: boolean;
  /** Why, as a phrase, such as `pull request from a fork`. */
  readonly why: string;
}

export interface Provider {
  readonly name: ProviderName;
  /** As people write it. */
  readonly title: string;
  readonly trust: Trust;
  /** The branch that this change is to go into; undefined where the job is not about a proposed change. */
  readonly base: string | undefined;
  /** The part of a job that was split by the provider, from 1; undefined if it was not split. */
  readonly shard: { readonly index: number; readonly count: number } | undefined;
}

/** What the event file of GitHub says, as far as it is used. */
export interface GithubEvent {
  readonly pull_request?: { readonly head?: { readonly repo?: { readonly full_name?: string } | null } };
  readonly repository?: { readonly full_name?: string; readonly default_branch?: string };
}

/** The provider of these variables. `event` is the event file of GitHub, if there is one. */
export function providerOf(env: Environment, event: GithubEvent = {}): Provider {
  if (env['GITHUB_ACTIONS'] === 'true') return github(env, event);
  if (env['GITLAB_CI'] !== undefined) return gitlab(env);
  if (env['BUILDKITE'] === 'true') return buildkite(env);
  if (env['CIRCLECI'] === 'true') return circleci(env);
  if (env['TF_BUILD'] !== undefined) return azure(env);
  const isCi = env['CI'] !== undefined && env['CI'] !== '' && env['CI'] !== 'false' && env['CI'] !== '0';
  if (isCi) return provider('generic', 'a CI service', distrusted('nothing is known of the service'));
  return provider('local', 'no CI service', distrusted('not a CI job'));
}

function github(env: Environment, { pull_request: pull, repository }: GithubEvent): Provider {
  const event = env['GITHUB_EVENT_NAME'] ?? '';
  const base = env['GITHUB_BASE_REF'] || undefined;
  const of = (trust: Trust): Provider => provider('github', 'GitHub Actions', trust, base);
  if (event.startsWith('pull_request')) {
    const head = pull?.head?.repo?.full_name;
    const isFork = head !== undefined && head !== repository?.full_name;
    return of(distrusted(isFork ? 'pull request from a fork' : 'pull request'));
  }
  if (!['push', 'schedule', 'workflow_dispatch'].includes(event)) return of(distrusted(`event ${event || 'unknown'}`));
  if (env['GITHUB_REF_PROTECTED'] === 'true') return of(trusted('protected branch'));
  const main = repository?.default_branch;
  const isMain = main !== undefined && env['GITHUB_REF'] === `refs/heads/${main}`;
  return of(isMain ? trusted('default branch') : distrusted('a branch that is not protected'));
}

function gitlab(env: Environment): Provider {
  const base = env['CI_MERGE_REQUEST_TARGET_BRANCH_NAME'] || undefined;
  const isRequest = env['CI_MERGE_REQUEST_IID'] !== undefined;
  const isProtected = env['CI_COMMIT_REF_PROTECTED'] === 'true';
  const trust = isRequest
    ? distrusted('merge request')
    : isProtected
      ? trusted('protected branch')
      : distrusted('a branch that is not protected');
  return provider('gitlab', 'GitLab CI', trust, base, partOf(env['CI_NODE_INDEX'], env['CI_NODE_TOTAL'], 1));
}

function buildkite(env: Environment): Provider {
  const isRequest = (env['BUILDKITE_PULL_REQUEST'] ?? 'false') !== 'false';
  const isMain = env['BUILDKITE_BRANCH'] === (env['BUILDKITE_PIPELINE_DEFAULT_BRANCH'] || 'main');
  const base = isRequest ? env['BUILDKITE_PULL_REQUEST_BASE_BRANCH'] || undefined : undefined;
  const part = partOf(env['BUILDKITE_PARALLEL_JOB'], env['BUILDKITE_PARALLEL_JOB_COUNT'], 0);
  return provider('buildkite', 'Buildkite', ofBranch(isRequest, isMain), base, part);
}

function circleci(env: Environment): Provider {
  const isRequest = Boolean(env['CIRCLE_PULL_REQUEST'] || env['CIRCLE_PR_NUMBER']);
  const part = partOf(env['CIRCLE_NODE_INDEX'], env['CIRCLE_NODE_TOTAL'], 0);
  return provider('circleci', 'CircleCI', ofBranch(isRequest, isUsualMain(env['CIRCLE_BRANCH'])), undefined, part);
}

function azure(env: Environment): Provider {
  const isRequest = env['BUILD_REASON'] === 'PullRequest';
  const branch = (env['BUILD_SOURCEBRANCH'] ?? '').replace(/^refs\/heads\//, '');
  const base = env['SYSTEM_PULLREQUEST_TARGETBRANCH']?.replace(/^refs\/heads\//, '') || undefined;
  const part = partOf(env['SYSTEM_JOBPOSITIONINPHASE'], env['SYSTEM_TOTALJOBSINPHASE'], 1);
  return provider('azure', 'Azure Pipelines', ofBranch(isRequest, isUsualMain(branch)), base, part);
}

function provider(name: ProviderName, title: string, trust: Trust, base?: string, shard?: Provider['shard']): Provider {
  return { name, title, trust, base, shard };
}

function ofBranch(isRequest: boolean, isMain: boolean): Trust {
  if (isRequest) return distrusted('pull request');
  return isMain ? trusted('default branch') : distrusted('not the default branch');
}

/** For services that do not say which branch is the main one. */
function isUsualMain(branch: string | undefined): boolean {
  return branch === 'main' || branch === 'master';
}

function trusted(why: string): Trust {
  return { trusted: true, why };
}

function distrusted(why: string): Trust {
  return { trusted: false, why };
}

/** One of several equal jobs; `first` is the number of the first of them. Undefined for a job that is alone. */
function partOf(index: string | undefined, total: string | undefined, first: number): Provider['shard'] {
  const [at, count] = [Number(index), Number(total)];
  if (!index || !total || !Number.isInteger(at) || !Number.isInteger(count) || count < 2) return undefined;
  const shard = { index: at - first + 1, count };
  return shard.index >= 1 && shard.index <= count ? shard : undefined;
}
