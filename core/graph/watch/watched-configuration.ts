/**
 * The files of the configuration as a watch sees them, and whether they may say something else than when they were read.
 * Does not read them.
 */
import { isWithin, type RelPath } from '../../base/paths.ts';
import { globsOf } from '../../files/globs/globs.ts';
import type { WatchScope } from '../../files/watch/watch-places.ts';

/** Of what the configuration is read. */
export interface ConfigurationFiles {
  readonly paths: readonly RelPath[];
  /** Patterns of files that are part of it as soon as they are there. */
  readonly patterns: readonly string[];
}

export class WatchedConfiguration {
  #files: ConfigurationFiles;
  #state: 'read' | 'dirty' | 'reading' = 'read';

  constructor(files: ConfigurationFiles) {
    this.#files = files;
  }

  /** Whether the path is that of a file of the configuration, or of one that would be. */
  has(path: RelPath): boolean {
    const { paths, patterns } = this.#files;
    return paths.includes(path) || globsOf(patterns).matches(path);
  }

  /** Whether there may be such a file in a folder, or below it. */
  enters(folder: RelPath): boolean {
    const { paths, patterns } = this.#files;
    return paths.some((path) => isWithin(folder, path)) || globsOf(patterns).enters(folder);
  }

  /** It may say something else by now. */
  markDirty(): void {
    if (this.#files.paths.length > 0) this.#state = 'dirty';
  }

  get isDirty(): boolean {
    return this.#state === 'dirty';
  }

  /** Whether it is being read, and did not become dirty since. */
  get isBeingRead(): boolean {
    return this.#state === 'reading';
  }

  /** Somebody begins to read it. */
  begin(): void {
    this.#state = 'reading';
  }

  /** It was read; from now on these are its files, if they are others. */
  end(files: ConfigurationFiles = this.#files): void {
    this.#files = files;
    if (this.#state === 'reading') this.#state = 'read';
  }

  /** The scope with these files in it. */
  within(scope: WatchScope): WatchScope {
    const { paths, patterns } = this.#files;
    const globs = globsOf(patterns);
    return {
      ...scope,
      patterns: new Set([...scope.patterns, ...patterns]),
      bases: [...scope.bases, ...globs.bases],
      paths: [...scope.paths, ...paths],
      enters: (folder) => scope.enters(folder) || globs.enters(folder),
    };
  }
}
