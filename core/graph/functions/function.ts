/**
 * Runs one function in a worker thread, so that it can be ended, can end itself, and prints into its own log.
 * Arguments and result cross the border as stored bytes: what comes back is what a later hit will give.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { encode } from '../../base/encode.ts';
import { FlecheError, messageOf } from '../../base/errors.ts';
import { type Digest, sha256 } from '../../base/hash.ts';
import { type AbsPath, type RelPath, toAbs } from '../../base/paths.ts';
import { LogFile, type LogListener } from '../../files/log-file.ts';
import { decodeAt } from '../../files/refs.ts';
import { readOwn } from '../../store/own-file.ts';
import type { CodeClosure } from '../code/code.ts';
import { labelOf } from './function-protocol.ts';
import { FunctionThread } from './function-thread.ts';
import type { FunctionThreads } from './function-threads.ts';

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
  /** Where a thread is taken from that other calls of the same function may have had before; by default it is a new one. */
  readonly threads?: FunctionThreads | undefined;
  /** Receives the output while it comes. */
  readonly onOutput?: LogListener | undefined;
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
    const { env, memoryMb, threads } = options;
    const thread = threads?.take({ env, memoryMb }) ?? new FunctionThread({ env, memoryMb });
    const reply = await thread.run(signal, options.graceMs ?? GRACE, {
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
    await log.close();
  }
}

function makeFolder(path: AbsPath): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new FlecheError('OUTPUT_UNWRITABLE', `the folder for outputs cannot be made: ${messageOf(error)}`, {
      hint: 'Does a file stand in its place, and may the folder above be written?',
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

/** Writes a bundle under the digest of its text. */
function place(codeDir: AbsPath, text: string): AbsPath {
  const path = toAbs(codeDir, `${sha256(text)}.mjs`);
  if (contentOf(path) === text) return path;
  mkdirSync(codeDir, { recursive: true });
  const temporary = `${path}.${process.pid}.${placed++}`;
  writeFileSync(temporary, text);
  try {
    renameSync(temporary, path);
  } catch {
    // A folder stands in its place.
    rmSync(path, { recursive: true, force: true });
    renameSync(temporary, path);
  }
  return path;
}

let placed = 0;

function contentOf(path: string): string | undefined {
  try {
    return readOwn(path).toString();
  } catch {
    // Not there, or something else in its place.
    return undefined;
  }
}
