/**
 * The clock that stamps files. It is coarser than others and may be another machine's, so that what it says now is found
 * out by writing a file of our own.
 */
import { type Stats, statSync } from 'node:fs';
import { writeOwn } from '../../store/own-file.ts';

/** ms since the epoch, by a clock of this process that agrees with the one that stamps files but for a tick. */
export interface FileClock {
  (): number;
  /**
   * Whether all that is changed from now on has a later stamp than this file, of which nothing else is known; false where
   * that cannot be told. Where it is not there to be asked, only time will tell (see `isRacy`).
   */
  readonly hasPassed?: (stats: Stats) => boolean;
}

/**
 * A clock that looks at a file, which is written to `place` whenever it is asked, by others too perhaps. Of other devices it
 * cannot tell.
 */
export function fileClock(now: () => number, place: string): FileClock {
  const hasPassed = ({ dev, mtimeMs, ctimeMs }: Stats): boolean => {
    try {
      const own = stamped(place);
      return own.dev === dev && own.ctimeMs > Math.max(mtimeMs, ctimeMs);
    } catch {
      // Where nothing can be written it is as it is without.
      return false;
    }
  };
  return Object.assign(() => now(), { hasPassed });
}

/** Writes to a file, and gives what it is then: `ctimeMs` is this moment. Throws what the system does. */
export function stamped(place: string): Stats {
  writeOwn(place, '');
  return statSync(place);
}
