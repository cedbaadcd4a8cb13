/** Rows of text as columns for a terminal. Pure. */
import type { Style } from './style.ts';
import { cut, harmless, padded, widthOf } from './text.ts';

interface Column {
  readonly title: string;
  /** Cells; longer texts are cut. */
  readonly most?: number;
  readonly right?: true;
}

/** A line for the titles and one a row, columns aligned. Control characters are spelt out. */
export function columnsText(columns: readonly Column[], rows: readonly (readonly string[])[], style: Style): string {
  const texts = rows.map((row) =>
    row.map((text, at) => cut(harmless(text), columns[at]?.most ?? Number.POSITIVE_INFINITY)),
  );
  const widths = columns.map(({ title }, at) =>
    Math.max(widthOf(title), ...texts.map((row) => widthOf(row[at] ?? ''))),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((text, at) => {
        const width = widths[at] ?? 0;
        return columns[at]?.right ? ' '.repeat(Math.max(0, width - widthOf(text))) + text : padded(text, width);
      })
      .join('  ')
      .trimEnd();
  return [style.bold(line(columns.map(({ title }) => title))), ...texts.map(line)].map((text) => `${text}\n`).join('');
}
