/** What stands for "all files of the package" where another tool counts them. Pure. */

/** What no tool counts: its own leftovers. */
const LEFTOVERS: readonly string[] = [
  '!**/*.log',
  '!.turbo/**',
  '!.nx/**',
  '!.wireit/**',
  '!.cache/**',
  '!coverage/**',
];

/**
 * Everything in the folder but `outputs`, which reach dependents through the tasks that write them. Undefined where that
 * is what a task without inputs has anyway.
 */
export function inputsOfFolder(outputs: readonly string[]): readonly string[] | undefined {
  const taken = outputs.filter((pattern) => !pattern.startsWith('!')).map((pattern) => `!${pattern}`);
  return ['**', ...new Set([...taken, ...LEFTOVERS])];
}
