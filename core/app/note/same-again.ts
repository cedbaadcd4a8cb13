/**
 * The short way of a run that has nothing to do: if a note answers this very question, and all that was looked at then
 * is seen again, it is said again what was said then. Whatever else there is, the note is nothing, and the ordinary way is
 * gone. Loaded before anything else, so it must be small.
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatDuration } from '../../base/duration.ts';
import { CACHE_FOLDER, layoutOf, noteFile } from '../../store/layout.ts';
import { momentOf } from '../../store/lmdb/lmdb-moment.ts';
import { readOwn } from '../../store/own-file.ts';
import { noteRun } from '../run-history.ts';
import { isSeenAgain } from './look-again.ts';
import { unpackNote } from './note.ts';
import { type Asker, nameOf, questionOf } from './question.ts';

/** What else it takes; times in ms. */
export interface Around {
  /** By a clock that is never set. */
  readonly elapsed: () => number;
  /** Since the epoch. */
  readonly now: () => number;
  /** Writes to standard output; false if nothing could be written. */
  readonly say: (text: string) => boolean;
}

/**
 * Says all that this question calls for, or nothing. `different` tells that something was changed since the note was left:
 * so there will be something to do, and another note would be begun in vain. Then the note is gone, and the run after this
 * one may leave another. Never throws.
 */
export function saySame(asker: Asker, { elapsed, now, say }: Around): 'said' | 'different' | 'unknown' {
  const began = elapsed();
  try {
    const found = noteFor(asker);
    const note = found && unpackNote(found.bytes);
    if (found === undefined || note === undefined) return 'unknown';
    const { question, names, database, moment, runs, cached, saved, before, after, isNumber } = note.head;
    if (questionOf(asker, names) !== question || momentOf(database) !== moment) return 'unknown';
    if (!isSeenAgain(note)) {
      rmSync(found.path, { force: true });
      return 'different';
    }
    const ms = Math.round(elapsed() - began);
    if (!say(before + timeText(ms, isNumber) + after)) return 'unknown';
    noteRun(runs, { type: 'summary', ran: 0, cached, failed: 0, skipped: 0, ms, saved }, now());
    return 'said';
  } catch {
    // What cannot be read or looked at is other than it was.
    return 'unknown';
  }
}

/** How a run says how long it took, in ms. */
export function timeText(ms: number, isNumber: boolean): string {
  return isNumber ? String(ms) : formatDuration(ms);
}

/** The one in the nearest folder that has a note under this name. */
function noteFor(asker: Asker): { readonly path: string; readonly bytes: Buffer } | undefined {
  const name = nameOf(asker);
  for (let folder = asker.cwd; ; folder = dirname(folder)) {
    const path = noteFile(layoutOf(join(folder, CACHE_FOLDER)), name);
    const bytes = bytesAt(path);
    if (bytes !== undefined) return { path, bytes };
    if (dirname(folder) === folder) return undefined;
  }
}

function bytesAt(path: string): Buffer | undefined {
  try {
    return readOwn(path);
  } catch {
    // Nobody has left one here.
    return undefined;
  }
}
