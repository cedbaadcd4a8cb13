/** How one outcome, and a whole run, is said in a line. Pure. */
import { formatDuration } from '../../base/duration.ts';
import type { OutcomeKind, RunSummary, TaskOutcome } from '../../graph/tasks/outcome.ts';
import type { Style } from '../terminal/style.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { harmless, padded, squeezed, widthOf } from '../terminal/text.ts';
import { reasonsText } from './reasons.ts';
import type { ReportMode } from './reporter.ts';

const MARKS: Readonly<Record<OutcomeKind, string>> = { ran: '✓', cached: '=', failed: '✗', skipped: '-' };
/** Names longer than this do not widen the column of all the others. */
const WIDEST_NAME = 40;
const NARROWEST = 12;
const TIME_WIDTH = 6;

/** The width of the column of names. */
export function nameWidth(names: readonly string[], most: number = WIDEST_NAME): number {
  return names.reduce((widest, name) => Math.min(most, Math.max(widest, widthOf(harmless(name)))), 0);
}

/** The column of names. Longer ones are cut on a screen, and not in a log, where they are searched for. */
export interface NameColumn {
  readonly width: number;
  readonly cuts: boolean;
}

/** A column for these names that leaves half of the screen to what is said of them. */
export function nameColumn(names: readonly string[], { isTTY, columns }: Screen): NameColumn {
  const most = Math.max(NARROWEST, Math.floor(columns / 2));
  return { width: nameWidth(names, isTTY ? most : WIDEST_NAME), cuts: isTTY };
}

type Screen = Pick<Terminal, 'isTTY' | 'columns'>;

/** A name as it stands in its column. */
export function inColumn(name: string, { width, cuts }: NameColumn): string {
  const text = harmless(name);
  return padded(cuts ? squeezed(text, width) : text, width);
}

function word(outcome: OutcomeKind, mode: ReportMode): string {
  return mode === 'plan' && outcome === 'ran' ? 'would run' : outcome;
}

/** Mark, name, outcome, time and what there is to say about it; more lines if the message has them. No line break at the end. */
export function outcomeLine(outcome: TaskOutcome, style: Style, mode: ReportMode, column: NameColumn): string {
  const kind = outcome.outcome;
  const look = lookOf(kind, style);
  const time = mode === 'plan' || kind === 'skipped' ? '' : formatDuration(outcome.ms);
  const [first = '', ...more] = detail(outcome);
  const columns = [
    // The name of a failure is the one that is needed whole.
    look(`${MARKS[kind]} ${inColumn(outcome.name, kind === 'failed' ? { ...column, cuts: false } : column)}`),
    look(padded(word(kind, mode), mode === 'plan' ? 9 : 7)),
    ...(mode === 'plan' ? [] : [style.dim(time.padStart(TIME_WIDTH))]),
    kind === 'failed' ? first : style.dim(first),
  ];
  const line = columns.join('  ').trimEnd();
  return [line, ...more.map((text) => `    ${text}`)].join('\n');
}

function lookOf(kind: OutcomeKind, style: Style): (text: string) => string {
  if (kind === 'ran') return style.green;
  return kind === 'failed' ? style.red : style.dim;
}

function detail(outcome: TaskOutcome): readonly string[] {
  const reasons = reasonsText(outcome.reasons);
  switch (outcome.outcome) {
    case 'cached':
      return [
        [
          outcome.shared === undefined ? '' : `from ${harmless(outcome.shared)}`,
          itemsText(outcome),
          outcome.restored === 0 ? '' : `${counted(outcome.restored, 'output')} put right`,
        ]
          .filter((text) => text !== '')
          .join(', '),
      ];
    case 'failed': {
      const [first = '', ...more] = (outcome.message ?? '').split('\n').map(harmless);
      if (reasons === '') return [first, ...more];
      // What leads to the lines below stays at the end of its line.
      return [
        first.endsWith(':') ? `${first.slice(0, -1)}; ${reasons}:` : [first, reasons].filter(Boolean).join('; '),
        ...more,
      ];
    }
    case 'ran':
    case 'skipped':
      return [[itemsText(outcome), reasons].filter((text) => text !== '').join(', ')];
  }
}

/** `3 items`, or `1 of 3 items` where it was not all of them; empty for a task without. */
function itemsText({ items }: TaskOutcome): string {
  if (items === undefined) return '';
  const all = counted(items.total, 'item');
  return items.ran === 0 || items.ran === items.total ? all : `${items.ran} of ${all}`;
}

/** `1 output`, `2 outputs`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** What became of all tasks, in one line, such as `1 ran, 3 cached in 1.2s, saved 4.5s`. */
export function summaryLine(summary: RunSummary, style: Style, mode: ReportMode): string {
  const kinds: readonly OutcomeKind[] = ['failed', 'ran', 'cached', 'skipped'];
  const counts = kinds
    .filter((kind) => summary[kind] > 0)
    .map((kind) => {
      const shared = kind === 'cached' && summary.shared !== undefined ? ` (${summary.shared} shared)` : '';
      const text = `${summary[kind]} ${word(kind, mode)}${shared}`;
      return kind === 'failed' ? style.red(text) : kind === 'ran' ? style.green(text) : text;
    });
  const done = counts.length === 0 ? 'nothing to do' : counts.join(', ');
  if (mode === 'plan') return done;
  const saved = summary.saved >= 1 ? `, saved ${formatDuration(summary.saved)}` : '';
  return `${done} ${style.dim(`in ${formatDuration(summary.ms)}${saved}`)}`;
}
