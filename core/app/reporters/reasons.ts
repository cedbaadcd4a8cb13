/** Reasons in words. The only place that knows how a cause is said. */
import { formatDuration } from '../../base/duration.ts';
import { unreachable } from '../../base/errors.ts';
import type { Reason } from '../../graph/tasks/outcome.ts';
import { harmless } from '../terminal/text.ts';

const CHANGES = { added: 'is new', removed: 'is gone', changed: 'changed', mode: 'changed its mode' } as const;

/** One reason as a short sentence without a full stop, such as `src/a.ts changed`. */
export function reasonText(reason: Reason): string {
  switch (reason.kind) {
    case 'first':
      return 'first run';
    case 'forced':
      return 'forced';
    case 'uncached':
      return 'never cached';
    case 'file':
      return `${harmless(reason.path)} ${CHANGES[reason.change]}`;
    case 'env':
      return `${harmless(reason.name)} ${CHANGES[reason.change]}`;
    case 'argument':
      return `argument ${harmless(reason.name)} ${CHANGES[reason.change]}`;
    case 'upstream':
      return upstreamText(harmless(reason.task), reason.change);
    case 'tool':
      return versionText(reason.name, reason);
    case 'runtime':
      return versionText('runtime', reason);
    case 'command':
      return 'command changed';
    case 'code':
      return 'code changed';
    case 'option':
      return `${harmless(reason.name)} changed`;
    case 'failed-before':
      return 'failed before';
    case 'expired':
      return Number.isFinite(reason.age) ? `last run ${formatDuration(reason.age)} ago` : 'last run at an unknown time';
    case 'lost':
      return `${harmless(reason.what)} is missing from the cache`;
    case 'needed':
      return `${harmless(reason.task)} needs it`;
    case 'pending':
      return `needs ${harmless(reason.task)}`;
    default:
      return unreachable(reason);
  }
}

function upstreamText(task: string, change: 'added' | 'removed' | 'changed'): string {
  if (change === 'changed') return `${task} made other output`;
  return change === 'added' ? `needs ${task} now` : `no longer needs ${task}`;
}

function versionText(name: string, { from, to }: { readonly from: string | null; readonly to: string | null }): string {
  const subject = harmless(name);
  if (from !== null && to !== null) return `${subject} changed from ${harmless(from)} to ${harmless(to)}`;
  if (to !== null) return `${subject} ${harmless(to)} is new`;
  return from === null ? `${subject} changed` : `${subject} ${harmless(from)} is gone`;
}

/** Reasons as one line: the first `shown` of them, then how many more there are. */
export function reasonsText(reasons: readonly Reason[], shown = 3): string {
  const texts = reasons.slice(0, shown).map(reasonText);
  const more = reasons.length - texts.length;
  return more > 0 ? `${texts.join(', ')} and ${more} more` : texts.join(', ');
}
