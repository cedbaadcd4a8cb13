/** What a task says that it looked at, in words of its own, and how it is written down. Plain data. */

/** A path as a report has it: absolute, or relative to the folder that the task runs in. */
export interface Mention {
  readonly path: string;
  /** Whether the task read it, so that it must be there; else it may be there or not. */
  readonly isRead: boolean;
}

/** The mentions of a report, or why it is none, as what follows its name in a sentence. */
export type Mentions =
  | {
      readonly kind: 'read';
      readonly mentions: readonly Mention[];
      /** What was imported by a name that is no path, and led to a file. */
      readonly imports?: readonly Import<string>[];
    }
  | Broken;

/** An import as it is written in one file, and the file that it led to. */
export interface Import<Path> {
  readonly from: Path;
  readonly specifier: string;
  readonly found: Path;
}

interface Broken {
  readonly kind: 'broken';
  readonly why: string;
}

export function broken(why: string): Broken {
  return { kind: 'broken', why };
}

export function read(path: string): Mention {
  return { path, isRead: true };
}

/** A path that decides something by being there or not. */
export function looked(path: string): Mention {
  return { path, isRead: false };
}
