/** Terminals and clocks that are only looked at. */
import type { Terminal } from '../../core/app/terminal/terminal.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ACTIONS = /(\n|\u001b\[\d*[AJ])/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UP = /^\u001b\[(\d+)A$/;

/** Keeps what is written; `screen` is what a person would see of it. */
export class FakeTerminal implements Terminal {
  columns: number;
  rows: number;
  readonly isTTY: boolean;
  readonly colors: boolean;
  readonly writes: string[] = [];

  constructor({ columns = 80, rows = 24, isTTY = false, colors = false }: Partial<Terminal> = {}) {
    this.columns = columns;
    this.rows = rows;
    this.isTTY = isTTY;
    this.colors = colors;
  }

  write(text: string): void {
    this.writes.push(text);
  }

  get text(): string {
    return this.writes.join('');
  }

  /** The lines on the screen, for text that uses line feeds, `cursor up` and `erase below` alone. */
  get screen(): readonly string[] {
    const rows: string[] = [''];
    for (const piece of this.text.split(ACTIONS)) {
      const up = UP.exec(piece);
      if (piece === '\n') rows.push('');
      else if (up !== null) rows.length = rows.length - Number(up[1]);
      else if (piece === '\u001b[0J') rows[rows.length - 1] = '';
      else rows[rows.length - 1] += piece;
    }
    return rows.slice(0, -1);
  }
}
