/** What was thrown, told by the code of fleche's error, and by its text if it is another one. */
import { FlecheError } from '../core/base/errors.ts';

function told(error: unknown): string {
  return error instanceof FlecheError ? error.code : String(error);
}

/** Undefined if nothing was thrown. */
export function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return told(error);
  }
  return undefined;
}

/** The same where it may be thrown later. */
export async function codeOfLater(work: () => unknown): Promise<string | undefined> {
  try {
    await work();
  } catch (error) {
    return told(error);
  }
  return undefined;
}

/** The error of fleche that is thrown; whatever else is, is thrown on. */
export function thrown(work: () => unknown): FlecheError {
  try {
    work();
  } catch (error) {
    if (error instanceof FlecheError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
