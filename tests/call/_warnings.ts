/** Warnings that the process was given while something ran. */
export async function warningsOf(body: () => unknown): Promise<readonly string[]> {
  const warnings: string[] = [];
  const { emitWarning } = process;
  process.emitWarning = (warning: string | Error): void => {
    warnings.push(String(warning));
  };
  try {
    await body();
  } finally {
    process.emitWarning = emitWarning;
  }
  return warnings;
}
