/**
 * The commands that run, noted in a folder, so that none of them outlives the process that started it: one that ends by
 * itself takes them along, and after one that was killed the next one finds them here.
 */
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { identityOf, isRunning, SELF } from '../../store/owner.ts';
import { groupsPrintingTo, ProcessGroup } from './process-group.ts';

const running = new Set<ProcessGroup>();
process.on('exit', () => {
  for (const group of running) group.kill();
});

export interface RunningEntry {
  /** The group has ended. */
  remove(): void;
}

/**
 * Notes in a folder, which is made if it is missing, that a group runs. It prints to `logFile`, which lies beside the folder
 * and was there before the group; the name ends with the number of this process.
 */
export function noteRunning(folder: string, group: ProcessGroup, logFile: string): RunningEntry {
  const file = join(folder, String(group.id));
  running.add(group);
  const note: Note = { owner: SELF, leader: identityOf(group.id), log: basename(logFile) };
  const text = JSON.stringify(note);
  try {
    writeFileSync(file, text);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text);
  }
  return {
    remove: () => {
      running.delete(group);
      rmSync(file, { force: true });
    },
  };
}

/**
 * Ends every group whose process is gone, and waits until it has ended. Groups of processes that live are left alone.
 * Returns how many were ended.
 */
export async function endOrphans(folder: string): Promise<number> {
  const notes = namesIn(folder).flatMap((name) =>
    /^[1-9]\d+$/.test(name) ? { name, note: noteIn(folder, name) } : [],
  );
  const noted = notes.flatMap(({ name, note }) => orphanOf(folder, name, note) ?? []);
  const orphans = [...noted, ...unnoted(folder, new Set(notes.map(({ note }) => note?.log)))];
  for (const group of orphans) group.kill();
  await Promise.all(orphans.map((group) => group.gone(REAP)));
  for (const group of orphans) rmSync(join(folder, String(group.id)), { force: true });
  return orphans.length;
}

const REAP = 1000;

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The group of a note if it is nobody's any more. A note of an earlier start of the machine is removed. */
function orphanOf(folder: string, name: string, note: Note | undefined): ProcessGroup | undefined {
  if (note !== undefined && isRunning(note.owner)) return undefined;
  const group = new ProcessGroup(Number(name));
  // A group's number is not given to a new process while anyone is left in it; a leader that is another process by now
  // shows that nobody was.
  const now = identityOf(group.id);
  const isSame = note !== undefined && note.owner.host === SELF.host && (now === null || now === note.leader);
  if (isSame && group.alive()) return group;
  rmSync(join(folder, name), { force: true });
  return undefined;
}

/**
 * What a process started that was killed before it could note it: the groups that print to a log of a process that is gone,
 * of which no note tells. So nothing has to be written before a command is started, and nobody looks at other processes as
 * long as nobody was killed. Where the system does not tell where others print, such a group is not found.
 */
function unnoted(folder: string, told: ReadonlySet<string | undefined>): readonly ProcessGroup[] {
  const tempDir = dirname(folder);
  const left = namesIn(tempDir).filter((name) => !told.has(name) && isOfTheDead(name));
  if (left.length === 0) return [];
  const real = realpathSync(tempDir);
  return groupsPrintingTo(new Set(left.map((name) => join(real, name))));
}

function isOfTheDead(log: string): boolean {
  const pid = Number(/-([1-9]\d*)\.log$/.exec(log)?.[1] ?? process.pid);
  return pid !== process.pid && !isRunning({ id: `${pid}//`, pid, host: SELF.host });
}

interface Note {
  readonly owner: typeof SELF;
  readonly leader: string | null;
  readonly log: string;
}

function noteIn(folder: string, name: string): Note | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, name), 'utf8')) as Note;
  } catch {
    // Cut short when its process was killed, or removed meanwhile.
    return undefined;
  }
}
