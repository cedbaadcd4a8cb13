/**
 * What transforms written for the cache read through, for any bundler: a context that is the recorder of their dependencies.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Loader } from 'esbuild';
import type { Recording } from '../cached/recording.ts';
import { environmentValue, Machine } from '../machine.ts';

/** What a transform reads through. Paths may be relative to the module's folder; those given back are absolute. */
export interface TransformContext<O> {
  readonly options: O;
  /** The text of a file, or undefined if there is none. */
  read(path: string): Promise<string | undefined>;
  /** The sorted names in a folder; none if there is no folder. */
  list(path: string): readonly string[];
  /** Whether there is a file. */
  has(path: string): boolean;
  /** The nearest file of this name in the module's folder and those above it, up to the root. */
  near(name: string): string | undefined;
  /** The value of an environment variable, or undefined. */
  env(name: string): string | undefined;
  /** What the bundler finds for an import in this module, or undefined. */
  resolve(request: string): Promise<string | undefined>;
  /** Shows a warning, also when the answer comes from the cache. */
  warn(message: string): void;
}

export interface TransformResult {
  readonly code: string;
  /** A source map as JSON text or object. */
  readonly map?: string | object;
  /** What the code is for esbuild; `js` by default. */
  readonly loader?: Loader;
}

type Answer = TransformResult | string | undefined;

export interface TransformDefinition<O> {
  readonly name: string;
  /** Stands for the code of the transform: to be changed with it. */
  readonly version: string | number;
  /** The modules' paths; of what regular expressions of Go and JavaScript have in common, because esbuild tests it too. */
  readonly filter: RegExp;
  /** Undefined leaves the module as it is. */
  readonly transform: (context: TransformContext<O>, code: string, id: string) => Answer | Promise<Answer>;
}

/** The source map of a result as JSON text. */
export function mapText({ map }: TransformResult): string | undefined {
  return typeof map === 'object' ? JSON.stringify(map) : map;
}

/** One call of a transform: what it tells the bundler and asks it. */
interface TransformCall {
  /** Undefined for a call that is not cached. */
  readonly recording: Recording | undefined;
  watch(path: string): void;
  watchFolder(path: string): void;
  warn(message: string): void;
  /** The environment was read. */
  env?(): void;
  resolve(request: string): Promise<string | undefined>;
}

export type Run = (code: string, id: string, call: TransformCall) => Promise<TransformResult | undefined>;

/** Runs a transform with its options, below `root` unless the call has another. */
export function running<O>(definition: TransformDefinition<O>, options: O, root: string): Run {
  const machine = new Machine();
  return async (code, id, call) => {
    const context = contextOf(options, id, call.recording?.root ?? root, machine, call);
    const answer = await definition.transform(context, code, id);
    return typeof answer === 'string' ? { code: answer } : answer;
  };
}

function contextOf<O>(
  options: O,
  id: string,
  root: string,
  machine: Machine,
  call: TransformCall,
): TransformContext<O> {
  const { recording } = call;
  const folder = dirname(id);
  const has = (path: string): boolean => {
    recording?.probe(path);
    call.watch(path);
    return machine.hasFile(path);
  };
  return {
    options,
    read: async (path) => {
      const file = resolve(folder, path);
      recording?.file(file);
      call.watch(file);
      return machine.hasFile(file) ? readFile(file, 'utf8') : undefined;
    },
    list: (path) => {
      const found = resolve(folder, path);
      recording?.folder(found);
      call.watchFolder(found);
      return machine.names(found);
    },
    has: (path) => {
      return has(resolve(folder, path));
    },
    near: (name) => {
      for (let at = folder; ; at = dirname(at)) {
        const file = join(at, name);
        if (has(file)) return file;
        if (at === root || dirname(at) === at) return undefined;
      }
    },
    env: (name) => {
      recording?.environment(name);
      call.env?.();
      return environmentValue(name);
    },
    resolve: (request) => call.resolve(request),
    warn: (message) => call.warn(message),
  };
}
