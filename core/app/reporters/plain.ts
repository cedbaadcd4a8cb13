/**
 * For people and for logs: one line a task when it is over, with what it printed below it, or line by line while it
 * runs; a closing line last. Lines are never changed after they were written.
 */
import type { Awaitable } from '../../base/awaitable.ts';
import { formatDuration } from '../../base/duration.ts';
import type { RunEvent, TaskOutcome } from '../../graph/tasks/outcome.ts';
import { type Style, styleFor } from '../terminal/style.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { harmless, tameLine } from '../terminal/text.ts';
import { Log } from './lines.ts';
import type { LogMode, Reporter, ReportMode } from './reporter.ts';
import { Streams } from './streams.ts';
import { type NameColumn, nameColumn, outcomeLine, summaryLine } from './task-line.ts';

interface PlainOptions {
  readonly log: LogMode;
  readonly mode: ReportMode;
  /** Whether the closing line is wanted. */
  readonly summary: boolean;
}

export class PlainReporter implements Reporter {
  readonly #terminal: Terminal;
  readonly #style: Style;
  readonly #options: PlainOptions;
  readonly #logs = new Map<string, Log>();
  readonly #streams: Streams;
  /** Tasks whose end nobody waits for: what they print is shown as it comes. */
  readonly #staying = new Set<string>();
  #column: NameColumn = { width: 0, cuts: false };
  /** Tasks that failed before the last line that was written. */
  readonly #buried = new Set<string>();
  #last: string | undefined;

  constructor(terminal: Terminal, options: PlainOptions) {
    this.#terminal = terminal;
    this.#style = styleFor(terminal);
    const show = (lines: readonly string[]): Awaitable<void> =>
      terminal.write(lines.map((line) => `${line}\n`).join(''));
    this.#streams = new Streams(this.#style, terminal.colors, show);
    this.#options = options;
  }

  readonly listener = (event: RunEvent): Awaitable<void> => {
    switch (event.type) {
      case 'plan':
        this.#column = nameColumn(event.tasks, this.#terminal);
        this.#streams.begin(event.tasks, this.#column);
        for (const name of event.staying ?? []) this.#stay(name);
        break;
      case 'start':
        if (event.stays) this.#stay(event.name);
        break;
      case 'output':
        return this.#output(event.name, event.chunk);
      case 'retry':
        this.#retry(event);
        break;
      case 'warning':
        this.#warning(event.name, event.message);
        break;
      case 'done':
        this.#done(event.outcome);
        break;
      case 'end':
        this.#end();
        if (this.#options.summary) {
          this.#terminal.write(`${summaryLine(event.summary, this.#style, this.#options.mode)}\n`);
        }
        break;
    }
  };

  #stay(name: string): void {
    if (this.#options.log === 'grouped') this.#staying.add(name);
  }

  drop(name: string): void {
    this.#streams.end(name);
    this.#logs.delete(name);
  }

  /** Shows what tasks printed that never got to their end. */
  close(): void {
    this.#streams.close();
  }

  #output(name: string, chunk: Uint8Array): Awaitable<void> {
    if (this.#options.log === 'stream' || this.#staying.has(name)) return this.#streams.push(name, chunk);
    const log = this.#logs.get(name) ?? new Log();
    this.#logs.set(name, log);
    log.push(chunk);
  }

  #warning(name: string | null, message: string): void {
    const about = name === null ? '' : `${harmless(name)}: `;
    const text = message.split('\n').map(harmless).join('\n  ');
    this.#terminal.write(`${this.#style.yellow('!')} ${about}${text}\n`);
  }

  /** A failed attempt, with what it printed; the next one begins with an empty page. */
  #retry({ name, attempt, attempts, message, ms }: Extract<RunEvent, { readonly type: 'retry' }>): void {
    const said = `attempt ${attempt} of ${attempts} ${message}; again in ${formatDuration(ms)}`;
    this.#terminal.write(
      `${this.#style.yellow('↻')} ${harmless(name)}: ${said.split('\n').map(harmless).join('\n  ')}\n`,
    );
    this.#streams.end(name);
    this.#terminal.write(this.#barred(this.#take(name)));
  }

  /** What a task printed, as lines; forgets it. */
  #take(name: string): readonly string[] {
    const lines = this.#logs.get(name)?.end() ?? [];
    this.#logs.delete(name);
    return lines;
  }

  #barred(lines: readonly string[]): string {
    const bar = this.#style.dim('  │ ');
    return lines.map((line) => `${bar}${tameLine(line, this.#terminal.colors)}\n`).join('');
  }

  #done(outcome: TaskOutcome): void {
    const { log, mode } = this.#options;
    const failed = outcome.outcome === 'failed';
    this.#streams.end(outcome.name);
    const lines = this.#take(outcome.name);
    // In a watch a task can have failed before in the same round.
    this.#buried.delete(outcome.name);
    if (log === 'quiet' && !failed) return;
    const shown = isSaidIn(lines, outcome) ? { ...outcome, message: null } : outcome;
    this.#terminal.write(`${outcomeLine(shown, this.#style, mode, this.#column)}\n${this.#barred(lines)}`);
    this.#last = outcome.name;
    if (failed) this.#buried.add(outcome.name);
  }

  /** Names the failures again where their own lines are no longer the last that can be seen. */
  #end(): void {
    const names = [...this.#buried];
    if (names.length === 0 || (names.length === 1 && names[0] === this.#last)) return;
    const { red } = this.#style;
    this.#terminal.write(`${red(`failed: ${names.map(harmless).join(', ')}`)}\n`);
  }
}

/** Whether the lines below say the message anyway, as an error that a function threw is printed with its place. */
function isSaidIn(lines: readonly string[], { message }: TaskOutcome): boolean {
  const [first = ''] = message?.split('\n') ?? [];
  return first !== '' && lines.some((line) => line.trimEnd().endsWith(first));
}
