/**
 * Tells of a run in the log of a CI job: a folded group for each task that ran, a line for each that was answered, and at
 * the end, unfolded, what failed, with notes beside the log as far as the service shows them. Or line by line as it comes,
 * or only what failed. The name of a task is never a command to the service, and neither is what tasks print.
 */
import type { Awaitable } from '../../base/awaitable.ts';
import type { RunEvent, TaskOutcome } from '../../graph/tasks/outcome.ts';
import { Log } from '../reporters/lines.ts';
import type { LogMode, Reporter } from '../reporters/reporter.ts';
import { Streams } from '../reporters/streams.ts';
import { type NameColumn, nameColumn, outcomeLine, summaryLine } from '../reporters/task-line.ts';
import { type Style, styleFor } from '../terminal/style.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { harmless, tameLine } from '../terminal/text.ts';
import type { Markup, Note } from './markup.ts';

interface CiReporterOptions {
  readonly log: LogMode;
  readonly markup: Markup;
  /** Unforeseeable text. */
  readonly secret: string;
  /** Where a task is defined, relative to the repository. */
  readonly place: (task: string) => Note['at'];
}

export class CiReporter implements Reporter {
  readonly #terminal: Terminal;
  readonly #style: Style;
  readonly #options: CiReporterOptions;
  readonly #streams: Streams;
  readonly #logs = new Map<string, Log>();
  readonly #failures: { readonly outcome: TaskOutcome; readonly lines: readonly string[] }[] = [];
  readonly #warnings: Note[] = [];
  readonly #tails = new Map<string, readonly string[]>();
  #groups = 0;
  #isOver = false;
  #column: NameColumn = { width: 0, cuts: false };

  constructor(terminal: Terminal, options: CiReporterOptions) {
    this.#terminal = terminal;
    this.#style = styleFor(terminal);
    this.#streams = new Streams(this.#style, terminal.colors, (lines) => this.#guarded(lines));
    this.#options = options;
  }

  /** The last lines that a task printed, if it ran. */
  tail(task: string): readonly string[] {
    return this.#tails.get(task) ?? [];
  }

  readonly listener = (event: RunEvent): Awaitable<void> => {
    switch (event.type) {
      case 'plan':
        this.#column = nameColumn(event.tasks, this.#terminal);
        this.#streams.begin(event.tasks, this.#column);
        break;
      case 'start':
        break;
      case 'output':
        if (event.replayed) break;
        this.#log(event.name).push(event.chunk);
        if (this.#options.log === 'stream') return this.#streams.push(event.name, event.chunk);
        break;
      case 'retry':
        this.#warn(event.name, `attempt ${event.attempt} of ${event.attempts} ${event.message}`);
        break;
      case 'warning':
        this.#warn(event.name, event.message);
        break;
      case 'done':
        this.#done(event.outcome);
        break;
      case 'end':
        this.#end();
        this.#line(summaryLine(event.summary, this.#style, 'run'));
        break;
    }
  };

  drop(name: string): void {
    this.#streams.end(name);
    this.#logs.delete(name);
  }

  close(): void {
    this.#streams.close();
    this.#logs.clear();
  }

  #log(name: string): Log {
    const log = this.#logs.get(name) ?? new Log();
    this.#logs.set(name, log);
    return log;
  }

  #warn(name: string | null, message: string): void {
    const note: Note = { level: 'warning', title: name ?? 'fleche', message };
    if (this.#isOver) this.#notes([note]);
    else this.#warnings.push(note);
    const about = name === null ? '' : `${harmless(name)}: `;
    this.#line(`${this.#style.yellow('!')} ${this.#options.markup.plain(`${about}${harmless(message)}`)}`);
  }

  #done(outcome: TaskOutcome): void {
    const { name } = outcome;
    const lines = (this.#logs.get(name)?.end() ?? []).map((line) => tameLine(line, this.#terminal.colors));
    this.#logs.delete(name);
    if (lines.length > 0) this.#tails.set(name, lines.slice(-TAIL));
    if (outcome.outcome === 'failed') this.#failures.push({ outcome, lines });
    const { markup, log } = this.#options;
    this.#streams.end(name);
    if (log === 'quiet' && outcome.outcome !== 'failed') return;
    const title = markup.plain(outcomeLine(outcome, this.#style, 'run', this.#column));
    if (outcome.outcome !== 'ran' || lines.length === 0 || log === 'stream') {
      this.#line(title);
      return;
    }
    const id = ++this.#groups;
    this.#line(markup.open(title, id) ?? title);
    this.#guarded(lines);
    const close = markup.close(id);
    if (close !== undefined) this.#line(close);
  }

  /** Failures last, where one looks first. */
  #end(): void {
    this.#isOver = true;
    for (const { outcome, lines } of this.#failures) {
      this.#line('');
      this.#line(this.#style.red(`${harmless(outcome.name)} failed`));
      this.#guarded(lines);
    }
    if (this.#failures.length > 0) this.#line('');
    const errors = this.#failures.map(({ outcome, lines }): Note => this.#noteOf(outcome, lines));
    for (const notes of [errors, this.#warnings]) this.#notes(notes);
  }

  #noteOf({ name, message }: TaskOutcome, lines: readonly string[]): Note {
    const last = lines.slice(-NOTE_LINES).join('\n').slice(-NOTE_LENGTH);
    return {
      level: 'error',
      title: `${name} ${(message ?? 'failed').split('\n')[0]}`,
      message: last === '' ? (message ?? 'it failed') : tameLines(last),
      at: this.#options.place(name),
    };
  }

  /** As many as the service shows; the last of them counts the rest. */
  #notes(notes: readonly Note[]): void {
    const { markup } = this.#options;
    const fits = notes.length <= markup.most ? notes : notes.slice(0, Math.max(0, markup.most - 1));
    const rest = notes.slice(fits.length);
    const [first] = rest;
    const all =
      first === undefined || markup.most === 0
        ? fits
        : [
            ...fits,
            {
              ...first,
              title: `${rest.length} more`,
              message: rest.map(({ title }) => title).join('\n'),
              at: undefined,
            },
          ];
    for (const note of all) {
      const line = markup.note(note);
      if (line !== undefined) this.#line(line);
    }
  }

  #guarded(lines: readonly string[]): Awaitable<void> {
    if (lines.length === 0) return;
    const { markup, secret } = this.#options;
    return this.#line(markup.guarded(lines, secret).join('\n'));
  }

  #line(text: string): Awaitable<void> {
    return this.#terminal.write(`${text}\n`);
  }
}

/** Lines of a task's output that are kept for reports. */
const TAIL = 100;
/** Lines of a task's output in a note beside the log. */
const NOTE_LINES = 10;
/** The most of it, in UTF-16 units: services cut what is far longer, or drop it. */
const NOTE_LENGTH = 4000;

function tameLines(text: string): string {
  return text
    .split('\n')
    .map((line) => tameLine(line, false))
    .join('\n');
}
