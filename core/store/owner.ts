/** Who this process is, and whether another one still lives. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { systemCode } from '../base/errors.ts';
import type { Lease, Owner } from './leases.ts';

/** This process, for as long as it lives. */
export const SELF: Owner = { id: `${process.pid}-${randomBytes(8).toString('hex')}`, pid: process.pid, host: hostId() };

/** Host name and, where there is one, the identity of the namespace in which process ids are counted. */
function hostId(): string {
  return `${hostname()}/${pidNamespace()}`;
}

function pidNamespace(): string {
  try {
    return String(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  } catch {
    // Not Linux: the host name alone must do.
    return '-';
  }
}

/** Names the time since the machine was started, so that what must not outlive a power cut can be told apart. */
export function bootId(now: number): string {
  const id = pidNamespace();
  if (id !== '-') return id;
  const STEP_SECONDS = 60;
  return String(Math.round((now / 1000 - uptime()) / STEP_SECONDS));
}

/**
 * Whether a lease may be taken over: its holder is a process of this machine that is gone, or one elsewhere that has not
 * said it lives for longer than the lease allows.
 */
export function isAbandoned(lease: Lease, now: number): boolean {
  if (lease.owner.id === SELF.id) return false;
  if (lease.owner.host === SELF.host) return !isAlive(lease.owner.pid);
  return now > lease.renewed + lease.ttl;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** A process that was killed and that nobody has collected yet still receives signals. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}
