/** A command that is run after every round in which nothing failed. A newer round ends it, and it begins again. */
import { join } from 'node:path';
import type { AbsPath } from '../base/paths.ts';
import { removeLog } from '../files/log-file.ts';
import { type CommandResult, runCommand } from '../graph/commands/command.ts';
import { runningDir } from '../graph/round/workbench.ts';
import type { Environment } from './terminal/style.ts';

interface RoundHookOptions {
  readonly command: string;
  /** The folder it runs in. */
  readonly cwd: AbsPath;
  readonly env: Environment;
  /** For its log, and the note that it runs. */
  readonly tempDir: AbsPath;
  /** ms since some moment. */
  readonly now: () => number;
  /** Receives what it prints while it comes. */
  readonly onOutput: (chunk: Uint8Array) => void;
  /** Told how it ended after how many ms, unless a newer round or `end` ended it. */
  readonly onEnd: (result: CommandResult, ms: number) => void;
}

export class RoundHook {
  readonly #options: RoundHookOptions;
  #controller: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: RoundHookOptions) {
    this.#options = options;
  }

  /** Runs it, once the run before is over. */
  run(): void {
    this.#controller?.abort();
    const controller = new AbortController();
    this.#controller = controller;
    this.#running = this.#running.then(() => this.#run(controller.signal));
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { command, cwd, env, tempDir, now, onOutput, onEnd } = this.#options;
    const started = now();
    const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const logFile = join(tempDir, `exec-${process.pid}.log`);
    try {
      const result = await runCommand({
        command,
        cwd,
        env: Object.fromEntries(set),
        logFile,
        runningDir: runningDir({ tempDir }),
        signal,
        onOutput,
      });
      if (result.kind !== 'aborted') onEnd(result, now() - started);
    } finally {
      removeLog(logFile);
    }
  }

  /** Ends it. */
  async end(): Promise<void> {
    this.#controller?.abort();
    await this.#running;
  }
}
