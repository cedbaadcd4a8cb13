/** What became of a job, as a page in Markdown: what failed, what ran and why, what was saved. Pure. */
import { formatDuration } from '../../base/duration.ts';
import type { RunReport, TaskOutcome } from '../../graph/tasks/outcome.ts';
import { reasonsText } from '../reporters/reasons.ts';
import { harmless } from '../terminal/text.ts';

/** GitHub refuses a summary of 1 MiB as a whole, bytes. */
const LONGEST = 1_000_000;
const ORDER = ['failed', 'ran', 'skipped', 'cached'] as const;
const MARKS = { failed: '❌', ran: '✅', skipped: '⏭️', cached: '💾' } as const;

/** `heading`: what the job was, in words; `cache`: the state of the cache, in a sentence. */
export function jobSummary({ outcomes, summary }: RunReport, heading: string, cache: string): string {
  const { ran, cached, failed, skipped, ms, saved } = summary;
  const answered = ran + cached === 0 ? '' : ` · ${Math.round((100 * cached) / (ran + cached))} % from the cache`;
  const head = [
    `### ${cell(heading)}`,
    '',
    `**${failed} failed · ${ran} ran · ${cached} cached · ${skipped} skipped**${answered} · ${formatDuration(ms)}, saved ${formatDuration(saved)}`,
    '',
    cell(cache),
    '',
    '| | task | outcome | time | why |',
    '| --- | --- | --- | ---: | --- |',
    '',
  ].join('\n');
  const sorted = ORDER.flatMap((kind) => outcomes.filter(({ outcome }) => outcome === kind));
  const parts = [head];
  let size = Buffer.byteLength(head);
  for (const [at, outcome] of sorted.entries()) {
    const row = rowOf(outcome);
    size += Buffer.byteLength(row);
    if (size > LONGEST) {
      parts.push(`\n${sorted.length - at} more tasks.\n`);
      break;
    }
    parts.push(row);
  }
  return parts.join('');
}

function rowOf(outcome: TaskOutcome): string {
  const { name, outcome: kind, ms, message, reasons } = outcome;
  const why = [kind === 'failed' ? (message?.split('\n')[0] ?? '') : '', reasonsText(reasons)].filter(
    (part) => part !== '',
  );
  const time = kind === 'ran' || kind === 'failed' ? formatDuration(ms) : '';
  return `| ${MARKS[kind]} | \`${code(name)}\` | ${kind} | ${time} | ${cell(why.join('; '))} |\n`;
}

/** Text between backticks that stays in its cell: there, a backslash means nothing before anything but a bar. */
function code(text: string): string {
  return harmless(text.replace(/\s+/g, ' ')).replaceAll('`', "'").replaceAll('|', '\\|');
}

/** Text that stays in its cell and is nothing but text. */
function cell(text: string): string {
  return harmless(text.replace(/\s+/g, ' ')).replace(/[\\|<>[\]*_]/g, (char) => (char === '<' ? '&lt;' : `\\${char}`));
}
