/**
 * esbuild works in a process of its own, which lives as long as this one. Ctrl-C in a terminal ends that too, and so may
 * whoever is short of memory; all that is asked of it from then on fails. Then another one is begun.
 */
import { FlecheError, messageOf } from '../../base/errors.ts';

/** How many were begun anew. */
let begun = 0;

/**
 * Does what asks esbuild for something, and does it once more if esbuild was ended meanwhile. Throws what it throws, and
 * `CODE_UNRESOLVED` if esbuild was ended again.
 */
export async function withEsbuild<T>(work: () => Promise<T>): Promise<T> {
  const before = begun;
  try {
    return await work();
  } catch (error) {
    if (!isEnded(error)) throw error;
  }
  // Somebody else may have begun another one already.
  if (begun === before) {
    begun++;
    const { stop } = await import('esbuild');
    await stop();
  }
  try {
    return await work();
  } catch (error) {
    if (!isEnded(error)) throw error;
    throw new FlecheError('CODE_UNRESOLVED', `esbuild was ended while it was at work: ${messageOf(error)}`, {
      hint: 'Run it again. If that does not help, look whether there is enough memory.',
      cause: error,
    });
  }
}

/** Whether an error of esbuild says that its process is gone. */
function isEnded(error: unknown): boolean {
  return error instanceof Error && /^The service (?:was stopped|is no longer running)/.test(error.message);
}
