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
import { type Looks, NUMBERS } from './note.ts';

/** The one of before anybody stood in for it. */
const { statSync } = fs;

/** The paths whose looks matter, and those with which anything may be done. */
export interface Matters {
  readonly isLookedAt: (path: string) => boolean;
  readonly isOwn: (path: string) => boolean;
}

type Original = (...args: unknown[]) => unknown;
/** Does what was asked for, and takes it down. */
type Taker = (looking: Looking, original: Original, args: readonly unknown[]) => unknown;

export class Looking {
  readonly #now: () => number;
  readonly #replaced: (readonly [from: object, name: string, original: Original])[] = [];
  readonly #standIns = new Map<Original, Original>();
  #isOpen = true;
  readonly #itself = new SeenStats();
  readonly #through = new SeenStats();
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
    const standIn: Original = (...args) => (this.#isOpen ? take(this, original, args) : original(...args));
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
      itself: counted(this.#itself.all()),
      through: counted(this.#through.all()),
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
    if (!this.#itself.take(path, stats)) this.#unsure.add(path);
  }

  through(path: string, stats: fs.Stats | undefined): void {
    if (!this.#through.take(path, stats)) this.#unsure.add(path);
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

/** What stood at paths. As numbers in a row: thousands of objects that stay cost more than it took to look. */
class SeenStats {
  /** Where the numbers of a path begin; `NOTHING` where nothing stood. */
  readonly #places = new Map<string, number>();
  #numbers = new Float64Array(NUMBERS << 8);
  #next = 0;

  /** False if something else stood there before. */
  take(path: string, stats: fs.Stats | undefined): boolean {
    const place = this.#places.get(path);
    if (place !== undefined) return stats === undefined ? place === NOTHING : this.#isKeyAt(place, stats);
    this.#places.set(path, stats === undefined ? NOTHING : this.#add(stats));
    return true;
  }

  #isKeyAt(place: number, stats: fs.Stats): boolean {
    return place !== NOTHING && sameKey(this.#keyAt(place), stats);
  }

  #add({ size, mtimeMs, ctimeMs, ino, mode }: fs.Stats): number {
    if (this.#next === this.#numbers.length) {
      const more = new Float64Array(this.#next * 2);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    const place = this.#next;
    for (const number of [size, mtimeMs, ctimeMs, ino, mode]) this.#numbers[this.#next++] = number;
    return place;
  }

  #keyAt(place: number): StatKey {
    const [size = 0, mtime = 0, ctime = 0, ino = 0, mode = 0] = this.#numbers.subarray(place, place + NUMBERS);
    return { size, mtime, ctime, ino, mode };
  }

  all(): ReadonlyMap<string, StatKey | undefined> {
    return new Map([...this.#places].map(([path, at]) => [path, at === NOTHING ? undefined : this.#keyAt(at)]));
  }
}

const NOTHING = -1;

function isNothing(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Changes something, or is not understood. */
const other: Taker = (looking, original, args) => {
  const paths = args.filter((arg) => typeof arg === 'string');
  for (const path of paths.length === 0 ? [undefined] : paths) looking.odd(path);
  return original(...args);
};

/** The same, of what is done with the first path alone. */
const otherAt: Taker = (looking, original, args) => {
  looking.odd(args[0]);
  return original(...args);
};

/** Goes on with what was opened before. */
const goOn: Taker = (_, original, args) => original(...args);

function stat(how: 'itself' | 'through'): Taker {
  return (looking, original, args) => {
    const [path, options] = args;
    if (typeof path !== 'string' || isBig(options)) return otherAt(looking, original, args);
    try {
      const stats = original(...args);
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

const read: Taker = (looking, original, args) => {
  const [path, options] = args;
  if (typeof path === 'number') return original(...args);
  if (typeof path !== 'string' || isDeep(options)) return otherAt(looking, original, args);
  const stats = looking.content(path);
  try {
    const content = original(...args);
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

const open: Taker = (looking, original, args) => {
  const flags = args[1] ?? 'r';
  const isRead = typeof flags === 'number' ? (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) === 0 : flags === 'r';
  return (isRead ? read : otherAt)(looking, original, args);
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
  existsSync(looking, original, args) {
    const [path] = args;
    const isThere = original(...args);
    if (typeof path === 'string') looking.presence(path, isThere === true);
    else looking.odd(path);
    return isThere;
  },
  readlinkSync(looking, original, args) {
    const [path] = args;
    let text: unknown;
    try {
      text = original(...args);
      return text;
    } finally {
      if (typeof path === 'string' && typeof text === 'string') looking.link(path, text);
      else looking.odd(path);
    }
  },
  realpathSync(looking, original, args) {
    const [path] = args;
    if (typeof path !== 'string') return otherAt(looking, original, args);
    try {
      const end = original(...args);
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
