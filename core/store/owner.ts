/** Who this process is, and whether another one still lives. */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { systemCode } from '../base/errors.ts';
import type { Lease, Owner } from './leases.ts';
import { procText } from './proc-file.ts';

/** This process or worker thread, for as long as it lives. */
export const SELF: Owner = { id: ownId(), pid: process.pid, host: hostId() };

/**
 * `pid/thread/started/random`. A thread can end before its process does, and process ids are used again, as a rule at
 * once where a container is started anew: thread and start time, where the system tells them, tell such owners apart.
 */
function ownId(): string {
  const thread = /^\d+\/task\/(\d+)$/.exec(told(() => readlinkSync('/proc/thread-self')) ?? '')?.[1] ?? '';
  const started = statusOf(process.pid, thread)?.started ?? '';
  return [process.pid, thread, started, randomBytes(8).toString('hex')].join('/');
}

/** Host name and, where there is one, the identity of the namespace in which process ids are counted. */
function hostId(): string {
  return [hostname(), startOfMachine() ?? '-', told(() => readlinkSync('/proc/self/ns/pid')) ?? '-'].join('/');
}

function startOfMachine(): string | undefined {
  return told(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
}

/** What the system tells, or undefined if it has no such thing to tell. */
function told(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Names the time since the machine was started, so that what must not outlive a power cut can be told apart. */
export function bootId(now: number): string {
  const id = startOfMachine();
  if (id !== undefined) return id;
  const STEP_SECONDS = 60;
  return String(Math.round((now / 1000 - uptime()) / STEP_SECONDS));
}

/** The leases that this process holds: what is on file as its own and is not among them was lost when it was given back. */
const HELD = new Set<string>();

function nameOf({ name, token, acquired }: Lease): string {
  return `${token} ${acquired} ${name}`;
}

/** Notes that this process holds a lease, until it is given back. */
export function noteHeld(lease: Lease): void {
  HELD.add(nameOf(lease));
}

export function noteGivenBack(lease: Lease): void {
  HELD.delete(nameOf(lease));
}

/**
 * Whether a lease may be taken over: its holder is a process or thread of this machine that is gone, this one which does
 * not hold it any more, or one elsewhere that has not said it lives for longer than the lease allows. One that will say so
 * only in the future has another clock, by which nobody can wait.
 */
export function isAbandoned(lease: Lease, now: number): boolean {
  if (lease.owner.id === SELF.id) return !HELD.has(nameOf(lease));
  if (lease.owner.host === SELF.host) return !isAlive(lease.owner);
  return Math.abs(now - lease.renewed) > lease.ttl;
}

/** Whether an owner on this machine still lives; one elsewhere is not known to. */
export function isRunning(owner: Owner): boolean {
  return owner.id === SELF.id || (owner.host === SELF.host && isAlive(owner));
}

/** Tells a process from a later one with the same id; null if there is none, or where the system does not tell. */
export function identityOf(pid: number): string | null {
  return statusOf(pid, '')?.started ?? null;
}

function isAlive({ id, pid }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return false;
  }
  const [, thread = '', started = ''] = id.split('/');
  const status = statusOf(pid, thread);
  // What cannot be looked at (another system, another user's process) is believed to live, unless only the thread is gone.
  if (status === undefined) return thread === '' || statusOf(pid, '') === undefined;
  return status.state !== 'Z' && status.state !== 'X' && (started === '' || status.started === started);
}

interface Status {
  /** One letter; `Z` is a process that was ended and that nobody has collected yet. */
  readonly state: string;
  /** When it was started, in ticks since the machine was. */
  readonly started: string;
}

function statusOf(pid: number, thread: string): Status | undefined {
  const path = thread === '' ? `/proc/${pid}/stat` : `/proc/${pid}/task/${thread}/stat`;
  const text = procText(path);
  // The name, which can contain anything, stands in parentheses before the rest.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields?.[0];
  const started = fields?.[19];
  return state === undefined || started === undefined ? undefined : { state, started };
}
