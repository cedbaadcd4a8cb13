/**
 * Where the paths are that a program mentions: as it writes them, from its own folder, absolute or relative, under the
 * project's real path or the one it is known by.
 */
import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { type AbsPath, escapes, isWithin, type RelPath, toRel } from '../../base/paths.ts';

/**
 * Folders of the system: what is in them changes with the system and not with the project. Home folders, and what is
 * mounted for work, are not among them.
 */
// biome-ignore format: one list
const SYSTEM: readonly string[] = [
  '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/usr', '/etc', '/opt', '/proc', '/sys', '/dev', '/nix',
  '/System', '/Library', '/Applications', '/private/etc',
];
const WINDOWS_SYSTEM = /^[A-Za-z]:[\\/](?:Windows|Program Files(?: \(x86\))?|ProgramData)(?:[\\/]|$)/i;

export class MentionedPlaces {
  readonly #root: AbsPath;
  readonly #real: AbsPath;
  readonly #dir: string;
  readonly #system: readonly string[];
  /** Folders that steps up were taken from, by what leads there. */
  readonly #left = new Map<string, string>();

  /** `dir` is the folder that relative paths start from. */
  constructor(root: AbsPath, dir: RelPath) {
    this.#root = root;
    this.#real = realpathSync(root) as AbsPath;
    this.#dir = resolve(root, dir);
    // A project that lies in such a folder itself may have what it depends on beside it.
    this.#system = SYSTEM.filter((folder) => !isWithin(folder, root) && !isWithin(folder, this.#real));
  }

  /**
   * The path relative to the project; undefined for what lies in a folder of the system, `elsewhere` for what no relative
   * path leads to (another drive).
   */
  of(path: string): RelPath | 'elsewhere' | undefined {
    const place = this.#placeOf(path);
    const inside = [this.#root, this.#real].map((root) => toRel(root, place)).find((rel) => !escapes(rel));
    if (inside !== undefined) return inside;
    if (WINDOWS_SYSTEM.test(place) || this.#system.some((folder) => isWithin(folder, place))) return undefined;
    const outside = toRel(this.#real, place);
    return isAbsolute(outside) ? 'elsewhere' : outside;
  }

  /** The folders of the project that steps up were taken from so far: where they lead decides what was meant. */
  get left(): readonly RelPath[] {
    return [...this.#left.keys()].map((place) => toRel(this.#root, place)).filter((path) => !escapes(path));
  }

  /** A step up is taken from where links lead, as the system takes it; on Windows it is taken in the text. */
  #placeOf(path: string): string {
    if (sep === '\\' || !/(?:^|\/)\.\.(?:\/|$)/.test(path)) return resolve(this.#dir, path);
    const steps = path.split('/');
    return steps.reduce(
      (at, step) => (step === '..' ? this.#above(at) : join(at, step)),
      isAbsolute(path) ? '/' : this.#dir,
    );
  }

  #above(folder: string): string {
    const known = this.#left.get(folder) ?? realOf(folder);
    this.#left.set(folder, known);
    return dirname(known);
  }
}

/** Where a folder is, if it is anywhere. */
function realOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}
