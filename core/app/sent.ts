/** The end of a run that shares its answers. */

import type { Machine } from './cli/verb.ts';
import type { Project } from './project.ts';
import { counted } from './reporters/task-line.ts';
import { styleFor } from './terminal/style.ts';

/** Waits for answers that are still on their way to shared caches, unless somebody wants an end. */
export async function answersSent(project: Project, { stderr, interruption }: Machine): Promise<void> {
  const shared = project.shared();
  const pending = shared?.pending ?? 0;
  if (shared === undefined || pending === 0) return;
  const { signal } = interruption;
  if (stderr.isTTY) stderr.write(styleFor(stderr).dim(`sending ${counted(pending, 'answer')} to be shared\n`));
  const interrupted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  if (!signal.aborted) await Promise.race([shared.sent(), interrupted]);
}
