/** The contract of a verb, the first word after `fleche`: what it takes, and what it is given when it is called. */
import type { Clock } from '../../base/clock.ts';
import type { Noting } from '../note/question.ts';
import type { Project } from '../project.ts';
import type { Keyboard } from '../terminal/keyboard.ts';
import type { Environment } from '../terminal/style.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { Interruption } from './interruption.ts';
import type { Invocation, VerbShape } from './invocation.ts';

/** What the process offers: the only way from here to its arguments, its environment and its streams. */
export interface Machine {
  /** Absolute. */
  readonly cwd: string;
  readonly env: Environment;
  /** Processors that may be used, at least 1. */
  readonly cpus: number;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly clock: Clock;
  readonly keyboard?: Keyboard | undefined;
  readonly interruption: Interruption;
  readonly version: string;
  /** Told the verb that was called, when its work begins and what it usually takes is loaded. */
  readonly settled?: (verb: string) => void;
  /** For a note of what a run looked at; absent where none is to be left. */
  readonly noting?: Noting | undefined;
}

export interface VerbContext {
  readonly invocation: Invocation;
  /** With the folder that `--cwd` names. */
  readonly machine: Machine;
  /**
   * Finds and reads the project; the verb closes it. `warn` is told of trouble; by default standard error is. `env` is seen
   * instead of the machine's environment.
   */
  readonly open: (warn?: (message: string) => void, env?: Environment) => Promise<Project>;
}

/** Does it and resolves with the exit code. What it throws is shown by the caller. */
export type VerbAction = (context: VerbContext) => Promise<number>;

export interface VerbSpec extends VerbShape {
  /** For the help: a phrase that begins small. */
  readonly text: string;
  /** Loads the code of the verb. */
  readonly load: () => Promise<VerbAction>;
}
