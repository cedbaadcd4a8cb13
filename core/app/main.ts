#!/usr/bin/env node
/**
 * The entry: the only file that reads the arguments, the environment and the folder of the process, and that ends it.
 * What it imports is part of Node; everything else is loaded after the one question that needs nothing is answered.
 */
import { fstatSync, readFileSync, writeSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { steadyNow } from '../store/pause.ts';
import { loadCode } from './code-cache.ts';
import type { Asker } from './note/question.ts';

/** Put in place by the build; from source the version is read from package.json. */
declare const FLECHE_VERSION: string | undefined;

const { argv, env } = process;
const words = argv.slice(2);
const isRun = words.includes('run');

if (words.length === 1 && (words[0] === '--version' || words[0] === '-v')) {
  process.stdout.write(`${version()}\n`);
} else {
  void answer();
}

async function answer(): Promise<void> {
  const asker = isRun && typeof FLECHE_VERSION === 'string' ? askerHere() : undefined;
  const answer = asker && (await fromNote(asker));
  if (answer === 'said') return;
  const { start, settle, keep } = await application();
  await start({
    argv: words,
    cwd: process.cwd(),
    env,
    stdin: () => process.stdin,
    jobControl: process.platform === 'win32' ? undefined : jobControl,
    stdout: process.stdout,
    stderr: process.stderr,
    version: version(),
    noting: asker && answer === 'unknown' ? { asker, now: () => Date.now() } : undefined,
    on: (event, listener) => process.on(event, listener),
    settled: settle,
    done: keep,
    exit: (code) => process.exit(code),
    hangUp: process.platform === 'win32' ? undefined : hangUp,
  });
}

function askerHere(): Asker {
  const program = ['fleche.cjs', 'cli.cjs'].map((name) => join(import.meta.dirname, name));
  return { argv: words, cwd: process.cwd(), env, flags: process.execArgv, version: version(), program, columns };
}

/** Only what is a character device can be a terminal, and to ask the streams takes time to load them. */
function columns(stream: 'stdout' | 'stderr'): number | undefined {
  if (!fstatSync(stream === 'stdout' ? 1 : 2).isCharacterDevice()) return undefined;
  const { isTTY, columns = 0 } = process[stream];
  return isTTY === true ? columns : undefined;
}

/** What a run that had nothing to do has left as the answer. */
async function fromNote(asker: Asker): Promise<'said' | 'different' | 'unknown'> {
  const { saySame } = await import('./note/same-again.ts');
  return saySame(asker, { elapsed: steadyNow, now: () => Date.now(), say });
}

/** Writes without the streams of Node as long as that can be done. False if nothing was written. */
function say(text: string): boolean {
  const bytes = Buffer.from(text);
  let said = 0;
  try {
    if (columns('stdout') !== undefined) process.stdout.write(text);
    else while (said < bytes.length) said += writeSync(1, bytes, said);
  } catch {
    if (said === 0) return false;
    process.stdout.on('error', () => process.exit(UNREAD));
    process.stdout.write(bytes.subarray(said));
  }
  return true;
}

/** As for every other run whose reader is gone. */
const UNREAD = 141;

/** Group 0 is the one of this process, which a terminal would stop. */
const jobControl = {
  stop: (): void => void process.kill(0, 'SIGTSTP'),
  onContinue: (listener: () => void): void => void process.on('SIGCONT', listener),
};

/** Before it exits Node puts the terminal right, and up to 24.1 it crashes if that is gone: so the signal ends the process. */
function hangUp(): void {
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

function version(): string {
  if (typeof FLECHE_VERSION === 'string') return FLECHE_VERSION;
  const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  return String((manifest as { readonly version?: unknown }).version);
}

interface Application {
  readonly start: typeof import('./start.ts').start;
  /** Of the code that is kept compiled, under the verb that was called. */
  readonly settle: (verb: string) => void;
  readonly keep: (verb: string) => void;
}

async function application(): Promise<Application> {
  if (typeof FLECHE_VERSION !== 'string')
    return { start: (await import('./start.ts')).start, settle: () => {}, keep: () => {} };
  const code = loadCode(join(import.meta.dirname, 'cli.cjs'), codeFolder(), isRun ? 'run' : 'other');
  const { start } = code.exports as typeof import('./start.ts');
  return { start, settle: (verb) => code.settle(verb), keep: (verb) => code.keep(verb) };
}

/** The user's own folder for caches, by the custom of the system; none if Node is told to keep no compiled code. */
function codeFolder(): string | undefined {
  if (env['NODE_DISABLE_COMPILE_CACHE']) return undefined;
  const { platform } = process;
  const home = env['HOME'] && join(env['HOME'], ...(platform === 'darwin' ? ['Library', 'Caches'] : ['.cache']));
  const folder = env['XDG_CACHE_HOME'] || (platform === 'win32' ? env['LOCALAPPDATA'] : home);
  return folder && isAbsolute(folder) ? join(folder, 'fleche', 'code') : undefined;
}
