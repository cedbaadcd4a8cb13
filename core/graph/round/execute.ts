/**
 * Does the work of one task and files the answer: clears what it wrote before, runs its command or function, captures
 * what it wrote and printed.
 */
import { join } from 'node:path';
import { globsOf } from '../../files/globs/globs.ts';
import { isEmptyLog, piecesOfLog, removeLog } from '../../files/log-file.ts';
import type { Writing } from '../../files/outputs/written.ts';
import type { Tree } from '../../files/trees/tree.ts';
import { neededOf } from '../tasks/task.ts';
import type { TaskCall } from '../tasks/task-call.ts';
import { Answer, type Executed } from './answer.ts';
import { type Execution, failure, work } from './work.ts';
import type { Workbench } from './workbench.ts';

/** The caller has claimed the task. Throws what goes wrong with the workspace: `OUTPUT_…`, `CONFIG_OVERLAP`. */
export async function execute(call: TaskCall, bench: Workbench, execution: Execution): Promise<Executed> {
  const started = bench.now();
  const logFile = join(bench.tempDir, `${call.key.slice(0, 16)}-${process.pid}.log`);
  const writing = execution.writing === undefined ? prepare(call, bench) : execution.writing();
  try {
    const worked = await work(call, bench, logFile, execution);
    const stopped = bench.now();
    if (worked.kind === 'worked') await execution.onWorked?.();
    else writing?.abandon();
    if (worked.kind === 'aborted') return worked;
    const log = isEmptyLog(logFile) ? null : bench.values.putFile(logFile).digest;
    const answer = new Answer(call, bench, { started, stopped, log });
    if (worked.kind === 'failed') return answer.failed(worked.failure, execution.discovery?.afterFailure(logFile));
    const finish = (tree: Tree | null): Promise<Executed> =>
      answer.done(worked, tree, execution.changed, execution.discovery?.finish(tree, logFile));
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
    await execution.onPrinted?.(piecesOfLog(logFile));
    removeLog(logFile);
  }
}

/** Clears what the task wrote before; undefined if it declares no outputs. */
function prepare({ task, globs }: TaskCall, { around: { outputs } }: Workbench): Writing | undefined {
  if (task.outputs.length > 0) {
    const prepared = outputs.prepare(task.name, globs.outputs, task.clean);
    const needed = globsOf(neededOf(task));
    return { capture: () => outputs.capture(prepared, needed), abandon: () => outputs.abandon(prepared) };
  }
  if (outputs.owners.owned(task.name) !== undefined) outputs.discard(task.name);
  return undefined;
}

function unwritten(missing: readonly string[]): string {
  const what = `declared output${missing.length === 1 ? '' : 's'} ${missing.join(', ')}`;
  return `did not write its ${what}\n  Correct the command, or name what it need not write in optional_outputs.`;
}
