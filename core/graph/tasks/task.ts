/** What a task is: a definition, complete and normalised, as the configuration or a plugin gives it. Plain data. */
import type { SourcePosition } from '../../base/errors.ts';
import type { RelPath } from '../../base/paths.ts';

/** Where an argument of a function task comes from. */
export type TaskArg =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'from'; readonly task: string }
  | { readonly kind: 'file'; readonly path: RelPath }
  | { readonly kind: 'glob'; readonly patterns: readonly string[] }
  | { readonly kind: 'env'; readonly name: string; readonly default: string | undefined }
  | { readonly kind: 'digest'; readonly prefix: string };

/** What a command reads from its standard input. */
export type Stdin =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly path: RelPath };

/** What a task does: a shell command, or an exported function of a module. */
export type TaskBody =
  | {
      readonly kind: 'command';
      readonly command: string;
      readonly stdin?: Stdin;
      /** Of an item: what it is, for the command; not declared, for it is a part of the question. */
      readonly variables?: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'function';
      readonly module: RelPath;
      readonly export: string;
      /** Argument name to source, in the order of the configuration; the function receives them as one object. */
      readonly args: Readonly<Record<string, TaskArg>>;
    };

/** That a task is done once for each of many items, each of them its own call. */
export interface Foreach {
  readonly of:
    | { readonly kind: 'files'; readonly patterns: readonly string[] }
    /** The elements of what a task returned, or the files that it wrote. `isNeeded`: every item depends on the whole of it too. */
    | { readonly kind: 'from'; readonly task: string; readonly isNeeded: boolean }
    | { readonly kind: 'values'; readonly values: readonly unknown[] };
  /** The outputs of one item, with placeholders; `outputs` of the task cover those of all items. */
  readonly outputs: readonly string[];
  readonly at: SourcePosition;
}

/** How a task tells which files it read beside its declared inputs: in a file, or (`null`) in what it prints. */
export interface Discovered {
  /** Rules for make, a metafile of esbuild, a list of paths, or the output of TypeScript's `--listFiles`. */
  readonly form: 'depfile' | 'metafile' | 'list' | 'tsc';
  readonly file: RelPath | null;
}

/** When and how often a task runs. Nothing of it is part of the key. */
export interface Scheduling {
  /** How many of the jobs it takes, at least 1. */
  readonly weight: number;
  /** What it takes of a group besides; `size` is what there is of that, by default one for each job. */
  readonly limit?: { readonly group: string; readonly slots: number; readonly size: number | undefined };
  /** How often it is tried again after it failed. */
  readonly retries: number;
  /** Time until it is tried again, ms; twice as long before each further try. */
  readonly retryDelay: number;
  /** Time after which it is ended and has failed, ms. */
  readonly timeout?: number;
}

/** When a service may be used. */
export interface Readiness {
  readonly when:
    | { readonly kind: 'port'; readonly port: number }
    | { readonly kind: 'log'; readonly text: string }
    | { readonly kind: 'command'; readonly command: string };
  /** Time after which it has failed if it is not ready by then, ms. */
  readonly timeout: number;
}

/** The packages that code of one package of a workspace can load. */
export interface Installed {
  /** The package's folder, by which the lock file knows it. */
  readonly folder: RelPath;
  /** A line for the package and each one of the workspace: its name and, after a tab, what stands for its manifest. */
  readonly manifests: string;
}

/** That a task reads all there is in some folders, but what git ignores and what tasks write that it does not need. */
export interface WholeFolders {
  readonly folders: readonly RelPath[];
  /** How many of the task's input patterns say so. */
  readonly patterns: number;
}

/** A task. All paths and globs are relative to the project root. */
export interface Task {
  readonly name: string;
  readonly body: TaskBody;
  /** Folder the command runs in. */
  readonly dir: RelPath;
  /** Tasks that must be done before; their outputs' digests join the fingerprint. Those of `from` arguments are included. */
  readonly needs: readonly string[];
  /** Ordered patterns; `!` takes away, a later pattern wins. */
  readonly inputs: readonly string[];
  /** Set if `inputs` begin with everything in some folders. */
  readonly whole?: WholeFolders;
  readonly outputs: readonly string[];
  /** The last of `outputs`: those that it need not write. */
  readonly optional?: readonly string[];
  readonly foreach?: Foreach;
  /** Beside `inputs`; without it the declared inputs are all that the task reads. */
  readonly discovered?: Discovered;
  /** Environment variables that are keyed and passed on; a trailing `*` is a wildcard. */
  readonly env: readonly string[];
  /** Environment variables that are passed on without being keyed. */
  readonly passEnv: readonly string[];
  /** npm packages whose installed version joins the key. */
  readonly tools: readonly string[];
  /** What can be loaded of packages, which joins the key. */
  readonly installed?: Installed;
  /** Whether earlier outputs of the task are removed before it runs. */
  readonly clean: boolean;
  /** Whether answers are looked up and filed. */
  readonly cache: boolean;
  /** An older answer is not served, ms; without it answers never grow old. Never part of the key. */
  readonly staleAfter?: number;
  readonly scheduling?: Scheduling;
  /** Says that the command stays until it is ended: it is there while tasks run that need it. Without outputs. */
  readonly service?: { readonly ready: Readiness | undefined };
  /** What the task is for, in a line, for people. */
  readonly description?: string;
  /** Where the task is defined. */
  readonly at: SourcePosition;
}

/** The outputs that a task has to write. */
export function neededOf({ outputs, optional = [] }: Task): readonly string[] {
  return optional.length === 0 ? outputs : outputs.slice(0, -optional.length);
}
