/**
 * Whole builds, answered from the cache: what they wrote is kept under what they read, and put back. Knows nothing of
 * bundlers. Trouble with the cache costs a build and one warning.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type BaseCache,
  caching,
  digest,
  type Look,
  type Part,
  sha256,
  type TracedCall,
  TracedCalls,
} from '../../core/index.ts';
import { lookAt } from '../cached/recording.ts';
import { cacheOf, configDigest, partOf, warn } from '../cached/settings.ts';
import { environmentValue, Machine, now, relativeTo } from '../machine.ts';
import { BuildInputs, buildLook } from './inputs.ts';

export interface BuildSettings {
  /** Stands for the code of functions and plugins among the options; to be changed with it. */
  readonly identity?: string;
  /** Environment variables that the build reads, beside NODE_ENV. */
  readonly env?: readonly string[];
  /** Files and folders that the build reads without the bundler knowing of it, relative to the root. */
  readonly uses?: readonly string[];
  /** The cache, or its configured name; by default the active one, or `.fleche` in the root if none is configured. */
  readonly cache?: BaseCache | string;
  /** Told, once of each kind, what is wrong with the cache; by default a process warning. */
  readonly onWarning?: (message: string) => void;
}

/** What became of a build. */
export interface BuildReport {
  /** Whether it was answered from the cache. */
  readonly restored: boolean;
  /** Why it was not, by what differs from the nearest past build; empty for the first one. */
  readonly reasons: readonly string[];
  /** The files that it wrote, absolute, sorted. */
  readonly files: readonly string[];
  /** Warnings of the bundler, also of a build that was answered from the cache. */
  readonly warnings: readonly string[];
}

interface BuildQuestion {
  /** Such as `esbuild build`. */
  readonly name: string;
  readonly root: string;
  readonly parts: readonly Part[];
  readonly settings: BuildSettings;
  /** What NODE_ENV is for this bundler where it is not set. */
  readonly usualEnv: string | undefined;
  /** Makes the build, noting what it reads. */
  readonly make: (inputs: BuildInputs) => Promise<BuildOutput>;
}

interface BuildOutput {
  /** Absolute. */
  readonly files: readonly string[];
  /** A folder in which nothing else is to be, absolute. */
  readonly whole: string | undefined;
  readonly warnings: readonly string[];
}

interface Kept {
  readonly files: readonly (readonly [path: string, bytes: Uint8Array, executable: boolean])[];
  readonly whole: string | null;
  readonly warnings: readonly string[];
}

/** Of processes that want the same build of one folder at once, one makes it. */
export async function wholeBuild(question: BuildQuestion): Promise<BuildReport> {
  const { name, root, parts, settings, usualEnv } = question;
  const machine = new Machine();
  const { onWarning = warn } = settings;
  const calls = new TracedCalls({ cache: () => cacheOf(settings, root), who: name, onWarning, now });
  const look: Look = (sight) => lookAt(sight, root, machine, buildLook(root, machine));
  const traced: TracedCall = {
    name,
    module: null,
    parts: [...parts, ...settingParts(settings, root, machine, usualEnv)],
  };
  const restore = async (): Promise<BuildReport | undefined> => {
    const found = await calls.lookup(traced, look);
    if (!found.found) return undefined;
    const kept = found.value as Kept;
    return { restored: true, reasons: [], files: putBack(kept, root), warnings: kept.warnings };
  };
  if (!caching()) return made(question, undefined, traced, look, machine);
  const found = await restore();
  if (found !== undefined) return found;
  const turn = await calls.turn(traced, root);
  try {
    return (await restore()) ?? (await made(question, calls, traced, look, machine));
  } finally {
    turn.end();
  }
}

async function made(
  { root, make }: BuildQuestion,
  calls: TracedCalls | undefined,
  traced: TracedCall,
  look: Look,
  machine: Machine,
): Promise<BuildReport> {
  const changes = await calls?.explain(traced, look);
  const inputs = new BuildInputs(root, machine);
  const start = now();
  const begin = performance.now();
  const output = await make(inputs);
  const ms = performance.now() - begin;
  const kept = keptOf(output, root);
  const seen = await inputs.seen(kept, start);
  if (seen !== undefined && calls !== undefined) {
    await calls.file(traced, seen, () => kept, { runtime: { walltime: ms } });
    await calls.flush();
  }
  const reasons = (changes ?? []).map(({ name }) => name);
  return { restored: false, reasons, files: [...output.files].sort(), warnings: output.warnings };
}

function settingParts(
  settings: BuildSettings,
  root: string,
  machine: Machine,
  usualEnv: string | undefined,
): readonly Part[] {
  return [
    partOf('code', 'identity', digest(settings.identity ?? null)),
    partOf('env', 'env:NODE_ENV', digest(environmentValue('NODE_ENV') ?? usualEnv)),
    ...(settings.env ?? []).map((name) => partOf('env', `env:${name}`, digest(environmentValue(name)))),
    ...(settings.uses ?? []).map((path) => partOf('files', `uses:${path}`, machine.content(join(root, path)))),
  ];
}

/** Options as a part, with paths below the root taken relative to it. */
export function optionsPart(options: object, root: string): Part {
  return partOf('option', 'options', configDigest(options, root).digest);
}

function keptOf({ files, whole, warnings }: BuildOutput, root: string): Kept {
  return {
    files: [...files].sort().map((file) => {
      const executable = (statSync(file).mode & 0o111) !== 0;
      return [relativeTo(root, file), new Uint8Array(readFileSync(file)), executable] as const;
    }),
    whole: whole === undefined ? null : relativeTo(root, whole),
    warnings,
  };
}

/** Writes what is not there already, and removes what is not to be there. */
function putBack({ files, whole }: Kept, root: string): readonly string[] {
  const paths = new Set(files.map(([path]) => join(root, path)));
  if (whole !== null) for (const file of filesIn(join(root, whole))) if (!paths.has(file)) rmSync(file);
  for (const [path, bytes, executable] of files) {
    const file = join(root, path);
    if (!isAs(file, bytes)) {
      mkdirSync(dirname(file), { recursive: true });
      rmSync(file, { force: true });
      writeFileSync(file, bytes);
    }
    if (executable) chmodSync(file, 0o755);
  }
  return [...paths];
}

function isAs(file: string, bytes: Uint8Array): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size === bytes.length && sha256(readFileSync(file)) === sha256(bytes);
}

/** All files below a folder, absolute; none if it is not there. */
export function filesIn(folder: string): readonly string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}
