/**
 * Transforms of one's own for webpack and Rspack: a plugin that adds a rule, whose loader is answered from the cache. What a
 * transform looked at becomes the module's dependencies, also when the answer comes from the cache. Both bundlers can keep
 * modules themselves; a module whose transform reads the environment is not to be kept by them, since they do not look at it.
 */
import { statSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Digest, digest, FlecheError, type Part } from '../../core/index.ts';
import { type Form, Hooks, type Host, reportOn } from '../cached/hooks.ts';
import type { BundlerLook, Effect, Recording } from '../cached/recording.ts';
import { type CachedOptions, identityParts, partOf, rootOf } from '../cached/settings.ts';
import { relativeTo } from '../machine.ts';
import { Packages } from '../packages.ts';
import { mapText, type Run, type TransformResult } from './context.ts';
import type { Loaded, LoaderContext, LoaderOptions } from './webpack-loader.ts';

interface Rule {
  readonly test: RegExp;
  readonly loader: string;
  readonly options: LoaderOptions;
}

interface Tap {
  tap(name: string, act: () => void): void;
  tapPromise(name: string, act: () => Promise<void>): void;
}

/** A compiler of webpack or Rspack, as far as it is needed here. */
export interface Compiler {
  readonly context: string;
  readonly options: { readonly mode?: unknown; readonly module: { readonly rules: unknown[] } };
  readonly webpack: { readonly version: string; readonly rspackVersion?: string };
  readonly hooks: { readonly compile: Pick<Tap, 'tap'>; readonly done: Pick<Tap, 'tapPromise'> };
}

/** A plugin for webpack and Rspack. */
export interface WebpackTransform {
  readonly name: string;
  apply(compiler: Compiler): void;
}

interface WebpackUse {
  readonly name: string;
  readonly filter: RegExp;
  readonly settings: CachedOptions;
  /** What runs the transform for a root. */
  readonly running: (root: string) => Run;
}

/** Throws `INDIGESTIBLE` for options that cannot be told from others. */
export function webpackTransform({ name, filter, settings, running }: WebpackUse): WebpackTransform {
  const identity = identityParts(name, settings, new Packages(rootOf(settings)));
  let hooks: Hooks | undefined;
  const plugin: WebpackTransform = {
    name,
    apply: (compiler) => {
      const root = settings.root ?? compiler.context;
      const own = new Hooks(name, settings, root, FORM);
      hooks = own;
      const { version, rspackVersion } = compiler.webpack;
      const bundler = digest([version, rspackVersion ?? null, String(compiler.options.mode)]);
      const loads = new Loads(own, [...identity, partOf('tool', 'bundler', bundler)], running(root));
      const options = {
        ident: `${name} ${digest(identity.map((part) => part.digest))}`,
        transform: (loader: LoaderContext, code: string) => loads.load(loader, code),
      };
      compiler.options.module.rules.push({ test: filter, loader: LOADER, options } satisfies Rule);
      compiler.hooks.compile.tap(name, () => own.machine.renew());
      compiler.hooks.done.tapPromise(name, () => own.flush());
    },
  };
  const none = { hits: 0, misses: 0, uncacheable: 0, savedMs: 0, reasons: new Map<string, number>() };
  reportOn(plugin, () => hooks?.report ?? none);
  return plugin;
}

/** Beside this file, as a source and as built. */
const LOADER = fileURLToPath(new URL(`./webpack-loader${extname(import.meta.url)}`, import.meta.url));

const FORM: Form = {
  keep: (value) => {
    const result = value as TransformResult | undefined;
    return result === undefined ? null : { code: result.code, map: mapText(result) ?? null };
  },
  restore: (kept) => {
    const { code, map } = (kept ?? {}) as { readonly code?: string; readonly map?: string | null };
    return code === undefined ? undefined : { code, ...(map === null ? {} : { map }) };
  },
};

class Loads {
  readonly #hooks: Hooks;
  readonly #constant: readonly Part[];
  readonly #run: Run;

  constructor(hooks: Hooks, constant: readonly Part[], run: Run) {
    this.#hooks = hooks;
    this.#constant = constant;
    this.#run = run;
  }

  async load(loader: LoaderContext, code: string): Promise<Loaded> {
    const { machine, root, surroundings } = this.#hooks;
    const file = loader.resourcePath;
    const module = relativeTo(root, file);
    const host = new Loading(loader, root);
    const parts: Part[] = [];
    let obstacle: string | undefined;
    try {
      parts.push(
        ...this.#constant,
        ...surroundings.parts(file),
        partOf('identity', 'module', digest(module)),
        partOf('argument', 'code', digest(code)),
        partOf('files', 'file', machine.content(file)),
      );
    } catch (error) {
      obstacle = `what it depends on cannot be read: ${String(error)}`;
    }
    const { value } = await this.#hooks.call({
      hook: 'load',
      module,
      file,
      obstacle,
      question: parts,
      host,
      holds: () => surroundings.hold(file, parts),
      make: (recording) => this.#run(code, file, host.noting(recording)),
    });
    const result = value as TransformResult | undefined;
    return { code: result?.code ?? code, map: result === undefined ? undefined : mapObject(result) };
  }
}

/** The bundler, in one call of the loader. */
class Loading implements Host {
  readonly #loader: LoaderContext;
  readonly #root: string;

  constructor(loader: LoaderContext, root: string) {
    this.#loader = loader;
    this.#root = root;
  }

  noting(recording: Recording): Parameters<Run>[2] {
    const watch = (path: string): void => {
      recording.watch(path);
      this.#depend(path);
    };
    return {
      recording,
      watch,
      watchFolder: watch,
      warn: (message) => {
        recording.log('warn', [message]);
        this.#tell('warn', message);
      },
      env: () => {
        recording.log('env', []);
        this.#tell('env');
      },
      resolve: async (request) => {
        const found = await this.#resolve(request);
        recording.told('resolve', request, this.#foundDigest(found));
        return found;
      },
    };
  }

  readonly look: BundlerLook = async (what, argument) =>
    what === 'resolve' ? this.#foundDigest(await this.#resolve(argument)) : undefined;

  replay(effects: readonly Effect[], pathOf: (name: string) => string): void {
    for (const effect of effects) {
      if (effect[0] === 'watch') this.#depend(pathOf(effect[1]));
      else this.#tell(effect[1], String(effect[2][0]));
    }
  }

  #tell(what: string, message = ''): void {
    if (what === 'env') this.#loader.cacheable(false);
    else this.#loader.emitWarning(new Error(message));
  }

  #depend(path: string): void {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) this.#loader.addMissingDependency(path);
    else if (stats.isDirectory()) this.#loader.addContextDependency(path);
    else this.#loader.addDependency(path);
  }

  async #resolve(request: string): Promise<string | undefined> {
    try {
      const found = await this.#loader.getResolve({ dependencyType: 'esm' })(
        dirname(this.#loader.resourcePath),
        request,
      );
      return found === false ? undefined : found;
    } catch {
      // The bundler's way of saying that there is nothing.
      return undefined;
    }
  }

  #foundDigest(found: string | undefined): Digest {
    return digest(found === undefined ? null : relativeTo(this.#root, found));
  }
}

function mapObject(result: TransformResult): object | undefined {
  const text = mapText(result);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch (cause) {
    throw new FlecheError('USAGE', 'a transform gave a source map that is no JSON', { cause });
  }
}
