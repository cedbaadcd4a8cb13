/** Which tasks are meant. */
import { FlecheError } from '../base/errors.ts';
import type { Project } from './project.ts';

/** Tasks that a hint names. */
const MOST_NAMES = 12;

/**
 * The named tasks, each once, else those of `[default] tasks`. Throws `CONFIG_UNKNOWN_TASK` for a name that is no task,
 * and `USAGE` if there is neither.
 */
export function chosenTasks(names: readonly string[], project: Pick<Project, 'graph' | 'defaults'>): readonly string[] {
  const chosen = [...new Set(names.length > 0 ? names : project.defaults)];
  if (chosen.length === 0) {
    const known = project.graph.names;
    const some = known.slice(0, MOST_NAMES).join(', ') + (known.length > MOST_NAMES ? ', …' : '');
    throw new FlecheError('USAGE', 'no task is named, and the configuration names no default', {
      hint:
        known.length === 0
          ? 'Define a task in fleche.config.toml first.'
          : `Name one, or set tasks in [default]: ${some}.`,
    });
  }
  for (const name of chosen) project.graph.task(name);
  return chosen;
}
