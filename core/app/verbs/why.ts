/** `fleche why`: a task's question beside the nearest one that was answered before. */
import { formatDuration } from '../../base/duration.ts';
import type { WhyPart, WhyReport } from '../../graph/engine.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import { reasonsText, reasonText } from '../reporters/reasons.ts';
import { counted, nameWidth } from '../reporters/task-line.ts';
import { chosenTask } from '../selection/targets.ts';
import { type Style, styleFor } from '../terminal/style.ts';
import { harmless, padded, widthOf } from '../terminal/text.ts';

/** Reasons that are named one by one. */
const MOST_REASONS = 20;
/** Tasks that it begins with, named one by one. */
const MOST_CAUSES = 10;
/** Items that are named one by one. */
const MOST_ITEMS = 20;
const SHORT_DIGEST = 12;

export async function why(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const project = await context.open();
  try {
    const task = chosenTask(invocation.args[0] ?? '', project);
    const report = await project.engine().why(task, machine.interruption.signal);
    const text = invocation.flag('json')
      ? `${JSON.stringify({ type: 'why', ...report })}\n`
      : whyText(report, styleFor(machine.stdout), project.now());
    machine.stdout.write(text);
    return machine.interruption.code ?? EXIT.done;
  } finally {
    await project.close();
  }
}

const VERDICTS: Readonly<Record<WhyReport['verdict'], string>> = {
  cached: 'is cached: run would not run it',
  stale: 'would run',
  'never-ran': 'would run: it has never run here',
};

/** The comparison for a person; `now` is in ms since the epoch. */
export function whyText(report: WhyReport, style: Style, now: number): string {
  const { task, verdict, reasons, parts, nearest, key, message, causes } = report;
  const reasonLines = reasons.slice(0, MOST_REASONS).map((reason) => `  ${reasonText(reason)}`);
  if (reasons.length > MOST_REASONS) reasonLines.push(`  and ${reasons.length - MOST_REASONS} more`);
  const name = harmless(task);
  const lines = [
    `${style.bold(name)} ${message === null ? VERDICTS[verdict] : 'cannot run'}`,
    ...indented(message),
    ...reasonLines,
    ...causeLines(causes, style),
    ...itemLines(report, style),
    ...(nearest === null
      ? []
      : [
          '',
          style.dim(
            `compared with ${nearest.key.slice(0, SHORT_DIGEST)}, ${formatDuration(Math.max(0, now - nearest.filed))} ago`,
          ),
        ]),
    ...partLines(parts, nearest !== null, style),
    ...(key === null ? [] : ['', style.dim(`key ${key}`)]),
    ...(nearest === null ? [] : [style.dim(`the files it read: fleche lineage ${name}`)]),
  ];
  return `${lines.join('\n')}\n`;
}

/** What has to be done first for its own sake: the rest is only in between. */
function causeLines(causes: WhyReport['causes'], style: Style): readonly string[] {
  if (causes.length === 0) return [];
  const shown = causes.slice(0, MOST_CAUSES);
  return [
    '',
    'which begins with',
    ...shown.flatMap(({ name, reasons, message }) => [
      `  ${style.bold(harmless(name))}  ${style.dim(reasonsText(reasons))}`.trimEnd(),
      ...indented(message),
    ]),
    ...(causes.length > shown.length ? [`  and ${causes.length - shown.length} more`] : []),
  ];
}

function indented(message: string | null): readonly string[] {
  return message === null ? [] : message.split('\n').map((line) => `  ${harmless(line)}`);
}

/** The items that would run, with their reasons: as a rule few, and otherwise for the same reason. */
function itemLines({ items }: WhyReport, style: Style): readonly string[] {
  if (items === undefined || items.stale.length === 0) return [];
  const shown = items.stale.slice(0, MOST_ITEMS);
  const width = nameWidth(shown.map(({ name }) => name));
  const more = items.stale.length - shown.length;
  return [
    '',
    `${items.stale.length} of ${counted(items.total, 'item')} would run`,
    ...shown.map(({ name, reasons }) => `  ${padded(harmless(name), width)}  ${style.dim(reasonsText(reasons))}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function partLines(parts: readonly WhyPart[], compared: boolean, style: Style): readonly string[] {
  const width = Math.max(0, ...parts.map((part) => widthOf(harmless(part.name))));
  const short = (digest: string | null): string => digest?.slice(0, SHORT_DIGEST) ?? '(none)';
  return parts.map((part) => {
    const name = padded(harmless(part.name), width);
    if (!compared) return style.dim(`  ${name}  ${short(part.present)}`);
    if (part.state === 'same') return style.dim(`= ${name}  ${short(part.present)}`);
    const mark = part.state === 'added' ? '+' : part.state === 'removed' ? '-' : '~';
    return style.yellow(`${mark} ${name}  ${short(part.past)} → ${short(part.present)}`);
  });
}
