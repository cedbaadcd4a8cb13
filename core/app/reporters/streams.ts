/** What tasks print, line by line while they run, each line behind the name of its task. */
import type { Awaitable } from '../../base/awaitable.ts';
import type { Style } from '../terminal/style.ts';
import { tameLine } from '../terminal/text.ts';
import { LineSplitter } from './lines.ts';
import { inColumn, type NameColumn } from './task-line.ts';

export class Streams {
  readonly #style: Style;
  readonly #colors: boolean;
  readonly #show: (lines: readonly string[]) => Awaitable<void>;
  readonly #splitters = new Map<string, LineSplitter>();
  #order = new Map<string, number>();
  #column: NameColumn = { width: 0, cuts: false };

  /** `colors`: whether tasks may colour what they print. */
  constructor(style: Style, colors: boolean, show: (lines: readonly string[]) => Awaitable<void>) {
    this.#style = style;
    this.#colors = colors;
    this.#show = show;
  }

  /** Says which tasks there will be. */
  begin(tasks: readonly string[], column: NameColumn): void {
    this.#order = new Map(tasks.map((name, index) => [name, index]));
    this.#column = column;
  }

  /** What `show` gives back. */
  push(name: string, chunk: Uint8Array): Awaitable<void> {
    const splitter = this.#splitters.get(name) ?? new LineSplitter();
    this.#splitters.set(name, splitter);
    return this.#write(name, splitter.push(chunk));
  }

  /** Shows what is left of a task whose last line did not end. */
  end(name: string): void {
    void this.#write(name, this.#splitters.get(name)?.end() ?? []);
    this.#splitters.delete(name);
  }

  close(): void {
    for (const name of [...this.#splitters.keys()]) this.end(name);
  }

  #write(name: string, lines: readonly string[]): Awaitable<void> {
    if (lines.length === 0) return;
    const prefix = this.#style.hue(this.#order.get(name) ?? 0, `${inColumn(name, this.#column)} │ `);
    return this.#show(lines.map((line) => prefix + tameLine(line, this.#colors)));
  }
}
