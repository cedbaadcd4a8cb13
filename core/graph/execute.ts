/**
 * Does the work of one task and files the answer: clears what it wrote before, runs its command or function, captures
 * what it wrote and printed. An answer is filed only if no declared input changed meanwhile.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { FlecheError } from '../base/errors.ts';
import { type Digest, sha256 } from '../base/hash.ts';
import { type AbsPath, toAbs } from '../base/paths.ts';
import { FileRef, TreeRef } from '../files/refs.ts';
import type { Tree } from '../files/tree.ts';
import type { SyncCallStore } from '../store/calls.ts';
import type { LeaseStore } from '../store/leases.ts';
import type { CallRecord, Failure, StoredValue } from '../store/record.ts';
import type { FileValueStore } from '../store/values.ts';
import { runCommand } from './command.ts';
import { commandEnv } from './environment.ts';
import { Encoded, runFunction } from './function.ts';
import { type Product, product } from './product.ts';
import type { FoundArg, Surroundings, TaskCall } from './task-call.ts';

/** What execution needs beside the question. */
export interface Workbench {
  readonly around: Surroundings;
  readonly values: FileValueStore;
  readonly calls: SyncCallStore;
  /** Marks of what other processes are working on; undefined where they cannot be had. */
  readonly leases: LeaseStore | undefined;
  /** Folder for logs of running tasks and for bundles of function tasks. */
  readonly tempDir: AbsPath;
  /** ms since the epoch. */
  readonly now: () => number;
}

export type Executed =
  | { readonly kind: 'done'; readonly product: Product; readonly warning: string | null }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'aborted' };

export interface Execution {
  readonly signal: AbortSignal;
  readonly onOutput: (chunk: Uint8Array) => void;
}

/** What the command or function did, before its outputs are looked at. */
type Work =
  | { readonly kind: 'worked'; readonly value: StoredValue | null; readonly note: string | null }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'aborted' };

export async function execute(call: TaskCall, bench: Workbench, execution: Execution): Promise<Executed> {
  const { task } = call;
  const { outputs } = bench.around;
  const started = bench.now();
  const logFile = join(bench.tempDir, `${call.key.slice(0, 16)}-${process.pid}.log`);
  const prepared = task.outputs.length === 0 ? undefined : outputs.prepare(task.name, call.globs.outputs, task.clean);
  const work =
    call.code === null
      ? await command(call, bench, logFile, execution)
      : await callFunction(call, bench, logFile, execution);
  if (work.kind !== 'worked' && prepared !== undefined) outputs.abandon(prepared);
  if (work.kind === 'aborted') return work;
  const answer = new Answer(call, bench, started, bench.values.putFile(logFile));
  rmSync(logFile, { force: true });
  if (work.kind === 'failed') return answer.failed(work.failure);
  if (prepared === undefined) return answer.done(work.value, null, work.note);
  const { tree, missing } = outputs.capture(prepared);
  const paths = tree.entries.map(({ path }) => path);
  bench.around.writers.requireSole(task, paths);
  if (missing.length > 0) return answer.failed(failure(`did not write its declared output ${missing.join(', ')}`));
  return answer.done(work.value, tree, work.note);
}

async function command(call: TaskCall, bench: Workbench, logFile: string, execution: Execution): Promise<Work> {
  const { task } = call;
  if (task.body.kind !== 'command') throw new FlecheError('BUG', 'bug: a function task was run as a command');
  const { root, env } = bench.around;
  const result = await runCommand({
    command: task.body.command,
    cwd: toAbs(root, task.dir),
    env: commandEnv({ root, dir: task.dir, env, declared: task.env, passed: task.passEnv }),
    logFile,
    ...execution,
  });
  switch (result.kind) {
    case 'exited':
      if (result.exitCode !== 0)
        return { kind: 'failed', failure: failure(`exited with code ${result.exitCode}`, result.exitCode) };
      return {
        kind: 'worked',
        value: null,
        note: result.leftovers ? 'left processes running, which were ended' : null,
      };
    case 'signaled':
      return {
        kind: 'failed',
        failure: { message: `was ended by ${result.signal}`, exitCode: null, signal: result.signal },
      };
    case 'unstartable':
      return { kind: 'failed', failure: failure(result.message) };
    case 'aborted':
      return result;
  }
}

async function callFunction(call: TaskCall, bench: Workbench, logFile: string, execution: Execution): Promise<Work> {
  const { task, code } = call;
  if (task.body.kind !== 'function' || code === null)
    throw new FlecheError('BUG', 'bug: a command was run as a function');
  const { root, env } = bench.around;
  const args = Object.fromEntries([...call.args].map(([name, found]) => [name, materialise(found, bench)]));
  const result = await runFunction({
    code,
    module: task.body.module,
    codeDir: bench.tempDir,
    export: task.body.export,
    args,
    context: { root, taskName: task.name },
    env: commandEnv({ root, dir: task.dir, env, declared: task.env, passed: task.passEnv }),
    logFile,
    ...execution,
  });
  switch (result.kind) {
    case 'returned':
      return { kind: 'worked', value: store(result.digest, result.bytes, bench.values), note: null };
    case 'threw':
      return { kind: 'failed', failure: failure(result.message) };
    case 'aborted':
      return result;
  }
}

function failure(message: string, exitCode: number | null = null): Failure {
  return { message, exitCode, signal: null };
}

/** An argument as it crosses to the function; a stored one crosses in its stored form. */
function materialise(found: FoundArg, bench: Workbench): unknown {
  const { root } = bench.around;
  switch (found.kind) {
    case 'value':
      return found.value;
    case 'stored': {
      const bytes = bench.values.get(found.blob);
      if (bytes === undefined)
        throw new FlecheError('STORE_CORRUPT', `the stored value ${found.blob.slice(0, 12)} is gone`);
      return new Encoded(bytes);
    }
    case 'tree':
      return new TreeRef(root, found.tree);
    case 'file':
    case 'files': {
      const files = found.tree.entries.flatMap((entry) => (entry.kind === 'absent' ? [] : [FileRef.of(root, entry)]));
      return found.kind === 'file' ? files[0] : files;
    }
  }
}

function store(value: Digest, bytes: Uint8Array, values: FileValueStore): StoredValue {
  const blob = sha256(bytes);
  values.put(blob, bytes);
  values.alias(value, blob);
  return { digest: value, blob };
}

/** One answer in the making: the values are put first, then the record that names them. */
class Answer {
  readonly #call: TaskCall;
  readonly #bench: Workbench;
  readonly #started: number;
  readonly #log: Digest | null;

  constructor(
    call: TaskCall,
    bench: Workbench,
    started: number,
    log: { readonly digest: Digest; readonly size: number },
  ) {
    this.#call = call;
    this.#bench = bench;
    this.#started = started;
    this.#log = log.size === 0 ? null : log.digest;
  }

  done(value: StoredValue | null, outputs: Tree | null, note: string | null): Executed {
    const { task } = this.#call;
    const changed = this.#call.changedInputs();
    if (changed.length > 0) {
      const shown = changed.slice(0, 3).join(', ') + (changed.length > 3 ? ` and ${changed.length - 3} more` : '');
      const warning = `${shown} changed while it ran, so the result is not kept`;
      return { kind: 'done', product: product(value, outputs), warning };
    }
    if (task.cache) this.#file(null, value, outputs);
    return { kind: 'done', product: product(value, outputs), warning: note };
  }

  failed(why: Failure): Executed {
    const { task, key } = this.#call;
    if (task.cache && this.#bench.calls.get(key)?.failure !== null) this.#file(why, null, null);
    return { kind: 'failed', failure: why };
  }

  #file(why: Failure | null, result: StoredValue | null, outputs: Tree | null): void {
    const { task, parts, key, blobs } = this.#call;
    const { values, calls, now } = this.#bench;
    for (const [blob, bytes] of blobs) values.put(blob, bytes);
    const stop = now();
    const record: CallRecord = {
      key,
      kind: 'task',
      name: task.name,
      module: task.body.kind === 'function' ? task.body.module : null,
      parts,
      failure: why,
      result,
      promised: false,
      outputs: outputs?.digest ?? null,
      log: this.#log,
      metadata: { runtime: { timestart: this.#started, timestop: stop, walltime: stop - this.#started } },
      filed: stop,
    };
    calls.put(record);
    calls.flush();
  }
}
