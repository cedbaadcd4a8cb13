/**
 * What a target depends on, with what that depends on in turn as far as it is of the same project: a key of Nx folds in
 * everything upstream. Pure.
 */
import { type Table, tableOf } from '../../base/table.ts';
import type { Project } from './nx-projects.ts';
import type { Targets } from './nx-targets.ts';

interface TargetNeeds {
  readonly names: readonly string[];
  /** Whether what projects below make is among them. */
  readonly upward: boolean;
  readonly comments: readonly string[];
}

export function needsOf(project: Project, definition: Table, targets: Targets): TargetNeeds {
  const names = new Set<string>();
  const missing: string[] = [];
  const seen = new Set<string>();
  const rest = meantBy(definition['dependsOn'], project, targets);
  for (const need of rest) {
    if (seen.has(need)) continue;
    seen.add(need);
    if (need.startsWith('^')) {
      if (targets.isTaskAnywhere(need.slice(1))) names.add(need);
    } else if (need.includes('#')) {
      if (targets.isTaskNamed(need)) names.add(need);
      else missing.push(need);
    } else if (targets.isTask(project, need)) {
      names.add(need);
      rest.push(...meantBy(targets.definition(project, need)['dependsOn'], project, targets));
    } else if (project.targets[need] !== undefined) missing.push(need);
  }
  const below = [...names].filter((need) => need.startsWith('^'));
  for (const need of below) {
    for (const other of project.implicit) {
      const found = targets.project(other);
      if (found !== undefined && targets.isTask(found, need.slice(1)))
        names.add(`${found.packageName}#${need.slice(1)}`);
    }
  }
  const comments = missing.length === 0 ? [] : [`Left out, for it has no equal: ${missing.join(', ')}.`];
  return { names: [...names], upward: below.length > 0, comments };
}

/** The needs that `dependsOn` names, in words of this project. */
function meantBy(written: unknown, project: Project, targets: Targets): string[] {
  return Array.isArray(written) ? written.flatMap((one) => meant(one, project, targets)) : [];
}

function meant(written: unknown, project: Project, targets: Targets): readonly string[] {
  const nameOf = (owner: string, target: string): string => {
    const found = targets.project(owner);
    return found === project ? target : `${found?.packageName ?? owner}#${target}`;
  };
  if (typeof written === 'string') {
    const [owner = '', target] = written.split(':');
    if (target === undefined || written.startsWith('^') || targets.project(owner) === undefined) return [written];
    return [nameOf(owner, target)];
  }
  const { target, projects, dependencies } = tableOf(written);
  if (typeof target !== 'string') return [];
  if (dependencies === true || projects === 'dependencies') return [`^${target}`];
  if (projects === undefined || projects === 'self') return [target];
  return [projects].flat().map((one) => nameOf(String(one), target));
}
