/** The work of one task: its command is run or its function called, what it printed goes to a file, and it may take too long. */
import type { Awaitable } from '../../base/awaitable.ts';
import { formatDuration } from '../../base/duration.ts';
import { FlecheError } from '../../base/errors.ts';
import { type Digest, sha256 } from '../../base/hash.ts';
import { type AbsPath, toAbs } from '../../base/paths.ts';
import type { LogListener } from '../../files/log-file.ts';
import type { Writing } from '../../files/outputs/written.ts';
import { FileRef, TreeRef } from '../../files/refs.ts';
import type { Failure, StoredValue } from '../../store/record.ts';
import type { FileValueStore } from '../../store/values.ts';
import { type CommandOptions, runCommand } from '../commands/command.ts';
import { Deadline } from '../commands/deadline.ts';
import { commandEnv } from '../commands/environment.ts';
import type { Discovery } from '../discovered/discovery.ts';
import { Encoded, runFunction } from '../functions/function.ts';
import type { FunctionThreads } from '../functions/function-threads.ts';
import type { FoundArg } from '../tasks/found-arg.ts';
import type { Task, TaskBody } from '../tasks/task.ts';
import type { TaskCall } from '../tasks/task-call.ts';
import type { Changes } from './answer.ts';
import { runningDir, type Workbench } from './workbench.ts';

export interface Execution {
  readonly signal: AbortSignal;
  /** Why the signal was aborted, if that is a failure of the task. */
  readonly fault?: () => string | undefined;
  /** Hears what is printed as it comes. */
  readonly onOutput?: LogListener;
  /** Hears what was printed once the work is over, whatever became of it. */
  readonly onPrinted?: (log: Iterable<Uint8Array>) => Awaitable<void>;
  /** Asked when it is done. */
  readonly changed: Changes;
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

/** The work, which has failed if it takes longer than it may, or cannot go on. */
export async function work(call: TaskCall, bench: Workbench, logFile: string, execution: Execution): Promise<Work> {
  const timeout = call.task.scheduling?.timeout;
  const deadline = new Deadline(execution.signal, timeout);
  try {
    const act = call.code === null ? command : callFunction;
    const worked = await act(call, bench, logFile, { ...execution, signal: deadline.signal });
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

/** A failure that is told in words. */
export function failure(message: string, exitCode: number | null = null): Failure {
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
        throw new FlecheError('STORE_CORRUPT', `the stored value ${found.blob.slice(0, 12)} is gone`, {
          hint: 'Run it again: what made the value makes it anew.',
        });
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
