/**
 * Runs one shell command to its end, with everything it starts. Knows nothing of tasks or caches: what comes back is how
 * it ended. What it printed is in the log file.
 *
 * On POSIX the command leads a process group of its own; nothing of that group outlives the call. A process that leaves
 * the group (setsid, as daemons do) is beyond its reach. On Windows the process tree stands for the group, and a
 * process whose parent is gone is beyond reach.
 */
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, systemCode } from '../../base/errors.ts';
import type { AbsPath } from '../../base/paths.ts';
import { isOfLog, LogFile, type LogListener } from '../../files/log-file.ts';
import { procText } from '../../store/proc-file.ts';
import { ProcessGroup } from './process-group.ts';
import { isOfNotes, noteRunning } from './running.ts';

export interface CommandOptions {
  /** For `/bin/sh -c`, or `cmd.exe /s /c` on Windows. */
  readonly command: string;
  readonly cwd: AbsPath;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What the command reads from its standard input; nothing when absent. A text is put beside the log file. */
  readonly stdin?: { readonly text: string } | { readonly file: string } | undefined;
  /** Created or emptied; takes stdout and stderr in the order in which they were written. */
  readonly logFile: string;
  /** Folder where it is noted that the command runs, so that a later process can end it if this one is killed. */
  readonly runningDir: string;
  /** Ends the command: SIGTERM to its group, SIGKILL after `graceMs`. */
  readonly signal: AbortSignal;
  /** Default 2000. */
  readonly graceMs?: number;
  /** Receives the output while it comes. */
  readonly onOutput?: LogListener | undefined;
}

/**
 * How a command ended. A program killed by signal n inside the shell is an exit code, 128 + n; `signaled` is the shell
 * itself, or the program that it became. `leftovers`: background processes were still there and were ended.
 */
export type CommandResult =
  | { readonly kind: 'exited'; readonly exitCode: number; readonly leftovers: boolean }
  | { readonly kind: 'signaled'; readonly signal: string; readonly leftovers: boolean }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'unstartable'; readonly message: string };

const GRACE = 2000;
/** Time background processes have to end by themselves, such as the `tee` of a process substitution, ms. */
const SETTLE = 250;
/** Who interrupts everybody at once may have reached the command before this process, ms. */
const NEWS = 100;
const WINDOWS = process.platform === 'win32';

export async function runCommand(options: CommandOptions): Promise<CommandResult> {
  if (options.signal.aborted) return { kind: 'aborted' };
  const log = new LogFile(options.logFile, options.onOutput);
  try {
    const started = start(options, log.fd);
    if (typeof started === 'string') return { kind: 'unstartable', message: started };
    if (started.pid === undefined) return await unstarted(started, options);
    const group = new ProcessGroup(started.pid, started);
    const entry = noteRunning(options.runningDir, group, options.logFile);
    try {
      return await untilEnded(group, started, options);
    } finally {
      entry.remove();
    }
  } finally {
    await log.close();
  }
}

/** A child without a process: why there is none arrives in the next turn. */
async function unstarted(child: ChildProcess, options: CommandOptions): Promise<CommandResult> {
  const end = await ended(child, options);
  return end.kind === 'unstartable' ? end : { ...end, leftovers: false };
}

async function untilEnded(group: ProcessGroup, started: ChildProcess, options: CommandOptions): Promise<CommandResult> {
  const { signal, graceMs = GRACE } = options;
  let ending: Promise<void> | undefined;
  const onAbort = (): void => {
    ending = group.end(graceMs);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const end = await ended(started, options);
  if (isInterrupted(end)) await abortedWithin(signal, NEWS);
  signal.removeEventListener('abort', onAbort);
  if (ending !== undefined) {
    await ending;
    return { kind: 'aborted' };
  }
  if (end.kind === 'unstartable') return end;
  const leftovers = !(await group.gone(SETTLE));
  if (leftovers) await group.end(graceMs);
  return { ...end, leftovers };
}

/** Whether a command was ended as people end programs. A shell tells of a program that was by its exit code. */
function isInterrupted(end: Ending): boolean {
  if (end.kind === 'exited') return [129, 130, 143].includes(end.exitCode);
  return end.kind === 'signaled' && ['SIGHUP', 'SIGINT', 'SIGTERM'].includes(end.signal);
}

/** Waits until a signal is aborted, but no longer than `ms`. */
async function abortedWithin(signal: AbortSignal, ms: number): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}

/** The child, or why there is none. */
function start(options: CommandOptions, logFd: number): ChildProcess | string {
  const { command, cwd, env } = options;
  const shielded = inheritedFds(logFd);
  let input: number | undefined;
  try {
    input = openInput(options);
  } catch (error) {
    return `cannot read its standard input: ${messageOf(error)}`;
  }
  const stdio: ('ignore' | number)[] = [input ?? 'ignore', logFd, logFd];
  const nothing = shielded.length > 0 ? openSync('/dev/null', 'r') : -1;
  for (const fd of shielded) {
    while (stdio.length < fd) stdio.push('ignore');
    stdio[fd] = nothing;
  }
  const common: SpawnOptions = { cwd, env, stdio, windowsHide: true };
  try {
    const { spawn } = childProcess();
    if (!WINDOWS) return spawn('/bin/sh', ['-c', command], { ...common, detached: true });
    const shell = env['ComSpec'] ?? env['COMSPEC'] ?? 'cmd.exe';
    return spawn(shell, ['/d', '/s', '/c', `"${command}"`], { ...common, windowsVerbatimArguments: true });
  } catch (error) {
    return whyUnstartable(error, options);
  } finally {
    if (nothing >= 0) closeSync(nothing);
    if (input !== undefined) closeSync(input);
  }
}

type ChildProcessModule = typeof import('node:child_process');
let loaded: ChildProcessModule | undefined;

/** Loaded with the first command: most runs start nothing, and loading it takes a good part of their time. */
function childProcess(): ChildProcessModule {
  loaded ??= createRequire(import.meta.url)('node:child_process') as ChildProcessModule;
  return loaded;
}

/** A descriptor for reading what the command is given. A text goes through a file, of which only the descriptor is left. */
function openInput({ stdin, logFile }: CommandOptions): number | undefined {
  if (stdin === undefined) return undefined;
  if ('file' in stdin) return openSync(stdin.file, 'r');
  const place = `${logFile}.stdin`;
  try {
    writeFileSync(place, stdin.text, { mode: 0o600 });
    return openSync(place, 'r');
  } finally {
    rmSync(place, { force: true });
  }
}

/**
 * Descriptors that a child would inherit although they are none of its business: the cache's own database, or what the
 * parent of this process left open. Elsewhere than on Linux the system closes them by itself.
 */
function inheritedFds(logFd: number): readonly number[] {
  if (process.platform !== 'linux') return [];
  let open: readonly number[];
  try {
    open = readdirSync('/proc/self/fd').map(Number);
  } catch {
    // No /proc in this container: the descriptors are inherited, which costs disk space at worst.
    return [];
  }
  const among = (fds: readonly number[]): readonly number[] =>
    fds.filter((fd) => fd > 2 && fd < 1024 && !isOfLog(fd) && !isOfNotes(fd) && !closesOnExec(fd));
  if (standing === undefined) {
    const before = open.filter((fd) => fd < logFd && existsSync(`/proc/self/fd/${fd}`));
    standing = { all: new Set(before), inherited: among(before) };
  }
  const { all, inherited } = standing;
  return [...inherited, ...among(open.filter((fd) => !all.has(fd)))];
}

/**
 * What was open before the first log was: it stays open, and to ask of each descriptor whenever a command starts takes a
 * third of the time that starting it does.
 */
let standing: { readonly all: ReadonlySet<number>; readonly inherited: readonly number[] } | undefined;

const CLOSE_ON_EXEC = 0o2000000;

function closesOnExec(fd: number): boolean {
  const place = `/proc/self/fdinfo/${fd}`;
  // Closed meanwhile: the one that listed the folder. An exception would cost more than all the rest.
  if (!existsSync(place)) return true;
  const flags = /^flags:\s*([0-7]+)/m.exec(procText(place) ?? '')?.[1];
  return flags === undefined || (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0;
}

type Ending =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signaled'; readonly signal: string }
  | { readonly kind: 'unstartable'; readonly message: string };

/** Waits for the end of the shell, not of what it left in the background. */
function ended(child: ChildProcess, options: CommandOptions): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ kind: 'unstartable', message: whyUnstartable(error, options) }));
    child.once('exit', (exitCode, signal) =>
      resolve(exitCode === null ? { kind: 'signaled', signal: signal ?? 'SIGKILL' } : { kind: 'exited', exitCode }),
    );
  });
}

/** A missing folder is reported by the system as a missing shell, so it is asked for first. */
function whyUnstartable(error: unknown, { cwd, env, command }: CommandOptions): string {
  try {
    if (!statSync(cwd).isDirectory()) return `cannot run in ${cwd}: it is not a folder`;
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return `cannot run in ${cwd}: the folder does not exist`;
    return `cannot run in ${cwd}: ${messageOf(cause)}`;
  }
  switch (systemCode(error)) {
    case 'ENOENT':
      return `cannot start ${WINDOWS ? 'the command shell' : '/bin/sh'}: it does not exist`;
    case 'E2BIG': {
      const size = Object.entries(env).reduce((sum, [name, value]) => sum + name.length + value.length + 2, 0);
      return `cannot start the shell: the command (${command.length} characters) and its environment (${size}) are too long`;
    }
    default:
      return `cannot start the shell: ${messageOf(error)}`;
  }
}
