/**
 * What one call of a hook does beside giving its answer: what it looks at, what it tells the bundler, and what it does
 * that a later hit could not do again. Answers are valid for one root only, unless the plugin is portable and they do not
 * name the root's path.
 */
import { type Digest, digest, type Seen, type Sight } from '../../core/index.ts';
import { environmentValue, type Machine, relativeTo } from '../machine.ts';
import { partOf } from './settings.ts';

/** Something told to the bundler that a hit tells it again. */
export type Effect = readonly ['watch', path: string] | readonly ['log', level: string, args: readonly unknown[]];

/** Looks that only the bundler can answer, by the beginning of their names. */
export type BundlerLook = (what: string, argument: string) => Promise<Digest | undefined> | Digest | undefined;

/** What a thing is like now. Names are `what:argument`, with paths relative to the root. */
export async function lookAt(
  { name }: Sight,
  root: string,
  machine: Machine,
  bundler: BundlerLook,
): Promise<Digest | undefined> {
  const colon = name.indexOf(':');
  const what = name.slice(0, colon);
  const argument = name.slice(colon + 1);
  const path = (): string => `${root}/${argument}`;
  try {
    switch (what) {
      case 'file':
        return machine.content(path());
      case 'list':
        return machine.listing(path());
      case 'names':
        return machine.namesakes(path());
      case 'probe':
        return digest(machine.hasFile(path()));
      case 'env':
        return digest(environmentValue(argument));
      case 'root':
        return digest(root);
      default:
        return await bundler(what, argument);
    }
  } catch {
    // What cannot be read now cannot be what it was.
    return undefined;
  }
}

/** Recordings of calls under way, for what is told of without saying in which call. */
class Recordings {
  readonly #open = new Set<Recording>();
  #running: Recording | undefined;

  /** That of the call that is running and has not waited for anything yet. */
  get running(): Recording | undefined {
    return this.#running;
  }

  async run<T>(recording: Recording, act: () => Promise<T> | T): Promise<T> {
    this.#open.add(recording);
    try {
      return await this.#start(recording, act);
    } finally {
      this.#open.delete(recording);
    }
  }

  #start<T>(recording: Recording, act: () => T): T {
    const before = this.#running;
    this.#running = recording;
    try {
      return act();
    } finally {
      this.#running = before;
    }
  }

  /** That of the call that is running, or, after it has waited for something, those of all that it could be. */
  get current(): Iterable<Recording> {
    return this.#running === undefined ? this.#open : [this.#running];
  }
}

export const recordings: Recordings = new Recordings();

export class Recording {
  readonly effects: Effect[] = [];
  /** Why this call cannot be cached. */
  readonly obstacles: Set<string> = new Set();
  readonly #root: string;
  readonly #machine: Machine;
  readonly #isPortable: boolean;
  readonly #sights = new Map<string, Sight['kind']>();
  readonly #known = new Map<string, Digest>();
  readonly #watched = new Set<string>();

  constructor(root: string, machine: Machine, isPortable: boolean) {
    this.#root = root;
    this.#machine = machine;
    this.#isPortable = isPortable;
  }

  get root(): string {
    return this.#root;
  }

  /** A file was read; whether one of its namesakes had been chosen instead counts too. */
  file(path: string): void {
    const name = relativeTo(this.#root, path);
    this.#watched.add(path);
    this.#sights.set(`file:${name}`, 'files');
    this.#sights.set(`names:${name}`, 'files');
  }

  /** The names in a folder were read. */
  folder(path: string): void {
    this.#watched.add(path);
    this.#sights.set(`list:${relativeTo(this.#root, path)}`, 'files');
  }

  /** Whether there is a file was asked. */
  probe(path: string): void {
    this.#sights.set(`probe:${relativeTo(this.#root, path)}`, 'files');
  }

  environment(name: string): void {
    this.#sights.set(`env:${name}`, 'env');
  }

  /** Something that the bundler said. */
  told(what: string, argument: string, answer: Digest): void {
    const name = `${what}:${argument}`;
    const before = this.#known.get(name);
    if (before !== undefined && before !== answer) this.obstacles.add(`the bundler gave two answers to ${name}`);
    this.#sights.set(name, 'upstream');
    this.#known.set(name, answer);
  }

  watch(path: string): void {
    this.effects.push(['watch', relativeTo(this.#root, path)]);
    this.declared(path);
  }

  /** The bundler is to watch a path; it was read, unless it is known that something less was asked. */
  declared(path: string): void {
    const name = relativeTo(this.#root, path);
    if (!this.#sights.has(`list:${name}`) && !this.#sights.has(`probe:${name}`)) this.file(path);
    // Of part of a module.
    const query = path.indexOf('?');
    if (query > 0) this.file(path.slice(0, query));
  }

  log(level: string, args: readonly unknown[]): void {
    this.effects.push(['log', level, args]);
  }

  /** Whether the call looked at nothing, and the answer needs no look at the root either. */
  get isSilent(): boolean {
    return this.#sights.size === 0 && !this.#isPortable;
  }

  /**
   * Everything that was looked at, as it was when `start` was (ms since the epoch). An obstacle if something changed
   * since, because then nobody can tell which state was seen.
   */
  async seen(value: unknown, start: number): Promise<readonly Seen[]> {
    if (this.#isPortable && (names(this.#root, value) || names(this.#root, this.effects)))
      this.#sights.set('root:', 'option');
    for (const path of this.#watched) {
      if (this.#machine.changedSince(path, start)) this.obstacles.add(`${path} changed meanwhile`);
    }
    const seen: Seen[] = [];
    for (const [name, kind] of [...this.#sights].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const known = this.#known.get(name);
      const found = known ?? (await lookAt({ kind, name }, this.#root, this.#machine, () => undefined));
      if (found === undefined) this.obstacles.add(`${name} cannot be read`);
      else seen.push(partOf(kind, name, found));
    }
    return seen;
  }

  /** The files and folders that were looked at, absolute. */
  get watched(): Iterable<string> {
    return this.#watched;
  }
}

/** Source maps within code, for one. */
const EMBEDDED = /;base64,([\w+/=]+)/g;

/** Whether a path occurs in any text of a value. */
function names(path: string, value: unknown): boolean {
  if (typeof value === 'string') {
    if (value.includes(path) || (path.includes('\\') && value.includes(slashed(path)))) return true;
    return [...value.matchAll(EMBEDDED)].some(([, text = '']) => Buffer.from(text, 'base64').includes(path));
  }
  if (value === null || typeof value !== 'object') return false;
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).includes(path);
  }
  return Object.values(value).some((member) => names(path, member));
}

function slashed(path: string): string {
  return path.replaceAll('\\', '/');
}
