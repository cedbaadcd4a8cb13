/** The keys of a task as importers find them, in the order in which they are written. Pure. */
import { BASE_ENV } from '../../graph/commands/environment.ts';
import { TASK_KEYS } from '../config/schema/task-schema.ts';
import { brokenRule } from '../config/text/formats.ts';
import type { DraftKeys, DraftValue } from './draft.ts';

/** What a task of another tool is here, and what of it has no equal. */
export interface ImportedTask {
  /** Undefined where the script of the package is meant. */
  readonly run?: string | undefined;
  readonly needs: readonly string[];
  /** Undefined for everything in the folder of the task but what git ignores and other tasks write. */
  readonly inputs?: readonly string[] | undefined;
  readonly outputs: readonly string[];
  /** Outputs that it need not write. */
  readonly optional?: readonly string[];
  readonly env: readonly string[];
  readonly passEnv: readonly string[];
  readonly cache: boolean;
  readonly clean?: boolean;
  /** Whether it goes on until it is stopped. */
  readonly persistent?: boolean;
  /** Other keys. */
  readonly more?: DraftKeys;
  readonly comments: readonly string[];
}

/** One that says nothing of itself, and always runs. */
export const NOTHING: ImportedTask = { needs: [], outputs: [], env: [], passEnv: [], cache: false, comments: [] };

/** The keys of a task. */
export function keysOf(task: ImportedTask): DraftKeys {
  const { run, needs, inputs, outputs, optional = [], env, passEnv, cache, clean, persistent = false, more } = task;
  const isKept = cache && !persistent;
  return {
    run,
    needs: list(needs),
    // Without this key it is everything in the folder; what always runs need not look at anything before.
    inputs: isKept ? inputs : [],
    outputs: persistent ? undefined : list(outputs),
    optional_outputs: persistent ? undefined : list(optional),
    env: list(env),
    // What every command has need not be passed on; in the key it is only where it is named.
    pass_env: list(passEnv.filter((name) => !BASE_ENV.includes(name))),
    ...more,
    clean: clean === false ? false : undefined,
    cache: cache || persistent ? undefined : false,
    persistent: persistent || undefined,
  };
}

function list(texts: readonly string[]): readonly string[] | undefined {
  return texts.length === 0 ? undefined : [...new Set(texts)];
}

/** The keys that a task has to say where a template says what others share; a key that only the template has is undone. */
export function keysBeside(template: DraftKeys, own: DraftKeys): DraftKeys {
  const beside: Record<string, DraftValue> = {};
  for (const key of new Set([...Object.keys(template), ...Object.keys(own)])) {
    const value = own[key];
    if (JSON.stringify(value) === JSON.stringify(template[key])) continue;
    // What stays has no answer that could be kept.
    if (key === 'cache' && own['persistent'] === true) continue;
    beside[key] = value ?? standard(key);
  }
  return beside;
}

function standard(key: string): DraftValue {
  if (key === 'inputs') return ['@default'];
  const value = TASK_KEYS[key]?.default;
  return typeof value === 'boolean' ? value : [];
}

export interface Variables {
  readonly names: readonly string[];
  readonly comments: readonly string[];
}

/** Names of variables as they can be declared, and a comment for those that cannot. */
export function variables(names: readonly string[]): Variables {
  const usable = names.filter((name) => !name.startsWith('!') && brokenRule('variables', name) === undefined);
  const left = names.filter((name) => !usable.includes(name));
  return {
    names: usable,
    comments: left.length === 0 ? [] : [`No equal: environment variables ${left.join(', ')}.`],
  };
}

/** A remark about a command that uses what only npm sets. */
export function npmRemarks(command: string): readonly string[] {
  return /\bnpm_(?:package|config|lifecycle)_/.test(command)
    ? ['No equal: variables npm_…, which npm sets for scripts; declare what the command needs in env.']
    : [];
}
