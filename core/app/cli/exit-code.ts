/** What the process says to the one who started it. Numbers never change their meaning. */
import { FlecheError, systemCode } from '../../base/errors.ts';

export const EXIT = {
  done: 0,
  /** A task failed, or what was asked for is not there. */
  failed: 1,
  /** `--frozen`, and something would have run. */
  stale: 2,
  /** The configuration or the command line is wrong. */
  configuration: 3,
  /** The store is unusable, under `strict`. */
  store: 4,
  /** A fault of the program itself (EX_SOFTWARE). */
  bug: 70,
  /** Ended by SIGHUP: the terminal was closed. */
  hungUp: 129,
  /** Ended by SIGINT. */
  interrupted: 130,
  /** Nobody reads the output any more (what a shell reports for SIGPIPE). */
  unread: 141,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const;

/** What a caller may meet, for the help. */
export const EXIT_TEXTS: readonly (readonly [codes: string, text: string])[] = [
  ['0', 'done'],
  ['1', 'a task failed, or what was asked for is not there'],
  ['2', 'with --frozen something would have run'],
  ['3', 'the configuration or the command line is wrong'],
  ['4', 'the cache cannot be used, with --strict'],
  ['70', 'a fault of fleche itself'],
  ['129, 130, 143', 'ended: the terminal was closed, Ctrl-C, SIGTERM'],
  ['141', 'nobody reads the output any more'],
];

/** The exit code for something that was thrown. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof FlecheError)) return isSystemError(error) ? EXIT.failed : EXIT.bug;
  const { code } = error;
  if (code === 'BUG') return EXIT.bug;
  if (code === 'ABORTED') return EXIT.interrupted;
  if (code === 'USAGE' || code.startsWith('CONFIG_') || code.startsWith('INVALID_')) return EXIT.configuration;
  return code.startsWith('STORE_') ? EXIT.store : EXIT.failed;
}

/** Whether this is the operating system's refusal (a full disk, a missing right), which is nobody's bug. */
export function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error && systemCode(error) !== undefined;
}
