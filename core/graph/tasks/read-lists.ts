/** Which files a task reads, as far as its definition tells. Pure. */
import type { Task } from './task.ts';

/** The pattern lists whose matches a task reads; `inputs` is the one of its inputs. */
export function readLists({ body, foreach }: Task, inputs: readonly string[]): readonly (readonly string[])[] {
  const own = foreach?.of.kind === 'files' ? [inputs, foreach.of.patterns] : [inputs];
  if (body.kind === 'command') return body.stdin?.kind === 'file' ? [...own, [body.stdin.path]] : own;
  const args = Object.values(body.args);
  const lists = args.map((arg) => (arg.kind === 'file' ? [arg.path] : arg.kind === 'glob' ? arg.patterns : []));
  return [...own, ...lists];
}
