/** Verbs called on a project in a folder. */
import { realpathSync } from 'node:fs';
import { parseInvocation } from '../../../core/app/cli/invocation.ts';
import type { VerbAction } from '../../../core/app/cli/verb.ts';
import { VERBS } from '../../../core/app/cli/verbs.ts';
import { fakeMachine } from '../_machine.ts';
import type { Scratch } from '../_scratch.ts';

/** What a verb prints. */
export async function told(action: VerbAction, scratch: Scratch, ...argv: readonly string[]): Promise<string> {
  const machine = fakeMachine({ cwd: realpathSync(scratch.root) });
  const open = async (): Promise<ReturnType<Scratch['open']>> => scratch.open({ cwd: realpathSync(scratch.root) });
  await action({ invocation: parseInvocation(argv, VERBS), machine, open });
  return machine.stdout.text;
}

/** The error that a verb ends with, with its hint. */
export async function fault(action: VerbAction, scratch: Scratch, ...argv: readonly string[]): Promise<string> {
  return told(action, scratch, ...argv).then(
    () => 'nothing',
    (error: Error & { readonly hint?: string }) => `${error.message} | ${error.hint ?? ''}`,
  );
}
