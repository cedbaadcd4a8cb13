/**
 * The files that Vue's compiler reads for types that a component imports. The plugin does not name them to the bundler,
 * but takes a file system for them: here one that notes what is asked of it.
 *
 * The compiler keeps what it read of a file and does not read it again for the next component. So whoever touches a file
 * is taken to depend on everything that was touched together with it before.
 */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import type { Digest } from '../../core/index.ts';
import { Machine } from '../machine.ts';
import type { Recording } from './recording.ts';

interface TypeFiles {
  fileExists(path: string): boolean;
  readFile(path: string): string | undefined;
  realpath?(path: string): string;
}

const NODE: TypeFiles = {
  fileExists: (path) => existsSync(path) && statSync(path).isFile(),
  readFile: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  realpath: (path) => realpathSync(path),
};

interface VueOptions {
  readonly script?: { readonly fs?: TypeFiles };
}

/** Has a Vue plugin read types through a file system that notes it. Other plugins stay as they are. */
export function noteTypeFiles(plugin: object, current: () => Iterable<Recording>): void {
  const api = (plugin as { readonly name: string; readonly api?: { options?: VueOptions } }).api;
  if ((plugin as { readonly name: string }).name !== 'vite:vue' || api?.options === undefined) return;
  const fs = api.options.script?.fs ?? NODE;
  const notes = new Touched(current);
  const noting: TypeFiles = {
    fileExists: (path) => {
      notes.touch(path);
      return fs.fileExists(path);
    },
    readFile: (path) => {
      notes.touch(path);
      return fs.readFile(path);
    },
    ...(fs.realpath === undefined ? {} : { realpath: (path: string) => fs.realpath?.(path) ?? path }),
  };
  api.options = { ...api.options, script: { ...api.options.script, fs: noting } };
}

const machine = new Machine();
/** What files were like when the compiler, of which there is one for all plugins, first asked for them. */
const first = new Map<string, Digest>();

function hasChanged(file: string): boolean {
  const now = machine.content(file);
  const then = first.get(file);
  if (then === undefined) first.set(file, now);
  return then !== undefined && then !== now;
}

class Touched {
  readonly #current: () => Iterable<Recording>;
  /** For each file everything that was touched in a call that touched it. */
  readonly #together = new Map<string, Set<string>>();
  readonly #calls = new WeakMap<Recording, Set<string>>();

  constructor(current: () => Iterable<Recording>) {
    this.#current = current;
  }

  touch(path: string): void {
    for (const recording of this.#current()) this.#touchIn(recording, path);
  }

  #touchIn(recording: Recording, path: string): void {
    const own = this.#calls.get(recording) ?? new Set();
    this.#calls.set(recording, own);
    if (own.has(path)) return;
    const others = this.#together.get(path) ?? new Set();
    this.#together.set(path, others);
    for (const file of [path, ...others]) {
      own.add(file);
      recording.file(file);
      if (hasChanged(file)) recording.obstacles.add(`${file} changed in this process, which the compiler may not know`);
    }
    for (const file of own) this.#with(file, own);
  }

  #with(file: string, call: ReadonlySet<string>): void {
    const others = this.#together.get(file) ?? new Set();
    this.#together.set(file, others);
    for (const other of call) others.add(other);
  }
}
