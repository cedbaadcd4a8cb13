/** What somebody who calls the command asks: all of the process that what it answers can depend on. */
import { sha256 } from '../../base/hash.ts';
import type { Environment } from '../terminal/style.ts';

/** One that calls the command. */
export interface Asker {
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly env: Environment;
  /** Flags of Node itself. */
  readonly flags: readonly string[];
  readonly version: string;
  /** The files of the program, absolute. */
  readonly program: readonly string[];
  /** The width of a terminal; undefined for what is none. */
  readonly columns: (stream: 'stdout' | 'stderr') => number | undefined;
}

/** Notes of another format answer other questions. */
const FORMAT = 1;

/** Under which name a note is kept that answers this command line. Of several questions with one name the last is kept. */
export function nameOf({ argv, cwd }: Asker): string {
  return sha256(JSON.stringify([cwd, argv])).slice(0, 16);
}

/** Digest of the question; it depends on these environment variables, null for all there are. */
export function questionOf(asker: Asker, names: readonly string[] | null): string {
  const { argv, cwd, env, flags, version, columns } = asker;
  const seen = names ?? Object.keys(env).sort();
  const node = [
    process.version,
    process.platform,
    process.arch,
    process.getuid?.() ?? null,
    env['NODE_OPTIONS'],
    flags,
  ];
  const terminals = [columns('stdout') ?? null, columns('stderr') ?? null];
  return sha256(
    JSON.stringify([FORMAT, version, node, argv, cwd, terminals, seen.map((name) => [name, env[name] ?? null])]),
  );
}

/** An environment, and which of it was looked at. */
export class SeenEnvironment {
  readonly env: Environment;
  readonly #names = new Set<string>();
  #isListed = false;

  constructor(env: Environment) {
    const seen = (name: string | symbol): void => {
      if (typeof name === 'string') this.#names.add(name);
    };
    this.env = new Proxy(env, {
      get: (from, name) => {
        seen(name);
        return Reflect.get(from, name);
      },
      has: (from, name) => {
        seen(name);
        return Reflect.has(from, name);
      },
      getOwnPropertyDescriptor: (from, name) => {
        seen(name);
        return Reflect.getOwnPropertyDescriptor(from, name);
      },
      ownKeys: (from) => {
        this.#isListed = true;
        return Reflect.ownKeys(from);
      },
    });
  }

  /** Sorted; null if all names were asked for. */
  get names(): readonly string[] | null {
    return this.#isListed ? null : [...this.#names].sort();
  }
}

/** What a note takes beside the run. */
export interface Noting {
  readonly asker: Asker;
  /** What of the environment was read. */
  readonly seen: SeenEnvironment;
  /** ms since the epoch. */
  readonly now: () => number;
}
