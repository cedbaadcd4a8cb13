/**
 * What tells one state of an environment from every other one, without LMDB: each commit writes one of the two meta pages,
 * with a number that only grows, and so stamps the file. Knows nothing of what is in it.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { OWN_READ } from '../own-file.ts';
import { Damage, metaBytes } from './lmdb-pages.ts';

/**
 * The moment at which a data file (absolute) is: as long as it stays the same nobody has committed, replaced the file, or
 * written to it otherwise. Undefined if it is no data file. Throws what the system throws.
 */
export function momentOf(file: string): string | undefined {
  const fd = openSync(file, OWN_READ);
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(fd, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs} ${metaBytes(fd).toString('hex')}`;
  } catch (error) {
    if (error instanceof Damage) return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
}
