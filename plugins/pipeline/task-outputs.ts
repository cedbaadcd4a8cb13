/**
 * Outputs of tasks for bundlers: runs or restores the tasks that are imported, one run after the other, each task once
 * for a build. Knows nothing of bundlers. What it gives is valid until `renew` is called, or until something that
 * `concerns` it changes.
 */
import { join } from 'node:path';
import { FlecheError, type Made, type Run, run } from '../../core/index.ts';
import { Machine, workingFolder } from '../machine.ts';
import { chosenFile, parseImport, type TaskImport } from './task-import.ts';
import { declarations, writeText } from './task-types.ts';

export interface PipelineOptions {
  /** The project of the tasks is the nearest one around this folder; by default around the bundler's. */
  readonly cwd?: string;
  /** Where declarations of what is imported are written, relative to the bundler's folder; false: nowhere. */
  readonly types?: string | false;
}

/** What an import stands for. */
export interface Output {
  /** The file, absolute; undefined for what a function returned. */
  readonly file: string | undefined;
  readonly value: unknown;
  readonly task: string;
}

const TYPES = 'fleche-env.d.ts';

export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #machine = new Machine();
  /** The folder of the bundler. */
  #folder: string;
  /** What is under way or done for each task since the last `renew`. */
  #runs = new Map<string, Promise<Run>>();
  /** The last run of each task that was ever imported. */
  readonly #latest = new Map<string, Run>();
  readonly #imports = new Map<string, TaskImport>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#folder = workingFolder();
  }

  /** Says where the bundler is. */
  settle(folder: string): void {
    this.#folder = folder;
  }

  /** Tasks are to be asked again when they are next imported. */
  renew(): void {
    this.#runs = new Map();
  }

  /** What an import stands for, with its task up to date. Throws `TASK_FAILED`, and what is wrong with import or project. */
  async output(source: string): Promise<Output> {
    const asked = parseImport(source);
    this.#imports.set(source, asked);
    return this.#outputOf(asked);
  }

  async #outputOf(asked: TaskImport): Promise<Output> {
    const { task, path } = asked;
    const { made, root } = await this.#run(task);
    // What was wanted comes after all that it needs.
    const own = made.get(task) ?? [...made.values()].at(-1);
    if (own === undefined) throw new FlecheError('TASK_FAILED', `the task "${task}" was not run to its end`);
    if (path !== undefined) return { file: chosenFile(asked, own.files, root), value: undefined, task };
    if (own.isFunction) return { file: undefined, value: own.value, task };
    throw new FlecheError('USAGE', `"${asked.source}" stands for what a function returns, but "${task}" is a command`, {
      hint: `Name one of its outputs: fleche:${task}/file.`,
    });
  }

  #run(task: string): Promise<Run> {
    const known = this.#runs.get(task);
    if (known !== undefined) return known;
    const running = this.#last.then(() => this.#runNow(task));
    this.#runs.set(task, running);
    this.#last = running.catch((error: unknown) => {
      // Nothing is known of when it would go better.
      if (!this.#latest.has(task) || !isFailure(error)) this.#runs.delete(task);
    });
    return running;
  }

  async #runNow(task: string): Promise<Run> {
    const printed: Buffer[] = [];
    const done = await run({
      tasks: [task],
      cwd: this.#options.cwd ?? this.#folder,
      onEvent: (event) => {
        if (event.type === 'output' && !event.replayed) printed.push(Buffer.from(event.chunk));
        if (event.type === 'warning') process.emitWarning(event.message, 'FlecheWarning');
      },
    });
    this.#latest.set(task, done);
    const failed = done.outcomes.find(({ outcome }) => outcome === 'failed');
    if (failed !== undefined) {
      const text = Buffer.concat(printed).toString('utf8').trim();
      const exit = failed.exitCode === null ? '' : ` with exit code ${failed.exitCode}`;
      throw new FlecheError(
        'TASK_FAILED',
        [`the task "${failed.name}" failed${exit}`, failed.message, text].filter(Boolean).join('\n'),
      );
    }
    this.#declare();
    return done;
  }

  #declare(): void {
    const { types = TYPES } = this.#options;
    if (types === false) return;
    const all = new Map<string, Made>([...this.#latest.values()].flatMap(({ made }) => [...made]));
    const [first] = this.#latest.values();
    try {
      writeText(join(this.#folder, types), declarations(all, first?.root ?? this.#folder, this.#folder));
    } catch (error) {
      process.emitWarning(`${types} cannot be written: ${String(error)}`, 'FlecheWarning');
    }
  }

  /** Files and folders on which what was imported depends, also if a task failed. */
  get watched(): { readonly files: readonly string[]; readonly folders: readonly string[] } {
    const reads = [...this.#latest.values()].map(({ reads }) => reads);
    return {
      files: [...new Set(reads.flatMap(({ files }) => files))],
      folders: [...new Set(reads.flatMap(({ folders }) => folders))],
    };
  }

  /** The folder of the project, once it is known. */
  get root(): string | undefined {
    return [...this.#latest.values()][0]?.root;
  }

  concerns(path: string): boolean {
    return [...this.#latest.values()].some(({ reads }) => reads.concerns(path));
  }

  /** Brings everything that was imported up to date. Throws as `output`, after everything was tried. */
  async refresh(): Promise<void> {
    this.renew();
    const ends = await Promise.allSettled([...this.#imports.values()].map((asked) => this.#outputOf(asked)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** What each import stands for now, told by digests of contents; one whose task failed is left out. */
  async state(): Promise<ReadonlyMap<string, Output & { readonly digest: string }>> {
    const found = new Map<string, Output & { readonly digest: string }>();
    for (const [source, asked] of this.#imports) {
      const output = await this.#outputOf(asked).catch(() => undefined);
      if (output === undefined) continue;
      const digest = output.file === undefined ? JSON.stringify(output.value) : this.#machine.content(output.file);
      found.set(source, { ...output, digest: digest ?? '' });
    }
    return found;
  }
}

function isFailure(error: unknown): boolean {
  return error instanceof FlecheError && error.code === 'TASK_FAILED';
}

/** A module for what a function returned. Throws `USAGE` for what is no JSON. */
export function valueText({ value, task }: Output): string {
  const text = JSON.stringify(value);
  if (text !== undefined) return text;
  throw new FlecheError('USAGE', `what "${task}" returns cannot be imported: it is no JSON`, {
    hint: 'Let it return plain data, or import a file that it writes.',
  });
}
