/**
 * Joins the process and the command line: streams become terminals, signals interruptions, a reader that is gone
 * silence, and what nobody caught a report. Reads nothing of the process itself; main.ts hands it over.
 */
import { availableParallelism } from 'node:os';
import type { Clock } from '../base/clock.ts';
import { systemCode } from '../base/errors.ts';
import { steadyNow } from '../store/pause.ts';
import { runCli } from './cli/cli.ts';
import { EXIT } from './cli/exit-code.ts';
import { Interruption } from './cli/interruption.ts';
import { VERBS } from './cli/verbs.ts';
import { type Asker, SeenEnvironment } from './note/question.ts';
import { type InputStream, type JobControl, keyboardOf } from './terminal/keyboard.ts';
import { type Environment, wantsColors } from './terminal/style.ts';
import { type OutputStream, StreamTerminal } from './terminal/terminal.ts';

/** The process, as far as it is needed. */
export interface ProcessHandles {
  /** The words after the program's name. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Environment;
  readonly stdin?: () => InputStream;
  readonly jobControl?: JobControl | undefined;
  readonly stdout: ProcessStream;
  readonly stderr: ProcessStream;
  readonly version: string;
  /** Whose question a note may answer the next time, and ms since the epoch; absent where none is to be left. */
  readonly noting?: { readonly asker: Asker; readonly now: () => number } | undefined;
  readonly on: (
    event: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'uncaughtException' | 'unhandledRejection',
    listener: (cause: unknown) => void,
  ) => void;
  /** Told the verb that was called, when its work begins and what it usually takes is loaded. */
  readonly settled: (verb: string) => void;
  /** Told the verb that was called, when all is over but the end. */
  readonly done: (verb: string) => void;
  readonly exit: (code: number) => void;
  /** Ends the process as the loss of its terminal does; undefined where that is no signal. */
  readonly hangUp?: (() => void) | undefined;
}

export interface ProcessStream extends OutputStream {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

const clock: Clock = {
  now: steadyNow,
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

/** Runs the command line and ends the process with its exit code. */
export async function start(handles: ProcessHandles): Promise<void> {
  const { argv, cwd, version, on, hangUp, settled } = handles;
  const seen = handles.noting && new SeenEnvironment(handles.env);
  const noting = handles.noting && seen && { ...handles.noting, seen };
  const env = seen?.env ?? handles.env;
  const exit = (code: number): void => {
    if (code === EXIT.hungUp && hangUp !== undefined) hangUp();
    else handles.exit(code);
  };
  const stdout = terminalOf(handles.stdout, env);
  const stderr = terminalOf(handles.stderr, env);
  const interruption = new Interruption(exit);

  on('SIGINT', () => interruption.interrupt(EXIT.interrupted));
  on('SIGTERM', () => interruption.interrupt(EXIT.terminated));
  on('SIGHUP', () => interruption.interrupt(EXIT.hungUp));
  handles.stderr.on('error', () => stderr.mute());
  let isUnwritten = false;
  handles.stdout.on('error', (error) => {
    if (!stdout.mute()) return;
    const code = systemCode(error);
    isUnwritten = code === 'ENOSPC' || code === 'EDQUOT';
    if (isUnwritten) handles.stderr.write(`error[${code}]: standard output cannot be written: ${error.message}\n`);
    interruption.interrupt(isUnwritten ? EXIT.failed : code === 'EIO' ? EXIT.hungUp : EXIT.unread);
  });
  const fail = (cause: unknown): void => {
    handles.stderr.write(`error[BUG]: ${cause instanceof Error ? cause.stack : String(cause)}\n`);
    exit(EXIT.bug);
  };
  on('uncaughtException', fail);
  on('unhandledRejection', fail);

  const cpus = availableParallelism();
  const keyboard = handles.stdin && keyboardOf(handles.stdin, handles.jobControl);
  const machine = { cwd, env, cpus, stdout, stderr, clock, keyboard, interruption, version, noting, settled };
  const code = await runCli(argv, machine);
  await Promise.all([stdout.flush(), stderr.flush()]);
  const verb = argv.find((word) => VERBS.some(({ name }) => name === word));
  if (verb !== undefined) handles.done(verb);
  exit(isUnwritten && code === EXIT.done ? EXIT.failed : code);
}

function terminalOf(stream: ProcessStream, env: Environment): StreamTerminal {
  return new StreamTerminal(stream, wantsColors('auto', env, stream.isTTY === true));
}
