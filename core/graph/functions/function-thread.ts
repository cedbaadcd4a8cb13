/** A worker thread for one function: it can be ended, can end itself, and takes one call after the other. */
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { messageOf, systemCode } from '../../base/errors.ts';
import { programOf } from '../../files/program.ts';
import type { FunctionJob, FunctionReply } from './function-protocol.ts';

export interface ThreadOptions {
  /** The whole environment that the function sees. */
  readonly env: Readonly<Record<string, string>>;
  /** Bound on the thread's heap, MB; by default that of the process. */
  readonly memoryMb?: number | undefined;
  /** Told when the thread can take another call of the same function; without it, it ends with its first. */
  readonly onIdle?: (thread: FunctionThread) => void;
}

export class FunctionThread {
  readonly #options: ThreadOptions;
  #worker: Worker | undefined;
  /** Descriptor for what is printed at the moment. */
  #log = -1;

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /**
   * The reply, or undefined after an abort, `graceMs` after which the thread is ended. It is gone when this returns, unless
   * it was said to be idle.
   */
  async run(signal: AbortSignal, graceMs: number, job: FunctionJob): Promise<FunctionReply | undefined> {
    if (signal.aborted) return undefined;
    this.#log = job.log;
    const worker = this.#begin(job);
    let timer: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      worker.postMessage('abort');
      timer = setTimeout(() => void worker.terminate(), graceMs);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const reply = await replyOf(worker, job.label);
      const { onIdle } = this.#options;
      const stays = onIdle !== undefined && reply.kind === 'returned' && reply.isIdle && !signal.aborted;
      if (stays) onIdle(this);
      else await this.end();
      return signal.aborted ? undefined : reply;
    } finally {
      signal.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    }
  }

  #begin(job: FunctionJob): Worker {
    if (this.#worker !== undefined) {
      this.#worker.postMessage(job);
      return this.#worker;
    }
    const { env, memoryMb } = this.#options;
    const entry = workerEntry();
    // Loaded here, because most runs need no thread.
    const threads = createRequire(import.meta.url)('node:worker_threads') as typeof import('node:worker_threads');
    const worker = new threads.Worker(entry.program, {
      eval: entry.eval,
      workerData: job,
      env: { ...env },
      stdout: true,
      stderr: true,
      ...archives(job.context.root),
      ...(memoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryMb } }),
    });
    // Only what goes past the streams of the thread arrives here, such as warnings of the runtime.
    for (const stream of [worker.stdout, worker.stderr]) stream.on('data', (chunk) => writeFileSync(this.#log, chunk));
    this.#worker = worker;
    return worker;
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
  }
}

/** What the thread says, or that it broke down, or ended itself. */
function replyOf(worker: Worker, label: string): Promise<FunctionReply> {
  return new Promise((resolve) => {
    const over = (reply: FunctionReply): void => {
      worker.off('message', over).off('error', onError).off('exit', onExit);
      resolve(reply);
    };
    const onError = (error: unknown): void => over(failure(`${label} broke down: ${messageOf(error)}`, error));
    const onExit = (code: number): void => over(failure(`${label} ended its thread: process.exit(${code})`));
    worker.on('message', over).on('error', onError).on('exit', onExit);
  });
}

function failure(message: string, error?: unknown): FunctionReply {
  return {
    kind: 'threw',
    message,
    stack: error instanceof Error ? String(error.stack) : '',
    code: systemCode(error) ?? null,
  };
}

/** What lets a thread read packages out of archives, where Yarn keeps them there (Plug'n'Play) around the project. */
function archives(root: string): { readonly execArgv?: string[] } {
  for (let folder = root; ; folder = dirname(folder)) {
    const [reader, loader] = [join(folder, '.pnp.cjs'), join(folder, '.pnp.loader.mjs')];
    if (existsSync(reader)) {
      const modules = existsSync(loader) ? ['--experimental-loader', pathToFileURL(loader).href] : [];
      // That such a loader is experimental is Yarn's matter, and would stand in the log of each task.
      return { execArgv: ['--disable-warning=ExperimentalWarning', '--require', reader, ...modules] };
    }
    if (dirname(folder) === folder) return {};
  }
}

function workerEntry(): { readonly program: URL | string; readonly eval: boolean } {
  const { file, loader } = programOf(new URL('./function-worker.ts', import.meta.url));
  if (loader === undefined) return { program: file, eval: false };
  const tsx = new URL('./api/index.mjs', loader);
  return { program: `import('${tsx}').then(({ register }) => (register(), import('${file}')))`, eval: true };
}
