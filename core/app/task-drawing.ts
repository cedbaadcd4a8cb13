/** Tasks and their needs in the languages of programs. Pure; tasks come in the order in which they could run. */
import type { Task } from '../graph/tasks/task.ts';

/** For Graphviz; arrows point from a task to what needs it, as the work flows. */
export function graphDot(tasks: readonly Task[]): string {
  const quote = (text: string): string =>
    `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
  const nodes = tasks.map(({ name }) => `  ${quote(name)};\n`);
  const edges = edgesOf(tasks).map(([from, to]) => `  ${quote(from)} -> ${quote(to)};\n`);
  return `digraph fleche {\n  rankdir=LR;\n  node [shape=box];\n${nodes.join('')}${edges.join('')}}\n`;
}

/** For Mermaid, as GitHub and GitLab show it. */
export function graphMermaid(tasks: readonly Task[]): string {
  const ids = new Map(tasks.map(({ name }, index) => [name, `t${index}`]));
  const nodes = tasks.map(({ name }) => `  ${ids.get(name)}["${mermaidText(name)}"]\n`);
  const edges = edgesOf(tasks).map(([from, to]) => `  ${ids.get(from)} --> ${ids.get(to)}\n`);
  return `graph LR\n${nodes.join('')}${edges.join('')}`;
}

function mermaidText(text: string): string {
  return text.replace(/[^\w :./-]/gu, (char) => `#${char.codePointAt(0)};`);
}

/** One object with all tasks. */
export function graphJson(tasks: readonly Task[]): string {
  const plain = tasks.map(({ name, body, dir, needs, inputs, outputs, foreach, env, tools }) => {
    const does = body.kind === 'command' ? { run: body.command } : { call: `${body.module}#${body.export}` };
    const each = foreach === undefined ? {} : { foreach: foreach.of, outputs: foreach.outputs };
    return { name, ...does, dir, needs, inputs, outputs, env, tools, ...each };
  });
  return `${JSON.stringify({ type: 'graph', tasks: plain })}\n`;
}

/** Pairs of a need and the task that needs it; needs that are not among the tasks are left out. */
function edgesOf(tasks: readonly Task[]): readonly (readonly [from: string, to: string])[] {
  const names = new Set(tasks.map(({ name }) => name));
  return tasks.flatMap(({ name, needs }) =>
    needs.filter((need) => names.has(need)).map((need) => [need, name] as const),
  );
}
