/**
 * What a function is called and what it is made of, for its fingerprint: name, module, version, code and parameter
 * names. Looked at once, when the function is wrapped; its closure when it is first asked for. What the function refers
 * to (other functions, captured variables, globals) is looked at for a closure alone, and never what they hold while the
 * program runs: `version` says that something there has changed.
 */
import { FlecheError } from '../../../base/errors.ts';
import { type Digest, sha256 } from '../../../base/hash.ts';
import { suggest } from '../../../base/nearest.ts';
import { fileDigest, modulePath } from '../../../files/code/source-file.ts';
import { codeFinder } from './code-finder.ts';
import { type Parameters, parametersOf, renamed } from './parameters.ts';

// biome-ignore lint/suspicious/noExplicitAny: any function can be wrapped
export type AnyFunction = (...args: any[]) => any;

/**
 * How the code of a function enters its key. `body`: its own source text. `closure`: the export it is, with every
 * function and constant of the project that it uses, and the versions of packages. `module`: the file it is defined in.
 * `manual`: not at all; `version` says when old answers no longer hold.
 */
export type CodeMode = 'closure' | 'body' | 'module' | 'manual';

const MODES: readonly CodeMode[] = ['closure', 'body', 'module', 'manual'];

export interface IdentityOptions {
  /** What answers are filed under; the function's own name by default. */
  readonly name?: string | undefined;
  /** Module path; null leaves it out of the key, so that the function can be moved. */
  readonly module?: string | null | undefined;
  /** Another version is another function. */
  readonly version?: string | number | undefined;
  readonly code?: CodeMode | undefined;
  /** With `code: 'closure'`, the export of its module that the function is; by default its own name, or its class's. */
  readonly export?: string | undefined;
  /** Whether the function returns promises; told from the keyword `async` by default. */
  readonly async?: boolean | undefined;
  readonly args?: readonly string[] | undefined;
}

export interface FunctionIdentity {
  readonly name: string;
  readonly module: string | null;
  readonly version: string | number | null;
  /** Throws `CODE_UNRESOLVED` and `CODE_CHANGED` for a closure that cannot be had. */
  readonly code: Digest | null;
  readonly parameters: Parameters;
  /** Whether what it is called on may matter. */
  readonly usesThis: boolean;
  /** Whether it is known to return promises. One that is not known to may do so all the same. */
  readonly isAsync: boolean;
}

/**
 * `definedIn` is the file of the wrapping call, if it could be told. Throws `USAGE` for what cannot be memoised and for
 * an unknown mode, `CODE_UNRESOLVED` where the code cannot be had in the wanted mode.
 */
export function identityOf(fn: AnyFunction, options: IdentityOptions, definedIn: string | undefined): FunctionIdentity {
  const name = options.name ?? fn.name;
  if (name === '') {
    throw new FlecheError('USAGE', 'a memoised function needs a name: it is what its answers are filed under', {
      hint: "Name the function, or pass { name: '…' }.",
    });
  }
  const kind = Object.prototype.toString.call(fn);
  if (kind.includes('Generator')) {
    throw new FlecheError('USAGE', `"${name}" is a generator, whose result can be read only once`, {
      hint: 'Return an array.',
    });
  }
  const source = Function.prototype.toString.call(fn);
  const parameters = parametersOf(source, fn.length);
  const code = codeOf(fn, { ...options, name }, source, definedIn);
  return {
    name,
    module: options.module !== undefined ? options.module : definedIn === undefined ? null : modulePath(definedIn),
    version: options.version ?? null,
    get code() {
      return code();
    },
    parameters: options.args === undefined ? parameters : renamed(parameters, options.args),
    usesThis: /\b(?:this|super)\b/.test(source),
    isAsync: options.async ?? kind === '[object AsyncFunction]',
  };
}

/** What gives the digest of the code: known already, or found at the first question. */
function codeOf(
  fn: AnyFunction,
  options: IdentityOptions & { readonly name: string },
  source: string,
  definedIn: string | undefined,
): () => Digest | null {
  const { name, code: mode = 'body' } = options;
  if (!MODES.includes(mode)) {
    throw new FlecheError('USAGE', `"${name}" has an unknown code mode "${mode}"`, { hint: suggest(mode, MODES) });
  }
  if (mode === 'manual') return () => null;
  if (mode === 'body') {
    if (/\{\s*\[native code\]\s*\}$/.test(source)) {
      throw new FlecheError('CODE_UNRESOLVED', `the source text of "${name}" cannot be read (bound or built in)`, {
        hint: "Wrap a function around it, or use code: 'manual' with a version.",
      });
    }
    const digest = sha256(source);
    return () => digest;
  }
  if (definedIn === undefined) {
    throw new FlecheError('CODE_UNRESOLVED', `the module of "${name}" could not be told`, {
      hint: "Use code: 'body', or code: 'manual' with a version.",
    });
  }
  if (mode === 'module') {
    const digest = fileDigest(definedIn);
    return () => digest;
  }
  const exported = options.export ?? (fn.name || name);
  const finder = codeFinder();
  finder.expect(definedIn, exported);
  let digest: Digest | undefined;
  return () => {
    digest ??= finder.closure(definedIn, exported);
    return digest;
  };
}
