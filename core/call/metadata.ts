/** What is noted about a call when it is made: collectors that look before and after. Never part of a key. */
import { execFileSync } from 'node:child_process';
import { hostname, userInfo } from 'node:os';
import type { Json } from '../store/record.ts';

/** What a collector is told of the call. */
export interface CallFacts {
  readonly name: string;
  readonly module: string | null;
}

/** Fields of one metadata namespace. */
export type Fields = Readonly<Record<string, Json>>;

/**
 * Notes one namespace. `before` runs just before the call, `after` with its answer just after it; both must be quick and
 * must not throw. Own collectors are plain objects of this shape.
 */
export interface Collector {
  /** The namespace in `record.metadata`, such as `runtime`. */
  readonly name: string;
  before(call: CallFacts): unknown;
  after(before: unknown, call: CallFacts): Fields;
}

interface Clock {
  readonly time: number;
  readonly mono: number;
  readonly cpu: NodeJS.CpuUsage;
}

/** Start and stop (ms since the epoch), wall time and CPU times of the process meanwhile (ms). */
export const Runtime: Collector = {
  name: 'runtime',
  before: (): Clock => ({ time: Date.now(), mono: performance.now(), cpu: process.cpuUsage() }),
  after: (before) => {
    const { time, mono, cpu } = before as Clock;
    const walltime = performance.now() - mono;
    const used = process.cpuUsage(cpu);
    return {
      timestart: time,
      timestop: time + walltime,
      walltime,
      cputime: used.user / 1000,
      systime: used.system / 1000,
    };
  },
};

/** Name and module of the function, as columns of a table. */
export const CallInfo: Collector = {
  name: 'callInfo',
  before: () => undefined,
  after: (_, { name, module }) => ({ name, module }),
};

/** Where the call was made: host, user, Node version, platform. */
export const Environment: Collector = {
  name: 'environment',
  before: () => undefined,
  after: () => ({
    hostname: hostname(),
    username: username(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
  }),
};

function username(): string | null {
  try {
    return userInfo().username;
  } catch {
    // A user id without an entry, as in many containers.
    return null;
  }
}

/** The state of the git repository around the working directory; all null outside one. Asked once a process. */
export const Git: Collector = {
  name: 'git',
  before: () => undefined,
  after: () => {
    gitState ??= readGit();
    return gitState;
  },
};

let gitState: Fields | undefined;
const GIT_TIMEOUT_MS = 2000;

function readGit(): Fields {
  const git = (...args: string[]): string | null => {
    try {
      return execFileSync('git', args, { encoding: 'utf8', timeout: GIT_TIMEOUT_MS, stdio: 'pipe' }).trim();
    } catch {
      // No git, no repository or no commit yet: nothing to note.
      return null;
    }
  };
  const commit = git('rev-parse', 'HEAD');
  const status = git('status', '--porcelain');
  return { commit, branch: git('rev-parse', '--abbrev-ref', 'HEAD'), dirty: status === null ? null : status !== '' };
}

/** Fixed fields under `tags`. */
export function Tags(fields: Fields): Collector {
  return { name: 'tags', before: () => undefined, after: () => fields };
}

/** The collectors a configuration can name. */
export const COLLECTORS: Readonly<Record<string, Collector>> = { Runtime, CallInfo, Environment, Git };
