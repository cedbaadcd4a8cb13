/** What is in a folder of a store. */
import { readdirSync } from 'node:fs';

/** Names in a folder, in no particular order; none if it is not there or cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
