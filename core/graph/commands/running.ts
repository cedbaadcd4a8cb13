/**
 * The commands that run, noted in a folder, so that none of them outlives the process that started it: one that ends by
 * itself takes them along, and after one that was killed the next one finds them here.
 *
 * Each process has one file of notes, and adds a line when a command was started and another when it has ended: to make
 * and to remove a file for each command would cost as much as starting it.
 */
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, realpathSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import type { Owner } from '../../store/leases.ts';
import { readOwn } from '../../store/own-file.ts';
import { identityOf, isRunning, SELF } from '../../store/owner.ts';
import { groupsPrintingTo, ProcessGroup } from './process-group.ts';

const running = new Set<ProcessGroup>();
/** The notes of this process, by their folders. */
const notes = new Map<string, Notes>();
process.on('exit', () => {
  for (const group of running) group.kill();
  for (const each of notes.values()) each.remove();
});

interface RunningEntry {
  /** The group has ended. */
  remove(): void;
}

/**
 * Notes in a folder, which is made if it is missing, that a group runs. It prints to `logFile`, which lies beside the folder
 * and was there before the group; the name ends with the number of this process.
 */
export function noteRunning(folder: string, group: ProcessGroup, logFile: string): RunningEntry {
  running.add(group);
  const own = notes.get(folder) ?? new Notes(folder);
  notes.set(folder, own);
  own.begin({ group: group.id, leader: identityOf(group.id), log: basename(logFile) });
  return {
    remove: () => {
      running.delete(group);
      own.end(group.id);
    },
  };
}

/** Whether a descriptor is one of the notes, which commands do not inherit. */
export function isOfNotes(fd: number): boolean {
  for (const each of notes.values()) if (each.fd === fd) return true;
  return false;
}

/** A group that was begun. `leader` tells its first process from a later one of the same number. */
interface Note {
  readonly group: number;
  readonly leader: string | null;
  readonly log: string;
}

/** A file of more bytes than this is begun anew once nothing runs. */
const LONGEST = 1 << 16;

/** The file of this process in one folder. A line of JSON each: the owner, then notes and numbers of groups that ended. */
class Notes {
  readonly #folder: string;
  readonly #path: string;
  readonly #groups = new Set<number>();
  #fd: number | undefined;
  #size = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(folder, SELF.id.replaceAll('/', '-'));
  }

  get fd(): number | undefined {
    return this.#fd;
  }

  begin(note: Note): void {
    // The folder may have been removed since.
    if (this.#groups.size === 0 && (this.#size > LONGEST || !existsSync(this.#path))) this.#beginFile();
    this.#groups.add(note.group);
    this.#add(note);
  }

  end(group: number): void {
    this.#groups.delete(group);
    this.#add(group);
  }

  #beginFile(): void {
    this.remove();
    makeFolder(this.#folder);
    this.#fd = openSync(this.#path, 'w');
    this.#size = 0;
    this.#add(SELF);
  }

  #add(line: Note | typeof SELF | number): void {
    if (this.#fd !== undefined) this.#size += writeSync(this.#fd, `${JSON.stringify(line)}\n`);
  }

  remove(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    rmSync(this.#path, { force: true });
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch {
    // Something else stands in its place, where nobody but this program has anything to do.
    rmSync(folder, { force: true });
    mkdirSync(folder, { recursive: true });
  }
}

/**
 * Ends every group whose process is gone, and waits until it has ended. Groups of processes that live are left alone.
 * Returns how many were ended.
 */
export async function endOrphans(folder: string): Promise<number> {
  const all = namesIn(folder).flatMap((name) => notedIn(folder, name) ?? []);
  const told = new Set(all.flatMap(({ notes }) => notes.map(({ log }) => log)));
  const left = all.filter(({ owner }) => !isRunning(owner));
  const noted = left.flatMap(({ owner, notes }) => (owner.host === SELF.host ? notes.flatMap(orphanOf) : []));
  const orphans = [...noted, ...unnoted(folder, told)];
  for (const group of orphans) group.kill();
  await Promise.all(orphans.map((group) => group.gone(REAP)));
  for (const { path } of left) rmSync(path, { force: true });
  return orphans.length;
}

const REAP = 1000;

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

/** What a process noted of groups that it has not seen end. */
interface Noted {
  readonly path: string;
  readonly owner: Owner;
  readonly notes: readonly Note[];
}

/** Undefined for what is no file of notes. A line that was cut short when its process was killed says nothing. */
function notedIn(folder: string, name: string): Noted | undefined {
  const pid = Number(/^[1-9]\d*/.exec(name)?.[0] ?? 0);
  if (pid === 0) return undefined;
  const path = join(folder, name);
  let lines: readonly unknown[];
  try {
    lines = readOwn(path).toString().split('\n').map(parsed);
  } catch {
    // Removed meanwhile, or a folder.
    return undefined;
  }
  const groups = new Map<number, Note>();
  for (const line of lines) {
    if (typeof line === 'number') groups.delete(line);
    else if (isNote(line)) groups.set(line.group, line);
  }
  const [first] = lines;
  // The file may have been begun by a process that is about to say who it is.
  const owner = isOwner(first) ? first : { id: `${pid}//`, pid, host: SELF.host };
  return { path, owner, notes: [...groups.values()] };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isOwner(line: unknown): line is Owner {
  return typeof line === 'object' && line !== null && 'id' in line && 'pid' in line && 'host' in line;
}

function isNote(line: unknown): line is Note {
  return typeof line === 'object' && line !== null && 'group' in line && 'leader' in line && 'log' in line;
}

/** The group of a note of a process that is gone, if it is there still. */
function orphanOf({ group: id, leader }: Note): readonly ProcessGroup[] {
  const group = new ProcessGroup(id);
  // A group's number is not given to a new process while anyone is left in it; a leader that is another process by now
  // shows that nobody was.
  const now = identityOf(group.id);
  return (now === null || now === leader) && group.alive() ? [group] : [];
}

/**
 * What a process started that was killed before it could note it: the groups that print to a log of a process that is gone,
 * of which no note tells. So nothing has to be written before a command is started, and nobody looks at other processes as
 * long as nobody was killed. Where the system does not tell where others print, such a group is not found.
 */
function unnoted(folder: string, told: ReadonlySet<string>): readonly ProcessGroup[] {
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
