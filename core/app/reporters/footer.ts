/**
 * A terminal with lines at its bottom that change: what is written goes above them and stays. Redraws at most ten times
 * a second, and gathers what is written in between. Uses the normal screen; leaves nothing behind.
 */
import type { Awaitable } from '../../base/awaitable.ts';
import type { Clock } from '../../base/clock.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { cut, widthOf } from '../terminal/text.ts';

const INTERVAL = 100;
/** What is written above is not held back any longer from this length on. */
const MUCH = 1 << 18;

export class Footer implements Terminal {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #render: (most: number) => readonly string[];
  /** The lines that are on the screen. */
  #shown: readonly string[] = [];
  #above = '';
  #last: number;
  #cancel: (() => void) | undefined;
  #open = true;

  /**
   * `render` gives the lines to show at the moment, no more than `most`, without line breaks and control characters; none
   * hides the footer.
   */
  constructor(terminal: Terminal, clock: Clock, render: (most: number) => readonly string[]) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#render = render;
    // Nothing flashes up for what is over at once.
    this.#last = clock.now();
  }

  get columns(): number {
    return this.#terminal.columns;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  get isTTY(): boolean {
    return this.#terminal.isTTY;
  }

  get colors(): boolean {
    return this.#terminal.colors;
  }

  /** Writes whole lines above the footer. */
  write(text: string): Awaitable<void> {
    if (!this.#open) return this.#terminal.write(text);
    this.#above += text;
    if (this.#above.length < MUCH) return this.refresh();
    this.#cancel?.();
    this.#cancel = undefined;
    return this.#draw(this.#lines());
  }

  /** Says that `render` may have something new to show. */
  refresh(): void {
    if (!this.#open || this.#cancel !== undefined) return;
    const wait = this.#last + INTERVAL - this.#clock.now();
    if (wait <= 0) this.#draw(this.#lines());
    else this.#wait(wait);
  }

  /** Takes the footer off the screen until it is drawn again, so that others can write. */
  hide(): void {
    if (!this.#open || this.#shown.length === 0) return;
    this.#cancel?.();
    this.#draw([]);
    this.#wait(INTERVAL);
  }

  /** Erases the footer for good and writes what is still held back. */
  close(): void {
    if (!this.#open) return;
    this.#cancel?.();
    this.#draw([]);
    this.#open = false;
  }

  #wait(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = undefined;
      this.#draw(this.#lines());
    });
  }

  /** What has gone off the screen cannot be erased, and the cursor has a line of its own. */
  #lines(): readonly string[] {
    return this.#render(Math.max(1, this.#terminal.rows - 1));
  }

  #draw(lines: readonly string[]): Awaitable<void> {
    const width = this.#terminal.columns - 1;
    const shown = lines.map((line) => cut(line, width));
    this.#last = this.#clock.now();
    let told: Awaitable<void> | undefined;
    if (this.#above !== '' || shown.join('\n') !== this.#shown.join('\n')) {
      const footer = shown.map((line) => `${line}\n`).join('');
      told = this.#terminal.write(`${this.#erasure()}${this.#above}${footer}`);
      this.#above = '';
      this.#shown = shown;
    }
    if (shown.length > 0 && this.#cancel === undefined) this.#wait(INTERVAL);
    return told;
  }

  /** Back to where the footer begins, and away with it. Lines that a narrower window has wrapped count as several. */
  #erasure(): string {
    const { columns } = this.#terminal;
    const rows = this.#shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
    return rows === 0 ? '' : `\u001b[${rows}A\u001b[0J`;
  }
}
