/**
 * Takes down what this process asks the file system through Node, and what it is told, by standing in for the functions
 * of `node:fs`: so no look can be forgotten, whoever does it. What changes something, what is not understood, and what is
 * left to other processes, is taken down as odd. Looks of native code are not seen.
 */
import processes from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { systemCode } from '../../base/errors.ts';
import { isRacy, type StatKey, sameKey, statKey } from '../../files/states/stat-key.ts';
import { statAt } from './look-again.ts';
import type { Looks } from './note.ts';

/** The one of before anybody stood in for it. */
const { statSync } = fs;

/** The paths whose looks matter, and those with which anything may be done. */
export interface Matters {
  readonly isLookedAt: (path: string) => boolean;
  readonly isOwn: (path: string) => boolean;
}

type Original = (...args: unknown[]) => unknown;
/** Does what was asked for, and takes it down. */
type Taker = (looking: Looking, call: () => unknown, args: readonly unknown[]) => unknown;

export class Looking {
  readonly #now: () => number;
  readonly #replaced: (readonly [from: object, name: string, original: Original])[] = [];
  readonly #standIns = new Map<Original, Original>();
  #isOpen = true;
  readonly #itself = new Map<string, StatKey | undefined>();
  readonly #through = new Map<string, StatKey | undefined>();
  readonly #presence = new Map<string, boolean>();
  readonly #links = new Map<string, string>();
  readonly #ends = new Map<string, string>();
  /** Paths that were two things one after the other, or of which seeing them again does not mean that they are the same. */
  readonly #unsure = new Set<string>();
  readonly #odd = new Set<string>();
  #matters: Matters | undefined;

  /** Begins. `now`: ms since the epoch, by the clock that stamps files. */
  constructor(now: () => number) {
    this.#now = now;
    this.#replace(fs, TAKERS);
    this.#replace(processes, {});
    syncBuiltinESMExports();
  }

  #replace(all: object, takers: Readonly<Record<string, Taker>>): void {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(all))) {
      // The others are classes.
      if (typeof value !== 'function' || /^[A-Z_]/.test(name)) continue;
      this.#replaced.push([all, name, value]);
      Reflect.set(all, name, this.#standIn(value, takers[name] ?? other));
    }
  }

  #standIn(original: Original, take: Taker): Original {
    const known = this.#standIns.get(original);
    if (known !== undefined) return known;
    const standIn: Original = (...args) => {
      const call = (): unknown => Reflect.apply(original, undefined, args);
      return this.#isOpen ? take(this, call, args) : call();
    };
    this.#standIns.set(original, standIn);
    // Such as `realpathSync.native`; where others stood in before, such as Yarn's loader, functions are members of each other.
    for (const [name, member] of Object.entries(original)) {
      Reflect.set(standIn, name, typeof member === 'function' ? this.#standIn(member, other) : member);
    }
    return standIn;
  }

  /** Says what matters. From then on nothing more is taken down once something odd has happened. */
  within(matters: Matters): void {
    this.#matters = matters;
    if ([...this.#odd].some((path) => !matters.isOwn(path))) this.close();
  }

  /** Ends. Undefined if what was seen does not tell all that happened, or it was not said what matters. */
  end(): Looks | undefined {
    if (!this.#isOpen || this.#matters === undefined) return undefined;
    this.close();
    const { isLookedAt } = this.#matters;
    if ([...this.#unsure].some(isLookedAt)) return undefined;
    const counted = <T>(looks: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
      new Map([...looks].filter(([path]) => isLookedAt(path)));
    return {
      itself: counted(this.#itself),
      through: counted(this.#through),
      presence: counted(this.#presence),
      links: counted(this.#links),
      ends: counted(this.#ends),
    };
  }

  /** Takes down nothing more. Safe to call twice. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const [from, name, original] of this.#replaced) Reflect.set(from, name, original);
    syncBuiltinESMExports();
  }

  /** Something was done with a path that is no look. */
  odd(path: unknown): void {
    const text = typeof path === 'string' ? path : '';
    if (this.#matters === undefined) this.#odd.add(text);
    else if (!this.#matters.isOwn(text)) this.close();
  }

  itself(path: string, stats: fs.Stats | undefined): void {
    this.#stat(this.#itself, path, stats);
  }

  through(path: string, stats: fs.Stats | undefined): void {
    this.#stat(this.#through, path, stats);
  }

  #stat(looks: Map<string, StatKey | undefined>, path: string, stats: fs.Stats | undefined): void {
    const before = looks.get(path);
    if (!looks.has(path)) looks.set(path, stats && statKey(stats));
    else if (stats === undefined ? before !== undefined : before === undefined || !sameKey(before, stats)) {
      this.#unsure.add(path);
    }
  }

  /** What a path leads to is about to be read. */
  content(path: string): fs.Stats | undefined {
    const at = this.#now();
    const stats = statAt(statSync, path);
    this.through(path, stats);
    if (stats !== undefined && isRacy(statKey(stats), at)) this.#unsure.add(path);
    return stats;
  }

  presence(path: string, isThere: boolean): void {
    this.#take(this.#presence, path, isThere);
  }

  link(path: string, text: string): void {
    this.#take(this.#links, path, text);
  }

  /** Where a path leads in the end; empty for nowhere. */
  leads(path: string, end: string): void {
    this.#take(this.#ends, path, end);
  }

  #take<T>(looks: Map<string, T>, path: string, found: T): void {
    if (!looks.has(path)) looks.set(path, found);
    else if (looks.get(path) !== found) this.#unsure.add(path);
  }
}

function isNothing(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Changes something, or is not understood. */
const other: Taker = (looking, call, args) => {
  const paths = args.filter((arg) => typeof arg === 'string');
  for (const path of paths.length === 0 ? [undefined] : paths) looking.odd(path);
  return call();
};

/** The same, of what is done with the first path alone. */
const otherAt: Taker = (looking, call, [path]) => other(looking, call, [path]);

/** Goes on with what was opened before. */
const goOn: Taker = (_, call) => call();

function stat(how: 'itself' | 'through'): Taker {
  return (looking, call, args) => {
    const [path, options] = args;
    if (typeof path !== 'string' || isBig(options)) return other(looking, call, [path]);
    try {
      const stats = call();
      looking[how](path, stats instanceof fs.Stats ? stats : undefined);
      return stats;
    } catch (error) {
      if (isNothing(error)) looking[how](path, undefined);
      else looking.odd(path);
      throw error;
    }
  };
}

function isBig(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'bigint' in options && options.bigint === true;
}

const read: Taker = (looking, call, args) => {
  const [path, options] = args;
  if (typeof path === 'number') return call();
  if (typeof path !== 'string' || isDeep(options)) return other(looking, call, [path]);
  const stats = looking.content(path);
  try {
    const content = call();
    if (stats === undefined) looking.odd(path);
    return content;
  } catch (error) {
    const isSeen = stats === undefined ? isNothing(error) : systemCode(error) === 'EISDIR' && stats.isDirectory();
    if (!isSeen) looking.odd(path);
    throw error;
  }
};

function isDeep(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'recursive' in options && options.recursive === true;
}

const { O_ACCMODE = 3, O_CREAT, O_TRUNC } = { ...fs.constants, O_ACCMODE: 3 };

const open: Taker = (looking, call, args) => {
  const [path, flags = 'r'] = args;
  const isRead = typeof flags === 'number' ? (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) === 0 : flags === 'r';
  return (isRead ? read : other)(looking, call, [path]);
};

const TAKERS: Readonly<Record<string, Taker>> = {
  lstatSync: stat('itself'),
  statSync: stat('through'),
  readFileSync: read,
  readdirSync: read,
  openSync: open,
  writeFileSync: otherAt,
  appendFileSync: otherAt,
  readSync: goOn,
  writeSync: goOn,
  fstatSync: goOn,
  closeSync: goOn,
  existsSync(looking, call, args) {
    const [path] = args;
    const isThere = call();
    if (typeof path === 'string') looking.presence(path, isThere === true);
    else looking.odd(path);
    return isThere;
  },
  readlinkSync(looking, call, args) {
    const [path] = args;
    let text: unknown;
    try {
      text = call();
      return text;
    } finally {
      if (typeof path === 'string' && typeof text === 'string') looking.link(path, text);
      else looking.odd(path);
    }
  },
  realpathSync(looking, call, args) {
    const [path] = args;
    if (typeof path !== 'string') return other(looking, call, [path]);
    try {
      const end = call();
      if (typeof end === 'string') looking.leads(path, end);
      else looking.odd(path);
      return end;
    } catch (error) {
      if (isNothing(error)) looking.leads(path, '');
      else looking.odd(path);
      throw error;
    }
  },
};
