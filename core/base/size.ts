/** Sizes as people write them, `5GB`, and as the program keeps them: bytes. A kilobyte is 1024 bytes. */
import { FlecheError } from './errors.ts';

/** Each is 1024 of the one before. */
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;

/** What `parseSize` reads, as the source of a regular expression: a number and a unit in either case. */
export const SIZE_PATTERN = '^\\s*(\\d+(?:\\.\\d+)?)\\s*(?:([kKmMgGtTpP])[iI]?)?[bB]?\\s*$';
const SIZE = new RegExp(SIZE_PATTERN);

/**
 * Bytes of `5GB`, `1.5 MiB`, `200k` or of a number of bytes; a fraction of a byte is dropped. A number without a unit is
 * bytes. Throws `INVALID_SIZE` for anything else, and for what is negative or above `Number.MAX_SAFE_INTEGER`.
 */
export function parseSize(size: string | number): number {
  if (typeof size === 'number') {
    if (Number.isSafeInteger(size) && size >= 0) return size;
    throw invalid(size);
  }
  const match = SIZE.exec(size);
  if (match === null) throw invalid(size);
  const [, count, unit] = match;
  const power = unit === undefined ? 0 : 'kmgtp'.indexOf(unit.toLowerCase()) + 1;
  const bytes = Math.floor(Number(count) * 1024 ** power);
  if (!Number.isSafeInteger(bytes)) throw invalid(size);
  return bytes;
}

function invalid(size: string | number): FlecheError {
  return new FlecheError('INVALID_SIZE', `${JSON.stringify(size)} is not a size`, {
    hint: 'Write a size such as "500MB" or "5GB"; units are B, KB, MB, GB, TB and PB, powers of 1024.',
  });
}

/** A size for people, in a form that `parseSize` reads: `0B`, `1023B`, `1.5KB`, `20GB`. One decimal below ten. */
export function formatSize(bytes: number): string {
  let count = bytes;
  let unit = 0;
  const shown = (): number => (unit > 0 && count < 9.95 ? Math.round(count * 10) / 10 : Math.round(count));
  while (shown() >= 1024 && unit < UNITS.length - 1) {
    count /= 1024;
    unit++;
  }
  return `${shown()}${UNITS[unit]}`;
}
