/** What came to light of what a task read in one run, and what is to be done with it. */
import type { RelPath } from '../../base/paths.ts';
import type { TaskCall } from '../tasks/task-call.ts';
import { fileList, type ListDesk, type PathList } from './lists.ts';
import { shareList } from './shared-lists.ts';

/** `unknown`: it cannot be told what the task read; why, as a sentence without a full stop. */
export type Found =
  | {
      readonly kind: 'found';
      /** The question as it is to be filed. */
      readonly call: TaskCall;
      /** Paths that were not what they are now all the time. */
      readonly changed: readonly RelPath[];
      /** To be called when the answer is filed. */
      readonly file: () => void;
      /** To be called when the answer is shared. */
      readonly share: () => void;
    }
  | { readonly kind: 'unknown'; readonly why: string };

/** `list` is what was read, `call` the question that it completed. */
export function found(call: TaskCall, list: PathList, changed: readonly RelPath[], desk: ListDesk): Found {
  const declared = call.declared ?? call;
  const { name } = call.task;
  return {
    kind: 'found',
    call,
    changed,
    file: () => {
      // What is known of the paths of items is kept by their task.
      if (call.whole === undefined) desk.around.workspace.named.retain(name, list);
      fileList(declared, list, desk);
    },
    share: () => {
      if (desk.shared !== undefined) shareList(declared, list, desk, desk.shared);
    },
  };
}
