/** What is wrong with the configuration, gathered file by file and thrown together. Knows nothing of what is checked. */
import { ConfigErrors, type ErrorCode, FlecheError } from '../../../base/errors.ts';
import type { KeyPath, Positions } from './positions.ts';

/** A fault, at a key or at its value. */
interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly path: KeyPath;
  readonly on: 'key' | 'value';
}

/** The problems of one file. */
export class Problems {
  readonly #positions: Positions;
  readonly #found = new Map<string, Problem>();

  constructor(positions: Positions) {
    this.#positions = positions;
  }

  /** Notes a problem. What is wrong with a template is found in every package that uses it, and noted once. */
  add(problem: Problem): void {
    const { code, message, path, on } = problem;
    const name = JSON.stringify([code, message, path, on]);
    if (!this.#found.has(name)) this.#found.set(name, problem);
  }

  /** As errors with their positions, in the order of the text. */
  errors(): readonly FlecheError[] {
    const errors = [...this.#found.values()].map(({ code, message, hint, path, on }) => {
      const at = on === 'key' ? this.#positions.key(path) : this.#positions.value(path);
      return { at, error: new FlecheError(code, message, { hint, at }) };
    });
    return errors.sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column).map(({ error }) => error);
  }
}

/** Throws `ConfigErrors` with everything that was found, the files in the order given, unless nothing was. */
export function throwIfAny(files: readonly Problems[]): void {
  const [first, ...others] = files.flatMap((file) => file.errors());
  if (first !== undefined) throw new ConfigErrors([first, ...others]);
}

/** A path as it would be written in TOML, such as `tasks."my task".inputs[0]`. */
export function label(path: KeyPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${/^[\w-]+$/.test(step) ? step : JSON.stringify(step)}`;
  }
  return text;
}
