/**
 * The worker thread of a function task: imports the bundle, calls the function, replies once. Everything printed goes
 * straight to the log, in order. The thread that started it ends it when it has replied, or has another job for the same
 * function.
 */
import { writeFileSync } from 'node:fs';
import { env } from 'node:process';
import { inspect } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { digest } from '../../base/digest.ts';
import { encode } from '../../base/encode.ts';
import { FlecheError, systemCode } from '../../base/errors.ts';
import { decodeAt } from '../../files/refs.ts';
import type { FunctionJob, FunctionReply, TaskContext } from './function-protocol.ts';

const port = parentPort;
if (port === null) throw new FlecheError('BUG', 'bug: the worker of a function was started as a program');
const given = { ...env };
let job = workerData as FunctionJob;
let replied = false;
let aborted = new AbortController();

function reply(message: FunctionReply): void {
  if (replied) return;
  replied = true;
  // Whether another job comes or the end is for the other side to say.
  port?.ref();
  port?.postMessage(message);
}

/** Replies that the task failed, and prints where. */
function fail(error: unknown): void {
  if (replied) return;
  const isError = error instanceof Error;
  const message = error instanceof FlecheError ? error.describe() : isError ? error.message : `threw ${inspect(error)}`;
  const stack = isError ? ownFrames(String(error.stack)) : '';
  process.stderr.write(`${printed(error, stack) ?? message}\n`);
  reply({ kind: 'threw', message, stack, code: systemCode(error) ?? null });
}

/** What an error says of itself beyond its message; undefined for one of fleche that no code of the user's stands in. */
function printed(error: unknown, stack: string): string | undefined {
  if (stack === '' || !(error instanceof Error)) return undefined;
  if (error instanceof FlecheError) return /^\s+at /m.test(stack) ? stack : undefined;
  return inspect(error).replace(String(error.stack), stack);
}

/** A stack without the frames of this file and of what is below it. */
function ownFrames(stack: string): string {
  const lines = stack.split('\n');
  const end = lines.findIndex((line) => /[/\\]function-worker\.[jt]s\b/.test(line));
  return (end < 0 ? lines : lines.slice(0, end)).join('\n');
}

/** Sends what is written to a stream to the log at once, whatever its thread is busy with. */
function redirect(stream: NodeJS.WriteStream): void {
  const put = (chunk: string | Uint8Array, encoding: BufferEncoding): void =>
    writeFileSync(job.log, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
  stream._write = (chunk, encoding, done) => {
    put(chunk, encoding);
    done();
  };
  stream._writev = (chunks, done) => {
    for (const { chunk, encoding } of chunks) put(chunk, encoding);
    done();
  };
}

async function work(): Promise<void> {
  const { task } = (await import(job.bundle)) as { readonly task: unknown };
  if (typeof task !== 'function')
    throw new FlecheError('CODE_UNRESOLVED', `${job.label} is not a function`, {
      hint: 'A task calls an exported function: call = "./file.ts#name".',
    });
  const args = Object.fromEntries(job.args.map(([name, bytes]) => [name, decodeAt(job.context.root, bytes)]));
  const before = process.getActiveResourcesInfo();
  const value: unknown = await task(args, context());
  const isIdle = !isMore(process.getActiveResourcesInfo(), before);
  reply({ kind: 'returned', digest: digestOf(value), bytes: encode(value), isIdle });
}

/** Whether something goes on that did not before: a timer, a connection. */
function isMore(now: readonly string[], before: readonly string[]): boolean {
  const count = (kinds: readonly string[], kind: string): number => kinds.filter((other) => other === kind).length;
  return now.some((kind) => count(now, kind) > count(before, kind));
}

function context(): TaskContext {
  const { signal } = aborted;
  return { ...job.context, signal, log: (...values) => console.log(...values) };
}

/** A value that has no digest cannot be stored either. */
function digestOf(value: unknown): ReturnType<typeof digest> {
  try {
    return digest(value, 'the result');
  } catch (error) {
    if (!(error instanceof FlecheError) || error.code !== 'INDIGESTIBLE') throw error;
    throw new FlecheError('UNSTORABLE', error.message, {
      hint: 'Return plain data, or register the class with a codec (registerClass).',
      cause: error,
    });
  }
}

port.on('message', (message: 'abort' | FunctionJob) => {
  if (message === 'abort') return aborted.abort();
  job = message;
  replied = false;
  aborted = new AbortController();
  // What an earlier call did to the environment of the thread is none of this one's business.
  for (const name of Object.keys(env)) if (!(name in given)) delete env[name];
  Object.assign(env, given);
  port.unref();
  work().catch(fail);
});
// Waiting for an abort is nothing to stay alive for: a promise that nobody will settle must be noticed.
port.unref();
process.on('uncaughtException', fail);
process.on('beforeExit', () => {
  if (replied) return;
  fail(
    new FlecheError('ABORTED', `${job.label} waits for something that will never happen`, {
      hint: 'Its promise was not settled, and there is nothing left that could settle it.',
    }),
  );
});
process.setSourceMapsEnabled(true);
redirect(process.stdout);
redirect(process.stderr);
work().catch(fail);
