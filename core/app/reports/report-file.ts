/** A file that a report will be written to: whether it can be is found out before there is anything to report. */
import { closeSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FlecheError, messageOf } from '../../base/errors.ts';

export class ReportFile {
  readonly #path: string;
  readonly #temporary: string;

  /** `option` is how the file was asked for. Throws `USAGE` if it cannot be written. */
  constructor(cwd: string, path: string, option: string) {
    this.#path = resolve(cwd, path);
    this.#temporary = `${this.#path}.${process.pid}.tmp`;
    const refuse = (why: string, cause?: unknown): FlecheError =>
      new FlecheError('USAGE', `--${option}: "${path}" cannot be written: ${why}`, {
        hint: 'Name a file in a folder that is there and can be written to.',
        cause,
      });
    if (statSync(this.#path, { throwIfNoEntry: false })?.isDirectory() === true) throw refuse('it is a folder');
    try {
      closeSync(openSync(this.#temporary, 'w'));
    } catch (error) {
      throw refuse(messageOf(error), error);
    }
  }

  /** Puts a report there as a whole. */
  write(report: unknown): void {
    writeFileSync(this.#temporary, `${JSON.stringify(report, undefined, 2)}\n`);
    renameSync(this.#temporary, this.#path);
  }

  /** Leaves what was there before. Does nothing after `write`. */
  discard(): void {
    rmSync(this.#temporary, { force: true });
  }
}
