/** What git knows of the files of a project. Every answer is valid for the moment in which it is asked. */
import { execFileSync } from 'node:child_process';
import { posix } from 'node:path';
import { byCodeUnit } from '../../base/order.ts';
import { type AbsPath, normalRel, type RelPath } from '../../base/paths.ts';
import type { Environment } from '../terminal/style.ts';
import { linksOf, linksTo } from './links.ts';

/** Git cannot tell; `message` says why in a sentence. */
interface GitTrouble {
  readonly kind: 'trouble';
  readonly message: string;
}

export interface GitChanges {
  readonly kind: 'changes';
  /** What was compared with, as a person knows it. */
  readonly since: string;
  /**
   * Paths that are other than they were then or not in it, untracked files included, ignored ones not; and links that lead
   * to such paths, since what is read through them is other than it was. Sorted.
   */
  readonly paths: readonly RelPath[];
  /** What a file held then; undefined if it was not there. */
  before(path: RelPath): string | undefined;
}

/** Whatever people have git leave out, such as submodules, is none of what they want to be shown here. */
const AS_IT_IS = ['--no-renames', '--no-ext-diff', '--ignore-submodules=none'];
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * Everything under version control that is not as it was where the present state parted from `ref`; without one, from the
 * branch that changes are made for: what a pull request goes to, else the main branch of `origin`, else the local one.
 */
export function changesSince(root: AbsPath, ref: string | undefined, env: Environment): GitChanges | GitTrouble {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe', maxBuffer: MOST_BYTES });
  const commitOf = (name: string): string | undefined => {
    // Git before 2.30 does not understand here where options end.
    if (name.startsWith('-')) return undefined;
    try {
      return git('rev-parse', '--verify', '--quiet', `${name}^{commit}`).trim();
    } catch {
      return undefined;
    }
  };
  try {
    const prefix = git('rev-parse', '--show-prefix').replace(/\n$/, '');
    const since = ref ?? mainBranches(env).find((name) => commitOf(name) !== undefined);
    const commit = since === undefined ? undefined : commitOf(since);
    if (since === undefined) return trouble('git knows no main branch to compare with; name one with --since');
    if (commit === undefined)
      return trouble(
        `git knows no "${since}", which a shallow clone may lack (GitHub: fetch-depth: 0, GitLab: GIT_DEPTH: 0)`,
      );
    const parting = partingOf(git, commit);
    const names = [
      git('-c', 'diff.relative=false', 'diff', ...AS_IT_IS, '--name-only', '-z', parting, '--'),
      git('ls-files', '--others', '--exclude-standard', '--full-name', '-z', '--', ':/'),
    ].flatMap((text) => text.split('\0').filter((name) => name !== ''));
    const paths = [...new Set(names)].map((name) => normalRel(posix.relative(prefix === '' ? '.' : prefix, name)));
    const before = (path: RelPath): string | undefined => {
      try {
        return git('show', `${parting}:${prefix}${path}`);
      } catch {
        return undefined;
      }
    };
    const changed = new Set(paths);
    for (const link of linksTo(changed, linksOf(root, git('ls-files', '--stage', '-z')))) changed.add(link);
    return { kind: 'changes', since, paths: [...changed].sort(byCodeUnit), before };
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return trouble(isMissing ? 'git is not there' : `git cannot tell: ${firstLine(error)}`);
  }
}

/** Where the present commit and another one parted; the other one itself where that is not known. */
function partingOf(git: (...args: readonly string[]) => string, commit: string): string {
  try {
    return git('merge-base', commit, 'HEAD').trim();
  } catch {
    // Without common history what differs from the other commit is more than what was changed here, never less.
    return commit;
  }
}

function mainBranches(env: Environment): readonly string[] {
  const target = env['GITHUB_BASE_REF'] || env['CI_MERGE_REQUEST_TARGET_BRANCH_NAME'];
  return [...(target ? [`origin/${target}`] : []), 'origin/HEAD', 'origin/main', 'origin/master', 'main', 'master'];
}

function trouble(message: string): GitTrouble {
  return { kind: 'trouble', message };
}

function firstLine(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  return (
    text
      .trim()
      .split('\n')[0]
      ?.replace(/^fatal: /, '') ?? ''
  );
}
