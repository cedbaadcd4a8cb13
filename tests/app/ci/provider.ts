/** CI services by their variables: which it is, whom to trust, what to compare with, which part of the work. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type GithubEvent, type Provider, providerOf } from '../../../core/app/ci/provider.ts';

type Row = readonly [
  what: string,
  env: Readonly<Record<string, string>>,
  expected: Partial<Omit<Provider, 'trust'>> & { readonly trusted?: boolean; readonly why?: string },
  event?: GithubEvent,
];

const GITHUB = { CI: 'true', GITHUB_ACTIONS: 'true' };
const OWN = { full_name: 'own/it', default_branch: 'trunk' };

const ROWS: readonly Row[] = [
  ['a terminal', {}, { name: 'local', trusted: false }],
  ['CI=false', { CI: 'false' }, { name: 'local' }],
  ['a service that says no more than CI', { CI: '1' }, { name: 'generic', trusted: false }],
  [
    'GitHub, a push to a protected branch',
    { ...GITHUB, GITHUB_EVENT_NAME: 'push', GITHUB_REF_PROTECTED: 'true' },
    { name: 'github', trusted: true, base: undefined },
  ],
  [
    'GitHub, a push to the default branch, which nobody protects',
    { ...GITHUB, GITHUB_EVENT_NAME: 'push', GITHUB_REF_PROTECTED: 'false', GITHUB_REF: 'refs/heads/trunk' },
    { trusted: true, why: 'default branch' },
    { repository: OWN },
  ],
  [
    'GitHub, a push to another branch',
    { ...GITHUB, GITHUB_EVENT_NAME: 'push', GITHUB_REF_PROTECTED: 'false', GITHUB_REF: 'refs/heads/topic' },
    { trusted: false },
    { repository: OWN },
  ],
  [
    'GitHub, a pull request of the repository itself',
    { ...GITHUB, GITHUB_EVENT_NAME: 'pull_request', GITHUB_BASE_REF: 'trunk', GITHUB_REF_PROTECTED: 'true' },
    { trusted: false, why: 'pull request', base: 'trunk' },
    { repository: OWN, pull_request: { head: { repo: { full_name: 'own/it' } } } },
  ],
  [
    'GitHub, a pull request from a fork, with the rights of the repository',
    { ...GITHUB, GITHUB_EVENT_NAME: 'pull_request_target', GITHUB_BASE_REF: 'trunk' },
    { trusted: false, why: 'pull request from a fork' },
    { repository: OWN, pull_request: { head: { repo: { full_name: 'foreign/it' } } } },
  ],
  [
    'GitHub, something that anybody can set off',
    { ...GITHUB, GITHUB_EVENT_NAME: 'issue_comment', GITHUB_REF_PROTECTED: 'true' },
    { trusted: false },
  ],
  [
    'GitLab, a protected branch, split in three',
    { GITLAB_CI: 'true', CI_COMMIT_REF_PROTECTED: 'true', CI_NODE_INDEX: '2', CI_NODE_TOTAL: '3' },
    { name: 'gitlab', trusted: true, shard: { index: 2, count: 3 } },
  ],
  [
    'GitLab, a merge request',
    {
      GITLAB_CI: 'true',
      CI_COMMIT_REF_PROTECTED: 'true',
      CI_MERGE_REQUEST_IID: '7',
      CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
    },
    { trusted: false, base: 'main', shard: undefined },
  ],
  [
    'Buildkite, the default branch, split in two',
    {
      BUILDKITE: 'true',
      BUILDKITE_PULL_REQUEST: 'false',
      BUILDKITE_BRANCH: 'trunk',
      BUILDKITE_PIPELINE_DEFAULT_BRANCH: 'trunk',
      BUILDKITE_PARALLEL_JOB: '0',
      BUILDKITE_PARALLEL_JOB_COUNT: '2',
    },
    { name: 'buildkite', trusted: true, base: undefined, shard: { index: 1, count: 2 } },
  ],
  [
    'Buildkite, a pull request',
    { BUILDKITE: 'true', BUILDKITE_PULL_REQUEST: '12', BUILDKITE_PULL_REQUEST_BASE_BRANCH: 'main' },
    { trusted: false, base: 'main' },
  ],
  [
    'CircleCI, the last of two',
    { CIRCLECI: 'true', CIRCLE_BRANCH: 'main', CIRCLE_NODE_INDEX: '1', CIRCLE_NODE_TOTAL: '2' },
    { name: 'circleci', trusted: true, shard: { index: 2, count: 2 } },
  ],
  [
    'CircleCI, a pull request',
    { CIRCLECI: 'true', CIRCLE_BRANCH: 'main', CIRCLE_PULL_REQUEST: 'url' },
    { trusted: false },
  ],
  [
    'Azure, a pull request',
    { TF_BUILD: 'True', BUILD_REASON: 'PullRequest', SYSTEM_PULLREQUEST_TARGETBRANCH: 'refs/heads/main' },
    { name: 'azure', trusted: false, base: 'main' },
  ],
  ['Azure, the main branch', { TF_BUILD: 'True', BUILD_SOURCEBRANCH: 'refs/heads/main' }, { trusted: true }],
  [
    'numbers that make no sense',
    { GITLAB_CI: 'true', CI_NODE_INDEX: '4', CI_NODE_TOTAL: '3' },
    { name: 'gitlab', shard: undefined },
  ],
];

for (const [what, env, expected, event] of ROWS) {
  test(what, () => {
    const { trust, ...rest } = providerOf(env, event);
    const found: Readonly<Record<string, unknown>> = { ...rest, ...trust };
    for (const [name, value] of Object.entries(expected)) assert.equal(found[name], value, name);
  });
}

test.run();
