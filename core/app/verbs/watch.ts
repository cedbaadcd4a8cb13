/** `fleche watch`: brings tasks up to date, and again whenever something changes, until it is told to end. */
import { formatDuration } from '../../base/duration.ts';
import { FlecheError } from '../../base/errors.ts';
import { POLL_INTERVAL } from '../../files/watch/watcher.ts';
import type { CommandResult } from '../../graph/commands/command.ts';
import type { WatchEvent, WatchRound } from '../../graph/watch/watch-events.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { Invocation } from '../cli/invocation.ts';
import { showFailure } from '../cli/show-failure.ts';
import type { VerbContext } from '../cli/verb.ts';
import { parseJobs } from '../jobs.ts';
import { LineSplitter, Log } from '../reporters/lines.ts';
import { type WatchReporter, watchReporterFor, whyText } from '../reporters/watch.ts';
import { RoundHook } from '../round-hook.ts';
import { selectedTasks } from '../selection/selection.ts';
import { styleFor } from '../terminal/style.ts';
import { harmless, tameLine } from '../terminal/text.ts';
import { Watching } from '../watching.ts';

/** What a person can do while nothing happens, by key. */
const KEYS = 'r runs all, w says why, s shows all output, q quits';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

export async function watch(context: VerbContext): Promise<number> {
  const session = new Session(context);
  try {
    return await session.run();
  } finally {
    await session.close();
  }
}

class Session {
  readonly #context: VerbContext;
  readonly #reporter: WatchReporter;
  readonly #isJson: boolean;
  readonly #stopKeys: (() => void) | undefined;
  #watching: Watching | undefined;
  #hook: RoundHook | undefined;
  #last: WatchRound | undefined;
  #isTelling = false;
  #end: (fault?: { readonly error: unknown }) => void = () => {};

  constructor(context: VerbContext) {
    const { invocation, machine } = context;
    this.#context = context;
    this.#isJson = invocation.flag('json');
    this.#stopKeys = this.#isJson
      ? undefined
      : machine.keyboard?.listen({
          pressed: (key) => this.#pressed(key),
          suspended: () => this.#reporter.hide(),
          // More may have happened than the system remembers.
          resumed: () => this.#watching?.lookAgain(),
        });
    this.#reporter = watchReporterFor({
      invocation,
      machine,
      names: () => this.#watching?.names ?? [],
      help: this.#stopKeys === undefined ? '' : KEYS,
      showError: (error) => showFailure(error, machine, this.#isJson),
    });
  }

  /** Watches until there is an end, and resolves with the exit code. */
  async run(): Promise<number> {
    const { invocation, machine, open } = this.#context;
    const { clock, cpus, interruption } = machine;
    const ended = new Promise<{ readonly error: unknown } | undefined>((resolve) => {
      this.#end = resolve;
    });
    interruption.signal.addEventListener('abort', () => this.#end(), { once: true });
    const poll = pollInterval(invocation);
    parseJobs(invocation.text('jobs'), undefined, cpus);
    this.#watching = await Watching.begin({
      open: () => open((message) => this.#listen({ type: 'trouble', message })),
      targets: (project) => selectedTasks(invocation, project, machine),
      jobs: (project) => parseJobs(invocation.text('jobs'), project.jobs, cpus),
      poll,
      clock,
      listener: (event) => this.#listen(event),
    });
    this.#hook = this.#hookFor(this.#watching);
    const fault = await ended;
    if (fault !== undefined) throw fault.error;
    return interruption.code ?? (this.#last !== undefined && this.#last.summary.failed > 0 ? EXIT.failed : EXIT.done);
  }

  #listen(event: WatchEvent): unknown {
    if (event.type === 'round') this.#isTelling = true;
    const told = this.#reporter.listener(event);
    if (event.type === 'fault') this.#end({ error: event.error });
    if (event.type !== 'rested') return told;
    this.#isTelling = false;
    this.#last = event.round;
    const { failed, skipped } = event.round.summary;
    if (failed + skipped === 0) this.#hook?.run();
    return undefined;
  }

  #hookFor(watching: Watching): RoundHook | undefined {
    const { invocation, machine } = this.#context;
    const command = invocation.text('exec');
    if (command === undefined) return undefined;
    const { project } = watching;
    const lines = new LineSplitter();
    return new RoundHook({
      command,
      cwd: project.root,
      env: machine.env,
      tempDir: project.stores().tempDir,
      onOutput: (chunk) => this.#print(lines.push(chunk)),
      now: () => machine.clock.now(),
      onEnd: (result, ms) => {
        this.#print(lines.end());
        this.#executed(command, result, ms);
      },
    });
  }

  #executed(command: string, result: CommandResult, ms: number): void {
    this.#reporter.hide();
    const { stdout } = this.#context.machine;
    const { dim, red } = styleFor(stdout);
    const exitCode = result.kind === 'exited' ? result.exitCode : null;
    if (this.#isJson) stdout.write(`${JSON.stringify({ type: 'exec', command, exitCode })}\n`);
    else if (exitCode === 0) stdout.write(dim(`${harmless(command)} in ${formatDuration(ms)}\n`));
    else stdout.write(red(`${harmless(command)} ${endText(result)}\n`));
  }

  #print(lines: readonly string[]): void {
    const { stdout, stderr } = this.#context.machine;
    const terminal = this.#isJson ? stderr : stdout;
    if (lines.length > 0) this.#reporter.hide();
    for (const line of lines) terminal.write(`${tameLine(line, terminal.colors)}\n`);
  }

  /** Words for people wait until no round is being told. */
  #pressed(key: string): void {
    const { interruption, stdout } = this.#context.machine;
    const last = this.#last;
    if (key === CTRL_C) interruption.interrupt(EXIT.interrupted);
    else if (key === 'q' || key === CTRL_D) this.#end();
    else if (key === 'r') this.#watching?.force();
    else if (last !== undefined && !this.#isTelling && key === 'w') {
      stdout.write(`${whyText(last, styleFor(stdout))}\n`);
    } else if (last !== undefined && !this.#isTelling && key === 's') {
      this.#showOutput(last);
    }
  }

  /** What every wanted task printed when its answer was made. */
  #showOutput({ outcomes }: WatchRound): void {
    const { stdout } = this.#context.machine;
    const { bold, dim } = styleFor(stdout);
    for (const { name, key } of outcomes) {
      const printed = key === null ? undefined : this.#watching?.printed(key);
      stdout.write(`${bold(harmless(name))}${printed === undefined ? dim(' printed nothing') : ''}\n`);
      if (printed === undefined) continue;
      const log = new Log();
      for (const piece of printed) log.push(piece);
      stdout.write(
        log
          .end()
          .map((line) => `${dim('  │ ')}${tameLine(line, stdout.colors)}\n`)
          .join(''),
      );
    }
  }

  async close(): Promise<void> {
    this.#stopKeys?.();
    await this.#hook?.end();
    await this.#watching?.close();
    this.#reporter.close();
  }
}

function endText(result: CommandResult): string {
  switch (result.kind) {
    case 'exited':
      return `exited with code ${result.exitCode}`;
    case 'signaled':
      return `was ended by ${result.signal}`;
    case 'unstartable':
      return result.message;
    case 'aborted':
      return 'was ended';
  }
}

function pollInterval(invocation: Invocation): number | undefined {
  if (!invocation.flag('poll')) return undefined;
  const text = invocation.text('poll');
  if (text === undefined) return POLL_INTERVAL;
  const interval = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (interval > 0) return interval;
  throw new FlecheError('USAGE', `--poll: "${text}" is not a number of ms`, { hint: 'Write --poll=500, or --poll.' });
}
