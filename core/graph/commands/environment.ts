/**
 * The environment of a command: strict, so that a variable nobody declared cannot change what a task writes. Pure; the
 * caller says what the surrounding environment is.
 *
 * Three groups reach a command. The base list below is what programs need to be found and to work at all; it is passed
 * on and not keyed. Variables under `env` are passed on and keyed, those under `passEnv` passed on only. Left out of
 * the base on purpose, because they change results and nothing breaks without them: TZ, NODE_ENV, NODE_OPTIONS and
 * every variable of a tool. LANG and LC_* are in it, for without them many programs cannot print other than ASCII.
 */
import { delimiter, join } from 'node:path';
import { byCodeUnit } from '../../base/order.ts';
import { type AbsPath, escapes, type RelPath } from '../../base/paths.ts';

/** Passed on to every command without being keyed; a trailing `*` is a wildcard. */
// biome-ignore format: one table, by what they are for
export const BASE_ENV: readonly string[] = [
  // Who runs it and where programs and scratch space are.
  'PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TEMP', 'TMP',
  // How text is encoded and shown.
  'LANG', 'LC_*', 'TERM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR', 'CI',
];

/** What programs on Windows need beside it. */
// biome-ignore format: one table
const WINDOWS_ENV: readonly string[] = [
  'SystemRoot', 'SystemDrive', 'windir', 'ComSpec', 'PATHEXT', 'OS', 'NUMBER_OF_PROCESSORS', 'PROCESSOR_*',
  'USERNAME', 'USERPROFILE', 'HOMEDRIVE', 'HOMEPATH', 'APPDATA', 'LOCALAPPDATA', 'PUBLIC', 'ALLUSERSPROFILE',
  'ProgramData', 'ProgramFiles', 'ProgramFiles(x86)', 'ProgramW6432',
  'CommonProgramFiles', 'CommonProgramFiles(x86)', 'CommonProgramW6432',
];

type Environment = Readonly<Record<string, string | undefined>>;

const ON_WINDOWS = process.platform === 'win32';

export interface CommandEnvOptions {
  readonly root: AbsPath;
  /** Folder of the task; `node_modules/.bin` from here up to the root comes first on PATH. */
  readonly dir: RelPath;
  /** The surrounding environment. */
  readonly env: Environment;
  /** Names that are keyed and passed on; a trailing `*` is a wildcard. */
  readonly declared: readonly string[];
  /** Names that are passed on only. */
  readonly passed: readonly string[];
  /** Whether names differ by case; the platform decides if absent. */
  readonly windows?: boolean;
}

/** The whole environment of a command, names sorted. */
export function commandEnv(options: CommandEnvOptions): Record<string, string> {
  const { root, dir, env, declared, passed, windows = ON_WINDOWS } = options;
  const base = baseNames(windows);
  const own = new Names([...declared, ...passed], windows);
  const all = Object.keys(env);
  const path = all.find((name) => fold(name, windows) === 'PATH') ?? 'PATH';
  const found: [string, string][] = [];
  for (const name of all) {
    const value = name !== path && (base.match(name) || own.match(name)) ? env[name] : undefined;
    if (value !== undefined) found.push([name, value]);
  }
  found.push([path, [...binFolders(root, dir), env[path] ?? ''].filter((folder) => folder !== '').join(delimiter)]);
  return Object.fromEntries(found.sort(([a], [b]) => byCodeUnit(a, b)));
}

/** Made once, for all commands. */
const bases = new Map<boolean, Names>();

function baseNames(windows: boolean): Names {
  const base = bases.get(windows) ?? new Names([...BASE_ENV, ...(windows ? WINDOWS_ENV : [])], windows);
  bases.set(windows, base);
  return base;
}

/** `node_modules/.bin` of the folder and of each folder above it up to the root, nearest first. */
function binFolders(root: AbsPath, dir: RelPath): string[] {
  const folders = [];
  for (let at: string = dir; at !== '.' && !escapes(at); ) {
    folders.push(join(root, at, 'node_modules', '.bin'));
    const slash = at.lastIndexOf('/');
    at = slash < 0 ? '.' : at.slice(0, slash);
  }
  return [...folders, join(root, 'node_modules', '.bin')];
}

/**
 * The variables that enter a key, sorted by name. A declared name that is unset is there as undefined; a wildcard yields
 * what is set and matches. Where case does not matter, a declared name keeps the case in which it was declared.
 */
export function keyedEnv(
  patterns: readonly string[],
  env: Environment,
  windows: boolean = ON_WINDOWS,
): readonly (readonly [name: string, value: string | undefined])[] {
  if (patterns.length === 0) return [];
  const wildcards = new Names(
    patterns.filter((pattern) => pattern.endsWith('*')),
    windows,
  );
  const values = new Map<string, string | undefined>();
  const declared = new Map<string, string>();
  for (const name of patterns) {
    if (name.endsWith('*') || declared.has(fold(name, windows))) continue;
    declared.set(fold(name, windows), name);
    values.set(name, undefined);
  }
  // Who names all variables asks for these alone.
  if (!windows && declared.size === new Set(patterns).size) {
    for (const name of values.keys()) values.set(name, Object.hasOwn(env, name) ? env[name] : undefined);
    return [...values].sort(([a], [b]) => byCodeUnit(a, b));
  }
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    const literal = declared.get(fold(name, windows));
    if (literal !== undefined) values.set(literal, value);
    else if (wildcards.match(name)) values.set(fold(name, windows), value);
  }
  return [...values].sort(([a], [b]) => byCodeUnit(a, b));
}

/** The form under which names are compared. */
function fold(name: string, windows: boolean): string {
  return windows ? name.toUpperCase() : name;
}

class Names {
  readonly #windows: boolean;
  readonly #literal = new Set<string>();
  readonly #prefixes: string[] = [];

  constructor(patterns: Iterable<string>, windows: boolean) {
    this.#windows = windows;
    for (const pattern of patterns) {
      const name = fold(pattern, windows);
      if (name.endsWith('*')) this.#prefixes.push(name.slice(0, -1));
      else this.#literal.add(name);
    }
  }

  match(name: string): boolean {
    const folded = fold(name, this.#windows);
    return this.#literal.has(folded) || this.#prefixes.some((prefix) => folded.startsWith(prefix));
  }
}
