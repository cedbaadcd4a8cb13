/** The needs of tasks as an indented tree. Pure. */
import type { Style } from './terminal/style.ts';
import { harmless } from './terminal/text.ts';

interface Row {
  readonly name: string;
  /** What stands before the branch of this row: the lines of rows further up. */
  readonly indent: string;
  readonly branch: '' | '├─ ' | '└─ ';
}

/**
 * One line for every way from a top to a need, but what a task needs is shown where it appears first; later it only
 * says so. The needs must have no cycle. Ends with a line break, unless there is nothing.
 */
export function graphTree(tops: readonly string[], needs: (name: string) => readonly string[], style: Style): string {
  const shown = new Set<string>();
  const lines: string[] = [];
  const open: Row[] = tops.toReversed().map((name) => ({ name, indent: '', branch: '' }));
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    const { name, indent, branch } = row;
    const below = needs(name);
    const repeated = shown.has(name) && below.length > 0;
    shown.add(name);
    const label = branch === '' ? style.bold(harmless(name)) : harmless(name);
    lines.push(`${style.dim(indent + branch)}${label}${repeated ? style.dim(' (above)') : ''}\n`);
    if (repeated) continue;
    const deeper = indent + (branch === '' ? '' : branch === '└─ ' ? '   ' : '│  ');
    for (let at = below.length - 1; at >= 0; at--) {
      open.push({ name: below[at] ?? '', indent: deeper, branch: at === below.length - 1 ? '└─ ' : '├─ ' });
    }
  }
  return lines.join('');
}
