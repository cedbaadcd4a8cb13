/** Task definitions with defaults filled in, as the configuration gives them. */
import type { RelPath } from '../../core/base/paths.ts';
import type { Task } from '../../core/graph/tasks/task.ts';

export function commandTask(name: string, command: string, over: Partial<Task> = {}): Task {
  return {
    name,
    body: { kind: 'command', command },
    dir: '.' as RelPath,
    needs: [],
    inputs: [],
    outputs: [],
    env: [],
    passEnv: [],
    tools: [],
    clean: true,
    cache: true,
    at: { file: 'fleche.config.toml', line: 1, column: 1 },
    ...over,
  };
}

export function taskMap(...tasks: readonly Task[]): ReadonlyMap<string, Task> {
  return new Map(tasks.map((task) => [task.name, task]));
}
