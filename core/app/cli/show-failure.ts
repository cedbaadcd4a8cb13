/** Shows an error to whoever called the command: on standard error for people, on standard output for programs. */
import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { escapes, toRel } from '../../base/paths.ts';
import { styleFor } from '../terminal/style.ts';
import { failureRecord, failureText } from './failure.ts';
import type { Machine } from './verb.ts';

/** With `json` it is a JSON line too. */
export function showFailure(error: unknown, machine: Machine, json: boolean): void {
  const { cwd, stdout, stderr } = machine;
  const show = (file: string): string => {
    const path = toRel(cwd, resolve(cwd, file));
    return !isAbsolute(file) || escapes(path) ? file : path;
  };
  stderr.write(failureText(error, { style: styleFor(stderr), read: (file) => textOf(resolve(cwd, file)), show }));
  if (json) stdout.write(`${JSON.stringify(failureRecord(error))}\n`);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The error that names the file is what matters; without its text it is told without the line.
    return undefined;
  }
}
