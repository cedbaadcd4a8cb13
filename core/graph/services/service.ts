/**
 * The process of one service, from its start to its end. Nobody but who stops it may end it: if it ends by itself it has
 * failed, whatever its exit code.
 */
import { join } from 'node:path';
import { formatDuration } from '../../base/duration.ts';
import { FlecheError } from '../../base/errors.ts';
import { type Key, sha256 } from '../../base/hash.ts';
import { toAbs } from '../../base/paths.ts';
import { type LogListener, removeLog } from '../../files/log-file.ts';
import { type CommandOptions, type CommandResult, runCommand } from '../commands/command.ts';
import { Deadline } from '../commands/deadline.ts';
import { commandEnv } from '../commands/environment.ts';
import { runningDir, type Workbench } from '../round/workbench.ts';
import type { Readiness } from '../tasks/task.ts';
import type { TaskCall } from '../tasks/task-call.ts';
import { aborted, isListening, untilReady } from './readiness.ts';

/** Lines of its output that are told of a service that failed. */
const TOLD_LINES = 10;
/** Characters that are kept of its output. */
const KEPT = 1 << 16;

export class Service {
  readonly name: string;
  readonly key: Key;
  readonly #call: TaskCall;
  readonly #bench: Workbench;
  readonly #onOutput: LogListener;
  readonly #ending = new AbortController();
  readonly #failed = new AbortController();
  readonly #decoder = new TextDecoder();
  readonly #waiting: { readonly text: string; readonly resolve: () => void }[] = [];
  readonly #running: Promise<void>;
  readonly #ready: Promise<void>;
  #printed = '';
  #fault: string | undefined;

  /** Starts it. */
  constructor(call: TaskCall, bench: Workbench, onOutput: LogListener) {
    this.name = call.task.name;
    this.key = call.key;
    this.#call = call;
    this.#bench = bench;
    this.#onOutput = onOutput;
    const { ready } = call.task.service ?? {};
    const isFree = isFreeFor(ready);
    this.#running = this.#run(isFree);
    this.#ready = ready === undefined ? Promise.resolve() : isFree.then(() => this.#watch(ready));
  }

  /** Aborted when it has failed. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Why it failed, in a sentence, and the last that it printed, in lines; undefined if it has not. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Resolves when it can be used, has failed, or `signal` is aborted; true for the first. */
  async ready(signal: AbortSignal): Promise<boolean> {
    await Promise.race([this.#ready, aborted(this.failed), aborted(signal)]);
    return this.#fault === undefined && !signal.aborted && !this.#ending.signal.aborted;
  }

  /** Ends it, with all that it started. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(isFree: Promise<boolean>): Promise<void> {
    const { tempDir } = this.#bench;
    const logFile = join(tempDir, `service-${sha256(this.name).slice(0, 16)}-${process.pid}.log`);
    try {
      if (!(await isFree)) return this.#fail('cannot be started: something else listens at its port');
      const { signal } = this.#ending;
      const result = await runCommand({ ...this.#options(), logFile, signal, onOutput: (chunk) => this.#hear(chunk) });
      if (result.kind !== 'aborted') this.#fail(endText(result));
    } finally {
      removeLog(logFile);
    }
  }

  #options(): Pick<CommandOptions, 'command' | 'cwd' | 'env' | 'runningDir'> {
    const { task } = this.#call;
    const { root, env } = this.#bench.around;
    if (task.body.kind !== 'command') throw new FlecheError('BUG', 'bug: a function was started as a service');
    return {
      command: task.body.command,
      cwd: toAbs(root, task.dir),
      env: commandEnv({ root, dir: task.dir, env, declared: task.env, passed: task.passEnv }),
      runningDir: runningDir(this.#bench),
    };
  }

  #hear(chunk: Uint8Array): unknown {
    this.#printed = (this.#printed + this.#decoder.decode(chunk, { stream: true })).slice(-KEPT);
    for (const { text, resolve } of this.#waiting) if (this.#printed.includes(text)) resolve();
    return this.#onOutput(chunk);
  }

  /** Resolves when it is ready; fails it if that takes too long. */
  async #watch({ when, timeout }: Readiness): Promise<void> {
    if (this.#fault !== undefined) return;
    const over = AbortSignal.any([this.#failed.signal, this.#ending.signal]);
    const deadline = new Deadline(over, timeout);
    try {
      await untilReady(when, {
        signal: deadline.signal,
        printed: (text) => new Promise((resolve) => this.#waiting.push({ text, resolve })),
        succeeds: (command) => this.#succeeds(command, deadline.signal),
      });
      if (!deadline.isOver) return;
      this.#fail(`was not ready after ${formatDuration(timeout)}`);
      this.#ending.abort();
    } finally {
      deadline.close();
    }
  }

  async #succeeds(command: string, signal: AbortSignal): Promise<boolean> {
    const logFile = join(this.#bench.tempDir, `ready-${sha256(this.name).slice(0, 16)}-${process.pid}.log`);
    const result = await runCommand({ ...this.#options(), command, logFile, signal });
    removeLog(logFile);
    return result.kind === 'exited' && result.exitCode === 0;
  }

  #fail(how: string): void {
    if (this.#fault !== undefined || this.#ending.signal.aborted) return;
    const lines = this.#printed.trimEnd().split('\n').slice(-TOLD_LINES);
    this.#fault = lines.join('') === '' ? how : `${how}\nit printed last:\n${lines.join('\n')}`;
    this.#failed.abort();
  }
}

/** Whether nobody could be taken for the service. */
async function isFreeFor(ready: Readiness | undefined): Promise<boolean> {
  return ready?.when.kind !== 'port' || !(await isListening(ready.when.port));
}

function endText(result: Exclude<CommandResult, { readonly kind: 'aborted' }>): string {
  switch (result.kind) {
    case 'exited':
      return `ended by itself with exit code ${result.exitCode}`;
    case 'signaled':
      return `was ended by ${result.signal}`;
    case 'unstartable':
      return result.message;
  }
}
