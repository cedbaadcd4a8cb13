/**
 * Globs whose steps are text, `*` between two texts, or `**`: matched by comparing text, step by step. Most globs are of
 * this kind, and compiling a regular expression costs more than all the paths that a pattern is asked about. Means
 * exactly what picomatch means by them with dotfiles; knows nothing of other globs.
 */

/** Asks whether a path is matched or lies below what is, and whether a folder lies on the way to that or below it. */
export interface GlobTests {
  readonly test: (path: string) => boolean;
  readonly leads: (folder: string) => boolean;
}

type Step =
  /** One or more whole steps. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'wild'; readonly before: string; readonly after: string }
  /** `**`: any number of steps, at the end at least one. */
  | { readonly kind: 'any' };

/** What a glob may have beside `*` without being understood here as text. */
const SPECIAL = /[\\?[\](){}|!+@"^$]/;

/** The tests of a glob, or undefined if it has anything in it that is not understood here. */
export function stepTests(glob: string): GlobTests | undefined {
  const steps = SPECIAL.test(glob) ? undefined : stepsOf(glob);
  if (steps === undefined) return undefined;
  return { test: (path) => matches(steps, 0, path, 0), leads: (folder) => leads(steps, folder) };
}

function stepsOf(glob: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  for (const text of glob.split('/')) {
    const last = steps.at(-1);
    const star = text.indexOf('*');
    if (text === '**') {
      if (last?.kind === 'any') return undefined;
      steps.push({ kind: 'any' });
    } else if (star >= 0) {
      // Of two stars in a step, or a dot before one, regular expressions know better what is meant.
      if (star !== text.lastIndexOf('*') || text.startsWith('.')) return undefined;
      steps.push({ kind: 'wild', before: text.slice(0, star), after: text.slice(star + 1) });
    } else if (last?.kind === 'text') {
      steps[steps.length - 1] = { kind: 'text', text: `${last.text}/${text}` };
    } else {
      steps.push({ kind: 'text', text });
    }
  }
  return steps;
}

/** Whether the steps from `at` on match whole steps of `path` from the character `from` on, whatever comes after them. */
function matches(steps: readonly Step[], at: number, path: string, from: number): boolean {
  const step = steps[at];
  if (step === undefined) return true;
  if (from > path.length) return false;
  if (step.kind !== 'any') {
    const end = step.kind === 'text' ? endOfText(step.text, path, from) : endOfWild(step, path, from);
    return end >= 0 && matches(steps, at + 1, path, end + 1);
  }
  const isLast = at === steps.length - 1;
  for (let start = from; start <= path.length; start = endOfStep(path, start) + 1) {
    if (!isLast && matches(steps, at + 1, path, start)) return true;
    if (isDots(path, start, endOfStep(path, start))) return false;
    if (isLast) return true;
  }
  return false;
}

function leads(steps: readonly Step[], folder: string): boolean {
  let from = 0;
  for (const step of steps) {
    if (step.kind === 'any' || from > folder.length) return true;
    if (step.kind === 'text') {
      const end = endOfText(step.text, folder, from);
      if (end < 0) return endOfText(folder.slice(from), step.text, 0) >= 0;
      from = end + 1;
    } else {
      const end = endOfWild(step, folder, from);
      if (end < 0) return false;
      from = end + 1;
    }
  }
  return true;
}

/** Where `text` ends in `path` if it stands there as whole steps, else -1. */
function endOfText(text: string, path: string, from: number): number {
  const end = from + text.length;
  return path.startsWith(text, from) && (end === path.length || path[end] === '/') ? end : -1;
}

/** Where the step that begins at `from` ends if it matches, else -1. */
function endOfWild({ before, after }: { before: string; after: string }, path: string, from: number): number {
  const end = endOfStep(path, from);
  const length = end - from;
  if (length === 0 || length < before.length + after.length || isDots(path, from, end)) return -1;
  return path.startsWith(before, from) && path.startsWith(after, end - after.length) ? end : -1;
}

function endOfStep(path: string, from: number): number {
  const slash = path.indexOf('/', from);
  return slash < 0 ? path.length : slash;
}

/** Whether a step is `.` or `..`, which no star stands for. */
function isDots(path: string, from: number, end: number): boolean {
  return path[from] === '.' && (end - from === 1 || (end - from === 2 && path[from + 1] === '.'));
}
