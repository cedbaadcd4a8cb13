/** `fleche graph`: which task needs which, for people and for programs that draw. */
import type { TaskGraph } from '../../graph/tasks/graph.ts';
import type { Task } from '../../graph/tasks/task.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import { selectedOfAll } from '../selection/selection.ts';
import { graphDot, graphJson, graphMermaid } from '../task-drawing.ts';
import { graphTree } from '../task-tree.ts';
import { styleFor } from '../terminal/style.ts';

const FORMATS = ['text', 'dot', 'mermaid', 'json'] as const;

export async function graph(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const format = invocation.flag('json') ? 'json' : (invocation.choice('format', FORMATS) ?? 'text');
  const project = await context.open();
  try {
    const { graph } = project;
    const names = await selectedOfAll(invocation, project, machine);
    const tops = invocation.args.length > 0 ? names : finalTasks(graph, names);
    const tasks = graph.closure(tops).map((name) => graph.task(name));
    machine.stdout.write(drawing(format, tasks, tops));
    return EXIT.done;
  } finally {
    await project.close();
  }

  function drawing(format: (typeof FORMATS)[number], tasks: readonly Task[], tops: readonly string[]): string {
    switch (format) {
      case 'text':
        return graphTree(tops, (name) => project.graph.task(name).needs, styleFor(machine.stdout));
      case 'dot':
        return graphDot(tasks);
      case 'mermaid':
        return graphMermaid(tasks);
      case 'json':
        return graphJson(tasks);
    }
  }
}

/** Those of the tasks that none of them needs, in their order. */
function finalTasks(graph: TaskGraph, names: readonly string[]): readonly string[] {
  const needed = new Set(names.flatMap((name) => graph.task(name).needs));
  return names.filter((name) => !needed.has(name));
}
