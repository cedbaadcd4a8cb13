/**
 * The one error type that fleche throws on purpose. A miss, a failed task and an unreachable remote are outcomes, not
 * errors; an error means a bug, a bad configuration, a value that cannot be digested, or a broken disk under `strict`.
 */

/** Every code a caller may test for. The text of a message may change between releases, a code may not. */
export type ErrorCode =
  | 'CONFIG_NOT_FOUND'
  | 'CONFIG_SYNTAX'
  | 'CONFIG_TYPE'
  | 'CONFIG_UNKNOWN_KEY'
  | 'CONFIG_UNKNOWN_TASK'
  | 'CONFIG_UNKNOWN_PACKAGE'
  | 'CONFIG_UNKNOWN_CACHE'
  | 'CONFIG_INVALID'
  | 'CONFIG_CYCLE'
  | 'CONFIG_OVERLAP'
  | 'USAGE'
  | 'INDIGESTIBLE'
  | 'UNSTORABLE'
  | 'DIGEST_UNKNOWN'
  | 'DIGEST_TOO_SHORT'
  | 'DIGEST_AMBIGUOUS'
  | 'DUPLICATE_NAME'
  | 'CALL_UNKNOWN'
  | 'CALL_AMBIGUOUS'
  | 'CACHE_READ_ONLY'
  | 'CACHE_ASYNC'
  | 'STORE_UNUSABLE'
  | 'STORE_CORRUPT'
  | 'PEER_MISSING'
  | 'CODE_UNRESOLVED'
  | 'CODE_CHANGED'
  | 'TOOL_NOT_FOUND'
  | 'TASK_FAILED'
  | 'INPUT_UNREADABLE'
  | 'OUTPUT_ESCAPES'
  | 'OUTPUT_CHANGED'
  | 'OUTPUT_UNREADABLE'
  | 'OUTPUT_UNWRITABLE'
  | 'SHELF_CLOSED'
  | 'SHELF_CYCLE'
  | 'SHELF_NOT_READY'
  | 'SHELF_UNBUILT'
  | 'SHELF_UNKNOWN'
  | 'SHELF_UNREADABLE'
  | 'SHELF_UNSAVED'
  | 'WAIT_TIMEOUT'
  | 'INVALID_DURATION'
  | 'INVALID_SIZE'
  | 'ABORTED'
  | 'BUG';

/** A place in a text file; lines and columns count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface FlecheErrorOptions {
  /** What to do next, as one sentence. */
  readonly hint?: string | undefined;
  /** Where in a file the fault is. */
  readonly at?: SourcePosition | undefined;
  readonly cause?: unknown;
}

/** An error with a stable `code`, the place it is about and a hint at the way out. */
export class FlecheError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly at: SourcePosition | undefined;

  constructor(code: ErrorCode, message: string, options: FlecheErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'FlecheError';
    this.code = code;
    this.hint = options.hint;
    this.at = options.at;
  }

  /** The message with its place and hint, as a person should see it; `show` says how its file is written. */
  describe(show: (file: string) => string = (file) => file): string {
    const place = this.at === undefined ? '' : `${show(this.at.file)}:${this.at.line}:${this.at.column}: `;
    const hint = this.hint === undefined ? '' : `\n  ${this.hint}`;
    return `${place}${this.message}${hint}`;
  }
}

/**
 * Everything that is wrong with the configuration, in the order of the text. Stands for its first error where only one
 * can be told: `code`, `at` and `hint` are those of the first.
 */
export class ConfigErrors extends FlecheError {
  readonly errors: readonly FlecheError[];

  constructor(errors: readonly [FlecheError, ...FlecheError[]]) {
    const [first] = errors;
    const message = errors.length === 1 ? first.message : `${errors.length} errors in the configuration`;
    super(first.code, message, { hint: first.hint, at: first.at });
    this.name = 'ConfigErrors';
    this.errors = errors;
  }

  override describe(show?: (file: string) => string): string {
    return this.errors.map((error) => error.describe(show)).join('\n');
  }
}

/** Closes a switch over a union: the compiler proves it is never reached, the throw covers untyped callers. */
export function unreachable(value: never): never {
  throw new FlecheError('BUG', `bug: unexpected variant ${JSON.stringify(value)}`);
}

/** The `code` of a system error (`ENOENT`, `EACCES`, …), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
