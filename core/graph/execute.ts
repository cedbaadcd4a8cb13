/**
 * Does the work of one task and files the answer: clears what it wrote before, runs its command or function, captures
 * what it wrote and printed. An answer is filed only if no declared input changed meanwhile.
 */
import { join } from 'node:path';
import type { Awaitable } from '../base/awaitable.ts';
import { formatDuration } from '../base/duration.ts';
import { FlecheError } from '../base/errors.ts';
import { type Digest, sha256 } from '../base/hash.ts';
import { type AbsPath, type RelPath, toAbs } from '../base/paths.ts';
import type { SharedAnswers } from '../call/shared/shared-answers.ts';
import { globsOf } from '../files/globs/globs.ts';
import { isEmptyLog, type LogListener, removeLog } from '../files/log-file.ts';
import type { Writing } from '../files/outputs/outputs.ts';
import { FileRef, TreeRef } from '../files/refs.ts';
import type { Tree } from '../files/trees/tree.ts';
import type { SyncCallStore } from '../store/calls.ts';
import type { LeaseStore } from '../store/leases.ts';
import type { CallRecord, Failure, StoredValue } from '../store/record.ts';
import type { FileValueStore } from '../store/values.ts';
import { type CommandOptions, runCommand } from './commands/command.ts';
import { Deadline } from './commands/deadline.ts';
import { commandEnv } from './commands/environment.ts';
import type { Discovery } from './discovered/discovery.ts';
import type { Found } from './discovered/found.ts';
import type { FoundArg } from './found-arg.ts';
import { Encoded, runFunction } from './functions/function.ts';
import type { FunctionThreads } from './functions/function-threads.ts';
import { type Product, product } from './product.ts';
import { neededOf, type Task, type TaskBody } from './task.ts';
import type { Surroundings, TaskCall } from './task-call.ts';

/** What execution needs beside the question. */
export interface Workbench {
  readonly around: Surroundings;
  readonly values: FileValueStore;
  readonly calls: SyncCallStore;
  /** Marks of what is being worked on, in this process and in others. */
  readonly leases: LeaseStore;
  /** What is asked when there is no answer here, and told of new ones; undefined where nothing is shared. */
  readonly shared?: SharedAnswers | undefined;
  /** Makes visible what other processes have filed meanwhile. */
  readonly refresh: () => void;
  /** Folder for logs of running tasks and for bundles of function tasks. */
  readonly tempDir: AbsPath;
  /** ms since the epoch. */
  readonly now: () => number;
}

export type Executed =
  | {
      readonly kind: 'done';
      /** The question, completed by what the task discovered. */
      readonly call: TaskCall;
      readonly product: Product;
      readonly warning: string | null;
      /** Whether it is an answer to the question; else the question asked for something else, as the warning says. */
      readonly isSound: boolean;
      /** What was printed; null for nothing. */
      readonly log: Digest | null;
    }
  | { readonly kind: 'failed'; readonly call: TaskCall; readonly failure: Failure }
  | { readonly kind: 'aborted' };

export interface Execution {
  readonly signal: AbortSignal;
  /** Why the signal was aborted, if that is a failure of the task. */
  readonly fault?: () => string | undefined;
  readonly onOutput: LogListener;
  /**
   * Paths the task reads that are not, or were not all the time, what its question says, `others` included, of which that
   * was found out. Asked when it is done.
   */
  readonly changed: (others: readonly RelPath[]) => Awaitable<readonly RelPath[]>;
  /** What `envOf` gives for the task, where it was asked already. */
  readonly env?: Readonly<Record<string, string>>;
  /** Makes room for what is written; by default for all outputs of the task. */
  readonly writing?: () => Writing | undefined;
  /** The work has succeeded, and what came of it is left to be taken in: once this is over, which it should be soon. */
  readonly onWorked?: () => Awaitable<void>;
  /** Threads that a function may use one after the other with other calls of its own. */
  readonly threads?: FunctionThreads;
  /** For a task that tells what it read. */
  readonly discovery?: Discovery | undefined;
}

type CommandBody = Extract<TaskBody, { kind: 'command' }>;

interface Worked {
  readonly kind: 'worked';
  readonly value: StoredValue | null;
  readonly note: string | null;
}

/** What the command or function did, before its outputs are looked at. */
type Work = Worked | { readonly kind: 'failed'; readonly failure: Failure } | { readonly kind: 'aborted' };

/** The caller has claimed the task. Throws what goes wrong with the workspace: `OUTPUT_…`, `CONFIG_OVERLAP`. */
export async function execute(call: TaskCall, bench: Workbench, execution: Execution): Promise<Executed> {
  const started = bench.now();
  const logFile = join(bench.tempDir, `${call.key.slice(0, 16)}-${process.pid}.log`);
  const writing = execution.writing === undefined ? prepare(call, bench) : execution.writing();
  try {
    const work = await inTime(call, bench, logFile, execution);
    const stopped = bench.now();
    if (work.kind === 'worked') await execution.onWorked?.();
    else writing?.abandon();
    if (work.kind === 'aborted') return work;
    const log = isEmptyLog(logFile) ? null : bench.values.putFile(logFile).digest;
    const answer = new Answer(call, bench, { started, stopped, log });
    if (work.kind === 'failed') return answer.failed(work.failure, execution.discovery?.afterFailure(logFile));
    const finish = (tree: Tree | null): Promise<Executed> =>
      answer.done(work, tree, execution.changed, execution.discovery?.finish(tree, logFile));
    const captured = writing?.capture();
    if (captured === undefined) return await finish(null);
    const { tree, missing } = captured;
    bench.around.writers.requireSole(
      call.whole?.task ?? call.task,
      tree.entries.map(({ path }) => path),
    );
    if (missing.length > 0) return answer.failed(failure(unwritten(missing)));
    return await finish(tree);
  } catch (error) {
    writing?.abandon();
    throw error;
  } finally {
    removeLog(logFile);
  }
}

/** Where running commands are noted. */
export function runningDir({ tempDir }: Pick<Workbench, 'tempDir'>): string {
  return join(tempDir, 'running');
}

/** Clears what the task wrote before; undefined if it declares no outputs. */
function prepare({ task, globs }: TaskCall, { around: { outputs } }: Workbench): Writing | undefined {
  if (task.outputs.length > 0) {
    const prepared = outputs.prepare(task.name, globs.outputs, task.clean);
    const needed = globsOf(neededOf(task));
    return { capture: () => outputs.capture(prepared, needed), abandon: () => outputs.abandon(prepared) };
  }
  if (outputs.owned(task.name) !== undefined) outputs.discard(task.name);
  return undefined;
}

/** The work, which has failed if it takes longer than it may, or cannot go on. */
async function inTime(call: TaskCall, bench: Workbench, logFile: string, execution: Execution): Promise<Work> {
  const timeout = call.task.scheduling?.timeout;
  const deadline = new Deadline(execution.signal, timeout);
  try {
    const work = call.code === null ? command : callFunction;
    const worked = await work(call, bench, logFile, { ...execution, signal: deadline.signal });
    if (worked.kind !== 'aborted') return worked;
    const late = deadline.isOver ? `took longer than ${formatDuration(timeout ?? 0)} and was ended` : undefined;
    const fault = late ?? execution.fault?.();
    return fault === undefined ? worked : { kind: 'failed', failure: failure(fault) };
  } finally {
    deadline.close();
  }
}

async function command(call: TaskCall, bench: Workbench, logFile: string, execution: Execution): Promise<Work> {
  const { task } = call;
  if (task.body.kind !== 'command') throw new FlecheError('BUG', 'bug: a function task was run as a command');
  const { root } = bench.around;
  const result = await runCommand({
    command: task.body.command,
    stdin: stdinOf(task.body, root),
    cwd: toAbs(root, task.dir),
    logFile,
    runningDir: runningDir(bench),
    ...execution,
    env: { ...(execution.env ?? envOf(task, bench)), ...task.body.variables },
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

/** The environment that a task declares. */
export function envOf({ dir, env: declared, passEnv: passed }: Task, { around }: Workbench): Record<string, string> {
  const { root, env } = around;
  return commandEnv({ root, dir, env, declared, passed });
}

/** The bytes, or the file they are in. */
function stdinOf({ stdin }: CommandBody, root: AbsPath): CommandOptions['stdin'] {
  if (stdin === undefined) return undefined;
  return stdin.kind === 'text' ? { text: stdin.text } : { file: toAbs(root, stdin.path) };
}

async function callFunction(call: TaskCall, bench: Workbench, logFile: string, execution: Execution): Promise<Work> {
  const { task, code } = call;
  if (task.body.kind !== 'function' || code === null)
    throw new FlecheError('BUG', 'bug: a command was run as a function');
  const { root } = bench.around;
  const args = Object.fromEntries([...call.args].map(([name, found]) => [name, materialise(found, bench)]));
  const result = await runFunction({
    code,
    module: task.body.module,
    codeDir: bench.tempDir,
    export: task.body.export,
    args,
    context: { root, taskName: task.name, outDir: outDirOf(call, root) },
    logFile,
    ...execution,
    env: execution.env ?? envOf(task, bench),
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

/** The folder that has all outputs of a task, if there is one below the root. */
function outDirOf({ globs }: TaskCall, root: AbsPath): AbsPath | undefined {
  const { bases, literals } = globs.outputs;
  const [base] = bases;
  return base === undefined || base === '.' || bases.length > 1 || literals.length > 0 ? undefined : toAbs(root, base);
}

function unwritten(missing: readonly string[]): string {
  const what = `declared output${missing.length === 1 ? '' : 's'} ${missing.join(', ')}`;
  return `did not write its ${what}\n  Correct the command, or name what it need not write in optional_outputs.`;
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

/** When the work was done, ms since the epoch, and what it printed. */
export interface About {
  readonly started: number;
  readonly stopped: number;
  readonly log: Digest | null;
  /** The time that it takes as a whole, if only a part of it was done, ms. */
  readonly walltime?: number;
  /** How many items there are, for a task that is done for each of many. */
  readonly items?: number;
  /** When it is to be taken for filed, ms since the epoch; by default when it was done. */
  readonly filed?: number | undefined;
}

/** One answer in the making: the values are put first, then the record that names them. */
export class Answer {
  readonly #call: TaskCall;
  readonly #bench: Workbench;
  readonly #about: About;

  constructor(call: TaskCall, bench: Workbench, about: About) {
    this.#call = call;
    this.#bench = bench;
    this.#about = about;
  }

  async done(
    { value, note }: Pick<Worked, 'value' | 'note'>,
    outputs: Tree | null,
    changes: Execution['changed'],
    found?: Found,
  ): Promise<Executed> {
    const call = found?.kind === 'found' ? found.call : this.#call;
    const changed = await changes(found?.kind === 'found' ? found.changed : []);
    const isSound = changed.length === 0 && found?.kind !== 'unknown';
    const done = { kind: 'done', call, product: product(value, outputs), isSound, log: this.#about.log } as const;
    if (changed.length > 0) {
      const shown = changed.slice(0, 3).join(', ') + (changed.length > 3 ? ` and ${changed.length - 3} more` : '');
      return { ...done, warning: `${shown} changed while it ran, so the result is not kept` };
    }
    if (found?.kind === 'unknown') {
      const loss = call.task.cache ? 'the result is not kept' : 'changes of it are not noticed';
      return { ...done, warning: `${found.why}, so ${loss}` };
    }
    if (found?.kind === 'found') found.file();
    if (call.task.cache) {
      this.#file(call, null, value, outputs);
      if (found?.kind === 'found') found.share();
    }
    return { ...done, warning: note };
  }

  failed(why: Failure, found?: Found): Executed {
    const call = found?.kind === 'found' ? found.call : this.#call;
    if (this.#bench.calls.get(call.key)?.failure !== null) {
      if (found?.kind === 'found') found.file();
      if (call.task.cache) this.#file(call, why, null, null);
    }
    return { kind: 'failed', call, failure: why };
  }

  #file(call: TaskCall, why: Failure | null, result: StoredValue | null, outputs: Tree | null): void {
    const { task, parts, key, blobs } = call;
    const { values, calls, now } = this.#bench;
    const { started, stopped, log, walltime = stopped - started, items, filed = now() } = this.#about;
    for (const [blob, bytes] of blobs) values.put(blob, bytes());
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
      log,
      metadata: {
        runtime: { timestart: started, timestop: stopped, walltime },
        ...(items === undefined ? {} : { foreach: { items } }),
      },
      filed,
    };
    calls.put(record);
    this.#bench.shared?.push(record);
  }
}
