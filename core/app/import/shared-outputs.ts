/**
 * Outputs that several tasks of another tool have. Here a file belongs to one task: the first has it, and one that loses
 * what it makes always runs, for what an answer would not put back must not be answered. Pure.
 */

/** What of a task's outputs is left to it. */
export interface LeftOutputs {
  readonly patterns: readonly string[];
  /** Whether the task can be answered without those that are not. */
  readonly isWhole: boolean;
  readonly comments: readonly string[];
}

/** What tools keep for themselves, to be faster the next time. */
const TOOL_CACHE = /(?:^|\/)\.[^/]*cache(?:\/|$)|tsbuildinfo/;

/** `writerOf` gives the name of the task that has a pattern before this one, if there is one. */
export function leftOutputs(
  patterns: readonly string[],
  writerOf: (pattern: string) => string | undefined,
): LeftOutputs {
  const lost = patterns.flatMap((pattern) => {
    const writer = pattern.startsWith('!') ? undefined : writerOf(pattern);
    return writer === undefined ? [] : [{ pattern, writer }];
  });
  const isWhole = lost.every(({ pattern }) => TOOL_CACHE.test(pattern));
  const kept = patterns.filter((pattern) => !lost.some((one) => one.pattern === pattern));
  const isAny = kept.some((pattern) => !pattern.startsWith('!'));
  const writers = [...new Set(lost.map(({ writer }) => writer))];
  const comments = writers.map((writer) => {
    const named = lost.filter((one) => one.writer === writer).map(({ pattern }) => pattern);
    return `Left out: ${named.join(', ')}, which ${writer} writes too${isWhole ? '' : '; so it always runs'}.`;
  });
  return { patterns: isAny ? kept : [], isWhole, comments };
}
