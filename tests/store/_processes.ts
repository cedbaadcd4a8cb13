/** Starts processes that write into a store. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const WRITER = join(import.meta.dirname, '_writer.ts');

/** What a writer puts: larger than a page, so that it can be killed in the middle. */
export function blobOf(salt: string): Buffer {
  return Buffer.alloc(200_000, salt);
}

export interface Writer {
  readonly child: ChildProcess;
  /** What it said it has put, complete when it has ended. */
  readonly said: readonly string[];
  readonly ended: Promise<number | null>;
}

/** `each` is called with every line the writer says, `ready` first. */
export function startWriter(
  args: readonly [store: string, place: string, name: string, count: number],
  each: (writer: Writer) => void = () => {},
): Writer {
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  let rest = '';
  const ended = new Promise<number | null>((done) => child.on('close', done));
  const writer = { child, said, ended };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== 'ready') said.push(line);
      each(writer);
    }
  });
  return writer;
}
