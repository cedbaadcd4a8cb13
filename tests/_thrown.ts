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
