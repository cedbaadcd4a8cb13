/** For a person who watches: what the plain reporter prints, above a footer with what is running at the moment. */
import type { Clock } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import type { ItemCounts, RunEvent } from '../../graph/tasks/outcome.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { Footer } from './footer.ts';
import { PlainReporter } from './plain.ts';
import type { LogMode, Reporter } from './reporter.ts';
import { counted, inColumn, nameColumn } from './task-line.ts';

/** Running tasks that are named; of more only the number is told. */
const MOST_ROWS = 8;

export function liveReporter(terminal: Terminal, clock: Clock, log: LogMode): Reporter {
  const progress = new Progress(terminal, clock);
  const footer = new Footer(terminal, clock, (most) => progress.lines(most));
  const plain = new PlainReporter(footer, { log, mode: 'run', summary: true });
  return {
    listener(event) {
      progress.listener(event);
      if (event.type === 'end') footer.close();
      const told = plain.listener(event);
      if (event.type === 'start' || event.type === 'done') footer.refresh();
      return told;
    },
    drop(name) {
      progress.drop(name);
      plain.drop(name);
    },
    hide: () => footer.hide(),
    close() {
      plain.close();
      footer.close();
    },
  };
}

/** Which tasks are running since when, and how many are over. */
class Progress {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #running = new Map<string, number>();
  readonly #items = new Map<string, ItemCounts>();
  readonly #done = new Set<string>();
  /** How many tasks there are, if each of them will be told of. */
  #total: number | undefined;

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal;
    this.#clock = clock;
  }

  listener(event: RunEvent): void {
    if (event.type === 'plan') this.#total = event.isOpen ? undefined : event.tasks.length;
    else if (event.type === 'start') {
      this.#running.set(event.name, this.#clock.now());
      // In a watch it may have been done before in the same round.
      this.#done.delete(event.name);
    } else if (event.type === 'progress') this.#items.set(event.name, event.items);
    else if (event.type === 'done') {
      this.drop(event.outcome.name);
      this.#done.add(event.outcome.name);
    }
  }

  drop(name: string): void {
    this.#running.delete(name);
    this.#items.delete(name);
  }

  /** The running tasks and a line of numbers, in no more than `most` lines, at least 1. */
  lines(most: number): readonly string[] {
    if (this.#running.size === 0) return [];
    const now = this.#clock.now();
    const shown = [...this.#running].slice(0, Math.min(MOST_ROWS, most - 1));
    const column = nameColumn(
      shown.map(([name]) => name),
      this.#terminal,
    );
    const more = this.#running.size - shown.length;
    return [
      ...shown.map(
        ([name, since]) => `… ${inColumn(name, column)}  ${formatDuration(now - since)}${this.#progress(name)}`,
      ),
      `${this.#done.size}${this.#total === undefined ? '' : `/${this.#total}`} done, ${this.#running.size} running${more > 0 ? `, ${more} not shown` : ''}`,
    ];
  }

  #progress(name: string): string {
    const items = this.#items.get(name);
    return items === undefined ? '' : `  ${items.total - items.skipped}/${counted(items.total, 'item')}`;
  }
}
