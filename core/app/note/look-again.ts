/**
 * Looks again at what a note says was looked at. It holds only if nothing at all is different; whatever cannot be looked
 * at is different. Looks, and changes nothing.
 */
import { existsSync, lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { systemCode } from '../../base/errors.ts';
import { NUMBERS, type PackedNote, pathIn } from './note.ts';

type Stat = (path: string, options: { readonly throwIfNoEntry: false }) => Stats | undefined;

const QUIETLY = { throwIfNoEntry: false } as const;

/** Undefined for nothing. Throws what the system throws beside that. */
export function statAt(stat: Stat, path: string): Stats | undefined {
  try {
    return stat(path, QUIETLY);
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Whether everything is as it was. Throws what the system throws. */
export function isSeenAgain({ head: { root }, counts, keys, texts }: PackedNote): boolean {
  let next = 0;
  const all = (count: number, isSame: (path: string, at: number) => boolean): boolean => {
    for (const end = next + count; next < end; next++) {
      if (!isSame(pathIn(root, texts[next] ?? ''), next)) return false;
    }
    return true;
  };
  const { itself, through, noneItself, noneThrough, absent, present, links, ends } = counts;
  // The texts that links and ends had come after their paths.
  const told = (at: number): string | undefined => texts[at + links + ends];
  return (
    all(itself, (path, at) => isKeyOf(statAt(lstatSync, path), keys, at)) &&
    all(through, (path, at) => isKeyOf(statAt(statSync, path), keys, at)) &&
    all(noneItself, (path) => statAt(lstatSync, path) === undefined) &&
    all(noneThrough, (path) => statAt(statSync, path) === undefined) &&
    all(absent, (path) => !existsSync(path)) &&
    all(present, (path) => existsSync(path)) &&
    all(links, (path, at) => readlinkSync(path) === told(at)) &&
    all(ends, (path, at) => endOf(path) === told(at))
  );
}

function isKeyOf(stats: Stats | undefined, keys: Float64Array, at: number): boolean {
  const first = at * NUMBERS;
  return (
    stats !== undefined &&
    keys[first + 1] === stats.mtimeMs &&
    keys[first + 2] === stats.ctimeMs &&
    keys[first] === stats.size &&
    keys[first + 3] === stats.ino &&
    keys[first + 4] === stats.mode
  );
}

function endOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return '';
    throw error;
  }
}
