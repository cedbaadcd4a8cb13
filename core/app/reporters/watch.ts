/** Shows a watch: for people and logs each round as a run of its own, for programs one JSON object a line. */
import type { RunEvent } from '../../graph/tasks/outcome.ts';
import type { Loop } from '../../graph/watch/loop-guard.ts';
import type { WatchEvent, WatchListener, WatchRound } from '../../graph/watch/watch-events.ts';
import type { Invocation } from '../cli/invocation.ts';
import type { Machine } from '../cli/verb.ts';
import { type Style, styleFor } from '../terminal/style.ts';
import { harmless } from '../terminal/text.ts';
import { reporterFor } from './choose.ts';
import { reasonText } from './reasons.ts';
import type { Reporter } from './reporter.ts';

/** Paths that the head of a round names. */
const MOST_PATHS = 3;
/** Reasons that are told of a task. */
const MOST_REASONS = 20;

export interface WatchReporter {
  readonly listener: WatchListener;
  /** Takes away what changes on the screen for a moment: others are about to write there. */
  hide(): void;
  /** Puts the terminal right. */
  close(): void;
}

interface WatchReporterOptions {
  readonly invocation: Invocation;
  readonly machine: Machine;
  /** The wanted tasks as they are now. */
  readonly names: () => readonly string[];
  /** What can be done while nothing happens, in a line. */
  readonly help: string;
  /** Shows what is wrong with the configuration. */
  readonly showError: (error: unknown) => void;
}

/** With `--json` standard output has JSON lines only, as in a run. */
export function watchReporterFor(options: WatchReporterOptions): WatchReporter {
  const rounds = new RoundReporter(options);
  if (!options.invocation.flag('json')) return rounds;
  const { stdout } = options.machine;
  return {
    listener(event) {
      // The summary of a round comes from the reporter of rounds, and is to come first.
      if (event.type === 'rested') void rounds.listener(event);
      const line = jsonOf(event);
      if (line !== undefined) void stdout.write(`${JSON.stringify(line)}\n`);
      return event.type === 'rested' ? undefined : rounds.listener(event);
    },
    hide: () => rounds.hide(),
    close: () => rounds.close(),
  };
}

/** What the JSON lines have beside those of the rounds, which a run has too. */
function jsonOf(event: WatchEvent): object | undefined {
  switch (event.type) {
    case 'round':
    case 'superseded':
    case 'watching':
    case 'trouble':
      return event;
    case 'task':
      return event.event.type === 'start' ? event.event : undefined;
    case 'loop':
      return { type: 'loop', loops: event.loops };
    case 'rested': {
      const { number, cause, paths, told, passes } = event.round;
      return { type: 'rested', number, cause, paths, told, passes };
    }
    default:
      return undefined;
  }
}

class RoundReporter implements WatchReporter {
  readonly #options: WatchReporterOptions;
  readonly #style: Style;
  #round: Reporter | undefined;
  /** Shows what services print between two rounds. */
  #between: Reporter | undefined;
  /** Services that are up, and stay. */
  readonly #staying = new Set<string>();

  constructor(options: WatchReporterOptions) {
    this.#options = options;
    this.#style = styleFor(this.#terminal);
  }

  /** Where words for people go. */
  get #terminal(): Machine['stdout'] {
    const { invocation, machine } = this.#options;
    return invocation.flag('json') ? machine.stderr : machine.stdout;
  }

  readonly listener = (event: WatchEvent): unknown => {
    const { dim, yellow } = this.#style;
    switch (event.type) {
      case 'round':
        return this.#begin(event.cause === 'change' ? pathsText(event.paths) : HEADS[event.cause]);
      case 'task':
        return this.#tell(event.event);
      case 'superseded':
        return this.#round?.drop(event.name);
      case 'rested':
        return this.#end(event.round);
      case 'watching':
        return this.#write(dim(`watching${this.#options.help === '' ? '' : `; ${this.#options.help}`}`));
      case 'loop':
        return this.#write(event.loops.map((loop) => `${yellow('!')} ${loopText(loop)}`).join('\n'));
      case 'trouble':
        return this.#write(`${yellow('!')} ${harmless(event.message)}`);
      case 'broken':
        this.hide();
        return this.#options.showError(event.error);
      case 'configuration':
      case 'fault':
        return;
    }
  };

  #begin(head: string): void {
    this.close();
    if (head !== '') this.#write(this.#style.bold(head));
    this.#round = this.#reporter();
  }

  #reporter(): Reporter {
    const { invocation, machine, names } = this.#options;
    const reporter = reporterFor(invocation, machine, 'run');
    reporter.listener({ type: 'plan', tasks: names(), isOpen: true, staying: this.#staying });
    return reporter;
  }

  #tell(event: RunEvent): unknown {
    if (event.type === 'start' && event.stays) this.#staying.add(event.name);
    if (this.#round === undefined) this.#between ??= this.#reporter();
    return (this.#round ?? this.#between)?.listener(event);
  }

  #end({ summary }: WatchRound): void {
    this.#round?.listener({ type: 'end', summary });
    this.close();
  }

  /** Goes above the lines of a round that change. */
  #write(line: string): void {
    this.hide();
    if (!this.#options.invocation.flag('json')) this.#terminal.write(`${line}\n`);
  }

  hide(): void {
    this.#round?.hide?.();
  }

  close(): void {
    this.#round?.close();
    this.#between?.close();
    this.#round = undefined;
    this.#between = undefined;
  }
}

const HEADS = { start: '', configuration: 'other configuration', request: 'run all', change: '' } as const;

function pathsText(paths: readonly string[]): string {
  const named = paths.slice(0, MOST_PATHS).map(harmless).join(', ');
  const more = paths.length - MOST_PATHS;
  return more > 0 ? `${named} and ${more} more` : named;
}

function loopText({ task, path, reader }: Loop): string {
  const who = reader === task ? 'which it reads itself' : `which "${harmless(reader)}" reads, that it needs`;
  return `task "${harmless(task)}" changes ${harmless(path)}, ${who}: left alone until something else changes`;
}

/** Why the tasks of a round ran, in lines. */
export function whyText({ told, outcomes }: WatchRound, style: Style): string {
  const lines = outcomes
    .filter(({ name, reasons }) => told.includes(name) && reasons.length > 0)
    .flatMap(({ name, outcome, reasons }) => [
      `${style.bold(harmless(name))} ${outcome}`,
      ...reasons.slice(0, MOST_REASONS).map((reason) => `  ${reasonText(reason)}`),
      ...(reasons.length > MOST_REASONS ? [`  and ${reasons.length - MOST_REASONS} more`] : []),
    ]);
  return lines.length === 0 ? 'nothing had to run' : lines.join('\n');
}
