/** The lock files that are known, and how each of them is read. Reads nothing itself, but loads a parser where it is needed. */
import { messageOf } from '../../base/errors.ts';
import { type Digest, sha256 } from '../../base/hash.ts';
import { normalRel, type RelPath } from '../../base/paths.ts';
import { tableOf } from '../../base/table.ts';
import { parseYaml } from '../yaml.ts';
import { readBunLock } from './bun.ts';
import { type Illegible, type Lock, type Member, Slices } from './lock.ts';
import { readNpmLock } from './npm.ts';
import { readPnpmLock } from './pnpm.ts';
import { readBerryLock } from './yarn-berry.ts';
import { readClassicLock } from './yarn-classic.ts';

/** What is known beside the content of a lock file. */
export interface Around {
  readonly members: readonly Member[];
  /** The content of a file that is read beside the lock file, by its path; undefined if it is not there. */
  fileAt(path: string): string | undefined;
}

interface Format {
  readonly path: RelPath;
  /** Whether it leaves out what manifests say. */
  readonly needsManifests: boolean;
  /** Files that say more of what is installed. */
  readonly beside: (members: readonly Member[]) => readonly string[];
  readonly read: (text: string, around: Around) => Lock | Illegible;
}

const NOTHING = (): readonly string[] => [];
const YARN_SETTINGS = '.yarnrc.yml';

const FORMATS: readonly Format[] = [
  ...['npm-shrinkwrap.json', 'package-lock.json'].map((name) => ({
    path: normalRel(name),
    needsManifests: false,
    beside: NOTHING,
    read: readNpmLock,
  })),
  {
    path: normalRel('pnpm-lock.yaml'),
    needsManifests: true,
    beside: NOTHING,
    read: (text, { members }) => readPnpmLock(parseYaml(text), members),
  },
  {
    path: normalRel('yarn.lock'),
    needsManifests: true,
    beside: () => [YARN_SETTINGS],
    read: (text, { members, fileAt }) => {
      if (!/^__metadata:/m.test(text)) return readClassicLock(text, members);
      return readBerryLock(parseYaml(text), members, tableOf(parseYaml(fileAt(YARN_SETTINGS) ?? '')[0]));
    },
  },
  {
    path: normalRel('bun.lock'),
    needsManifests: false,
    beside: (members) => Object.values(members.find(({ folder }) => folder === '.')?.patches ?? {}),
    read: (text, { fileAt }) => readBunLock(text, fileAt),
  },
  {
    path: normalRel('bun.lockb'),
    needsManifests: false,
    beside: NOTHING,
    read: () => ({ trouble: 'is binary (bun install --save-text-lockfile writes one that can be read)' }),
  },
];

/** Where package managers write down what they install; the first that is there counts. */
export const LOCK_FILES: readonly RelPath[] = FORMATS.map(({ path }) => path);

/** Files that say more of what a lock file installs, in the order in which they are to be asked for. */
export function filesBeside(path: RelPath, members: readonly Member[]): readonly RelPath[] {
  return (formatOf(path)?.beside(members) ?? []).map(normalRel);
}

/** Digest of what a lock file leaves out and manifests say; undefined if it leaves nothing out. */
export function manifestsBehind(path: RelPath, members: readonly Member[]): Digest | undefined {
  if (formatOf(path)?.needsManifests !== true) return undefined;
  const told = members.map(({ name, folder, requests, passedOn, forced }) => [
    name,
    folder,
    requests,
    passedOn,
    forced,
  ]);
  return sha256(JSON.stringify(told));
}

export interface ReadLock {
  /** The text of the slice of the package in a folder, with what is installed for the root. */
  readonly slice: (folder: RelPath) => string;
  /** Why every slice is the whole file, in a sentence. */
  readonly trouble?: string;
}

const ROOT = normalRel('.');

/** Reads a lock file. What cannot be told apart is one line for all of it. */
export function readLock(path: RelPath, content: string | Buffer, around: Around): ReadLock {
  const digest = sha256(content);
  const whole = `${path}\t${digest.slice(0, 12)}\t\t${digest}`;
  const lock = attempt(path, content.toString(), around);
  if ('trouble' in lock) {
    return { slice: () => whole, trouble: `${path} ${lock.trouble}, so any change of it concerns all packages` };
  }
  const slices = new Slices(lock);
  return { slice: (folder) => slices.of(folder === ROOT ? [ROOT] : [ROOT, folder])?.join('\n') ?? whole };
}

function attempt(path: RelPath, text: string, around: Around): Lock | Illegible {
  try {
    return formatOf(path)?.read(text, around) ?? { trouble: 'is of an unknown form' };
  } catch (error) {
    return { trouble: `cannot be read (${messageOf(error).split('\n')[0]})` };
  }
}

function formatOf(path: RelPath): Format | undefined {
  return FORMATS.find((format) => format.path === path);
}
