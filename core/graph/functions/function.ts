/**
 * Runs one function in a worker thread of its own, so that it can be ended, can end itself, and prints into its own log.
 * Arguments and result cross the border as stored bytes: what comes back is what a later hit will give.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { encode } from '../../base/encode.ts';
import { FlecheError, messageOf, systemCode } from '../../base/errors.ts';
import { type Digest, sha256 } from '../../base/hash.ts';
import { type AbsPath, type RelPath, toAbs } from '../../base/paths.ts';
import { LogFile } from '../../files/log-file.ts';
import { programOf } from '../../files/program.ts';
import { decodeAt } from '../../files/refs.ts';
import type { CodeClosure } from '../code/code.ts';
import { type FunctionJob, type FunctionReply, labelOf } from './function-protocol.ts';

export interface FunctionOptions {
  readonly code: CodeClosure;
  readonly module: RelPath;
  readonly export: string;
  /** Folder for bundles, made if it is missing. A bundle is named by its content and stays. */
  readonly codeDir: AbsPath;
  /** By name; an `Encoded` one crosses as it is. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly context: { readonly root: AbsPath; readonly taskName: string; readonly outDir?: AbsPath | undefined };
  /** The whole environment that the function sees. */
  readonly env: Readonly<Record<string, string>>;
  /** Created or emptied; takes everything that is printed. */
  readonly logFile: string;
  /** Aborts the function's own signal, and ends its thread after `graceMs`. */
  readonly signal: AbortSignal;
  /** Default 2000. */
  readonly graceMs?: number;
  /** Bound on the thread's heap, MB; by default that of the process. */
  readonly memoryMb?: number;
  /** Receives the output while it comes. */
  readonly onOutput?: ((chunk: Uint8Array) => void) | undefined;
}

/** An argument that is at hand as stored bytes: it need not be decodable here, where its class may be unknown. */
export class Encoded {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** What became of the call. The message of a failure is one sentence; its stack was printed into the log as well. */
export type FunctionResult =
  | {
      readonly kind: 'returned';
      readonly digest: Digest;
      /** The encoded value. */
      readonly bytes: Uint8Array;
      /** The value, decoded anew at each access. Throws `STORE_CORRUPT` if its class is known to the function only. */
      readonly value: unknown;
    }
  | { readonly kind: 'threw'; readonly message: string; readonly stack: string; readonly code: string | null }
  | { readonly kind: 'aborted' };

const GRACE = 2000;

/** A failure before the call, such as code that changed since its digest was taken, is a failure like any other. */
export async function runFunction(options: FunctionOptions): Promise<FunctionResult> {
  const { signal, context, module } = options;
  if (signal.aborted) return { kind: 'aborted' };
  const log = new LogFile(options.logFile, options.onOutput);
  try {
    const bundle = place(options.codeDir, await options.code.bundle());
    if (context.outDir !== undefined) makeFolder(context.outDir);
    const args = Object.entries(options.args).map(([name, value]) => [name, bytesOf(value)] as const);
    const reply = await call(options, {
      bundle: pathToFileURL(bundle).href,
      label: labelOf(module, options.export),
      args,
      context: { task: context.taskName, root: context.root, outDir: context.outDir },
      log: log.fd,
    });
    return reply?.kind === 'returned'
      ? returned(reply.digest, reply.bytes, context.root)
      : (reply ?? { kind: 'aborted' });
  } catch (error) {
    if (!(error instanceof FlecheError) || error.code === 'BUG') throw error;
    return { kind: 'threw', message: error.describe(), stack: '', code: error.code };
  } finally {
    log.close();
  }
}

function makeFolder(path: AbsPath): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new FlecheError('OUTPUT_UNWRITABLE', `the folder for outputs cannot be made: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function bytesOf(value: unknown): Uint8Array {
  return value instanceof Encoded ? value.bytes : encode(value);
}

function returned(digest: Digest, bytes: Uint8Array, root: AbsPath): FunctionResult {
  return {
    kind: 'returned',
    digest,
    bytes,
    get value() {
      return decodeAt(root, bytes);
    },
  };
}

/** The reply, or undefined after an abort. The thread is gone when this returns. */
async function call(options: FunctionOptions, job: FunctionJob): Promise<FunctionReply | undefined> {
  const { signal, env, graceMs = GRACE } = options;
  if (signal.aborted) return undefined;
  const entry = workerEntry();
  const worker = new Worker(entry.program, {
    eval: entry.eval,
    workerData: job,
    env: { ...env },
    stdout: true,
    stderr: true,
    ...(options.memoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: options.memoryMb } }),
  });
  // Only what goes past the streams of the thread arrives here, such as warnings of the runtime.
  for (const stream of [worker.stdout, worker.stderr]) stream.on('data', (chunk) => writeFileSync(job.log, chunk));
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    worker.postMessage('abort');
    timer = setTimeout(() => void worker.terminate(), graceMs);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const reply = await new Promise<FunctionReply>((resolve) => {
      worker.once('message', resolve);
      worker.once('error', (error) => resolve(failure(`${job.label} broke down: ${messageOf(error)}`, error)));
      worker.once('exit', (code) => resolve(failure(`${job.label} ended its thread: process.exit(${code})`)));
    });
    return signal.aborted ? undefined : reply;
  } finally {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
    await worker.terminate();
  }
}

function failure(message: string, error?: unknown): FunctionReply {
  return {
    kind: 'threw',
    message,
    stack: error instanceof Error ? String(error.stack) : '',
    code: systemCode(error) ?? null,
  };
}

function workerEntry(): { readonly program: URL | string; readonly eval: boolean } {
  const { file, loader } = programOf(new URL('./function-worker.ts', import.meta.url));
  if (loader === undefined) return { program: file, eval: false };
  const tsx = new URL('./api/index.mjs', loader);
  return { program: `import('${tsx}').then(({ register }) => (register(), import('${file}')))`, eval: true };
}

/** Writes a bundle under the digest of its text. */
function place(codeDir: AbsPath, text: string): AbsPath {
  const path = toAbs(codeDir, `${sha256(text)}.mjs`);
  if (contentOf(path) === text) return path;
  mkdirSync(codeDir, { recursive: true });
  const temporary = `${path}.${process.pid}.${placed++}`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
  return path;
}

let placed = 0;

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
