/**
 * A process group, and the processes in it. On Windows the process tree of a child stands for the group, and a process
 * whose parent is gone is beyond reach.
 */
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { FlecheError, systemCode } from '../../base/errors.ts';

/** Time until the system must have taken away what was sent SIGKILL, ms. */
const REAP = 1000;
const WINDOWS = process.platform === 'win32';

/** A command and all it started. */
export class ProcessGroup {
  /** Process id of the leader, which is the group's too. */
  readonly id: number;
  readonly #child: ChildProcess | undefined;

  /** `child` is the leader if this process started it. */
  constructor(id: number, child?: ChildProcess) {
    // Signals to 0 and below would go to this process's own group, or to everyone.
    if (!Number.isSafeInteger(id) || id <= 1) throw new FlecheError('BUG', `bug: ${id} is no process group`);
    this.id = id;
    this.#child = child;
  }

  /** Sends a signal to all, 0 to none; whether there was anyone to receive it. */
  #send(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-this.id, signal);
    } catch (error) {
      // EPERM: someone is there, but runs as another user by now; or, on macOS, has ended and is still listed.
      return systemCode(error) === 'EPERM' && process.platform !== 'darwin';
    }
  }

  alive(): boolean {
    if (WINDOWS) return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
    return this.#send(0) && !(process.platform === 'linux' && onlyZombies(this.id));
  }

  /** Whether everyone has ended by `ms` from now. */
  async gone(ms: number): Promise<boolean> {
    const deadline = performance.now() + ms;
    for (let wait = 1; this.alive(); wait = Math.min(wait * 2, 32)) {
      if (performance.now() >= deadline) return false;
      await delay(wait);
    }
    return true;
  }

  /** Ends everyone at once, without waiting for it. */
  kill(): void {
    if (WINDOWS) this.#child?.kill();
    else this.#send('SIGKILL');
  }

  /** Asks everyone to end, and makes them after `graceMs`. */
  async end(graceMs: number): Promise<void> {
    if (WINDOWS) {
      const { execFile } = await import('node:child_process');
      await new Promise((done) => execFile('taskkill', ['/T', '/F', '/PID', String(this.id)], done));
    } else {
      this.#send('SIGTERM');
      if (await this.gone(graceMs)) return;
      this.#send('SIGKILL');
    }
    await this.gone(REAP);
  }
}

/**
 * Whether all that is left of a group has ended and only waits to be collected, which in a container without an init
 * process nobody does. Such processes still count as receivers of a signal.
 */
function onlyZombies(group: number): boolean {
  try {
    return !readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && runsIn(pid, group));
  } catch {
    // No /proc to tell: take the group for alive, the caller does not wait for ever.
    return false;
  }
}

function runsIn(pid: string, group: number): boolean {
  try {
    return groupOf(pid) === group;
  } catch {
    return false;
  }
}

/** The group of a process that has not ended. Throws if it is gone. */
function groupOf(pid: string): number | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The program's name stands in brackets and may have any character in it; then come state, parent and group.
  const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 3);
  return (state === 'Z' || state === 'X') && !hasThreads(pid) ? undefined : Number(group);
}

/** Whether an ended process has threads that are still ending: its files and ports are held until the last is gone. */
function hasThreads(pid: string): boolean {
  return readdirSync(`/proc/${pid}/task`).length > 1;
}

/** The groups that print to one of these files, named by their real paths. None where the system does not tell. */
export function groupsPrintingTo(files: ReadonlySet<string>): readonly ProcessGroup[] {
  if (process.platform !== 'linux') return [];
  const groups = new Map<number, ProcessGroup>();
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const file = readlinkSync(`/proc/${pid}/fd/1`).replace(/ \(deleted\)$/, '');
      const group = files.has(file) ? groupOf(pid) : undefined;
      if (group !== undefined) groups.set(group, new ProcessGroup(group));
    } catch {
      // It has ended meanwhile, or is somebody else's.
    }
  }
  return [...groups.values()];
}
