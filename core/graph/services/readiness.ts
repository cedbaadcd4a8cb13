/** When a service may be used: a port answers, it has printed a text, or a command succeeds. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Readiness } from '../tasks/task.ts';

/** What readiness is found out by. */
interface Probes {
  /** Aborted when the waiting is in vain. */
  readonly signal: AbortSignal;
  /** Resolves when the service has printed the text, or never. */
  readonly printed: (text: string) => Promise<void>;
  /** Whether a command succeeds. */
  readonly succeeds: (command: string) => Promise<boolean>;
}

/** Time between two looks, ms. */
const LOOK = 50;
/** Time for a port to answer, ms. */
const ANSWER = 1000;
/** Where a service may listen that says nothing of it; which of the two is for the system to decide. */
const HOSTS = ['127.0.0.1', '::1'];

/** Resolves when the service is ready, or once the signal is aborted. */
export async function untilReady(ready: Readiness['when'], probes: Probes): Promise<void> {
  switch (ready.kind) {
    case 'port':
      return until(() => isListening(ready.port), probes.signal);
    case 'command':
      return until(() => probes.succeeds(ready.command), probes.signal);
    case 'log':
      return Promise.race([probes.printed(ready.text), aborted(probes.signal)]);
  }
}

async function until(holds: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await holds())) await delay(LOOK, undefined, { signal }).catch(() => {});
}

/** Resolves once the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Whether anyone on this machine listens at a port. */
export async function isListening(port: number): Promise<boolean> {
  return (await Promise.all(HOSTS.map((host) => answers(host, port)))).includes(true);
}

async function answers(host: string, port: number): Promise<boolean> {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ANSWER });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
