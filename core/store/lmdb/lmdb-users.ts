/**
 * Which processes have an environment open, and keeping them out of each other's way where LMDB does not: while one of
 * them opens or closes it, nobody commits, opens or closes.
 *
 * LMDB as the `lmdb` package carries it (3.5.6) is in need of that. Who opens an environment reads the number of the newest
 * commit and puts it into the lock file a moment later: a commit in between is forgotten by the next writer, who goes on
 * from the state before it, and over its pages (OpenLDAP's ITS#9496, mended in other branches). Who closes it as its last
 * user destroys the locks in the lock file, and who waits just then to open it goes on with destroyed ones.
 *
 * Each process leaves a mark beside the data file, whose first byte says whether it is committing, and removes it when it is
 * done. A mark of a process that is no more tells that it ended badly, by a crash in native code at worst, and that the
 * environment is to be looked at more closely than usual before it is opened again. Where nothing can be written, nothing is
 * marked and nobody is waited for.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { namesIn } from '../folder/names-in.ts';
import { type Layout, markFile, ownerOfMark, turnFile } from '../layout.ts';
import { readOwn } from '../own-file.ts';
import { isRunning, SELF } from '../owner.ts';
import { pause, steadyNow } from '../pause.ts';

/** Whoever seems to open or to commit for longer than this, ms, was stopped in the middle, and is passed by. */
const LONGEST = 5000;
/** Between two looks, ms. */
const LOOK_AGAIN = 1;
/** After this long without a sign of life a process elsewhere is taken to be gone, ms. */
const SILENT = 3_600_000;

/** The first byte of a mark. */
const IDLE = Buffer.from('.');
const COMMITTING = Buffer.from('!');

/** What a mark says of this process, and a turn of who has it. */
const WHO = `${IDLE}${SELF.id} ${SELF.host}`;

/** Paths of marks of this thread that say it is committing: not for itself to wait for. */
const own = new Set<string>();

/** That this process has an environment open. Without permission to leave a mark there is none. */
export class Mark {
  readonly #layout: Layout;
  readonly #path: string;
  #fd: number | undefined;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#path = markFile(layout, process.pid);
    this.#fd = make(this.#path);
  }

  /** Runs a commit while nobody opens or closes the environment. */
  during<T>(commit: () => T): T {
    if (this.#fd === undefined || own.has(this.#path)) return commit();
    own.add(this.#path);
    try {
      this.#enter(this.#fd);
      return commit();
    } finally {
      own.delete(this.#path);
      say(this.#fd, IDLE);
    }
  }

  /** Says so first and looks then, as who takes a turn does: so one of two sees the other. */
  #enter(fd: number): void {
    say(fd, COMMITTING);
    const turn = turnFile(this.#layout);
    while (existsSync(turn)) {
      say(fd, IDLE);
      waitForTurn(turn);
      say(fd, COMMITTING);
    }
  }

  /** Opens or closes the environment, or replaces it, while nobody else does, and nobody commits. */
  alone<T>(action: () => T): T {
    return inTurn(this.#layout, this.#path, () => {
      const result = action();
      // With an environment that was set aside went the marks in it.
      if (this.#fd !== undefined && !existsSync(this.#path)) this.#renew();
      return result;
    });
  }

  #renew(): void {
    this.#close();
    this.#fd = make(this.#path);
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  remove(): void {
    this.#close();
    removeMarks([this.#path]);
  }
}

/** The descriptor of a new file that names this process, or undefined if it may not be made. */
function make(path: string): number | undefined {
  try {
    const fd = openSync(path, 'wx');
    writeSync(fd, WHO);
    return fd;
  } catch {
    return undefined;
  }
}

function say(fd: number, what: Buffer): void {
  try {
    writeSync(fd, what, 0, what.length, 0);
  } catch {
    // What cannot be said is not heard: a commit then goes on as if there were no mark.
  }
}

/** As a mark's `alone`, for who leaves none because he only reads. */
export function alone<T>(layout: Layout, action: () => T): T {
  return inTurn(layout, undefined, action);
}

function inTurn<T>(layout: Layout, mark: string | undefined, action: () => T): T {
  const turn = turnFile(layout);
  const isOurs = take(turn, mark);
  try {
    if (isOurs) waitForCommits(layout);
    return action();
  } finally {
    if (isOurs) removeMarks([turn]);
  }
}

/** Waits for the turn and takes it. False where there are no turns, since nothing can be written. */
function take(turn: string, mark: string | undefined): boolean {
  for (;;) {
    try {
      makeTurn(turn, mark);
      return true;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') return false;
      waitForTurn(turn);
    }
  }
}

/** Another name for the mark, where that can be: a new file takes more time than all the rest. */
function makeTurn(turn: string, mark: string | undefined): void {
  try {
    if (mark !== undefined) return linkSync(mark, turn);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw error;
  }
  writeFileSync(turn, WHO, { flag: 'wx' });
}

/** Returns when nobody has the turn. One that its holder cannot give back any more is taken away. */
function waitForTurn(turn: string): void {
  let until = 0;
  let seen: string | undefined;
  for (let held = holdingOf(turn); held !== undefined; held = holdingOf(turn)) {
    if (held.id !== seen) until = steadyNow() + LONGEST;
    if (!held.isSound || isOfGone(held.who) || steadyNow() > until) return takeAway(turn, held.who);
    seen = held.id;
    pause(LOOK_AGAIN);
  }
}

interface Holding {
  readonly who: string;
  /** Tells this time from another. */
  readonly id: string;
  /** Nobody has a turn that is no file. */
  readonly isSound: boolean;
}

/** Who has a turn. */
function holdingOf(turn: string): Holding | undefined {
  const stat = lstatSync(turn, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return { who: holderIn(turn), id: `${stat.ino} ${stat.ctimeNs}`, isSound: stat.isFile() };
}

/** Empty where it cannot be read. */
function holderIn(turn: string): string {
  return textOf(turn)?.slice(IDLE.length) ?? '';
}

function takeAway(turn: string, who: string): void {
  const away = `${turn}-${randomBytes(4).toString('hex')}`;
  try {
    renameSync(turn, away);
    // Somebody may have taken it away, and somebody else taken it, since it was looked at.
    if (holderIn(away) !== who) linkSync(away, turn);
  } catch {
    // Somebody else was faster.
  }
  removeMarks([away]);
}

function waitForCommits(layout: Layout): void {
  const until = steadyNow() + LONGEST;
  for (const path of marksIn(layout)) {
    while (isCommitting(path)) {
      if (steadyNow() > until) {
        removeMarks([path]);
        break;
      }
      pause(LOOK_AGAIN);
    }
  }
}

function isCommitting(path: string): boolean {
  const text = textOf(path);
  return text?.startsWith(`${COMMITTING}`) === true && !own.has(path) && !isOfGone(text.slice(COMMITTING.length));
}

function textOf(path: string): string | undefined {
  try {
    return readOwn(path).toString();
  } catch {
    return undefined;
  }
}

/** Whether this is a process that is no more. One of another machine or container is not known to be. */
function isOfGone(who: string): boolean {
  const [id = '', ...host] = who.split(' ');
  return host.join(' ') === SELF.host && !isRunning({ pid: Number.parseInt(id, 10), id, host: SELF.host });
}

function marksIn(layout: Layout): string[] {
  return namesIn(layout.db)
    .filter((name) => ownerOfMark(name) !== undefined)
    .map((name) => join(layout.db, name));
}

/** Marks of processes that are no more; of those elsewhere, where one cannot tell, the ones that have been silent for long. */
export function staleMarks(layout: Layout, now: number): string[] {
  return marksIn(layout).filter((path) => {
    // One that is empty was left by a process that got no further.
    const who = textOf(path)?.slice(IDLE.length) || `${ownerOfMark(basename(path))}/// ${SELF.host}`;
    if (who.endsWith(` ${SELF.host}`)) return isOfGone(who);
    return Math.abs(now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now)) > SILENT;
  });
}

/** Removes marks and turns; those that are gone already are no matter. */
export function removeMarks(marks: readonly string[]): void {
  for (const path of marks) {
    try {
      unlinkSync(path);
    } catch {
      // Gone, or it will be taken for that of a process that ended badly.
    }
  }
}
