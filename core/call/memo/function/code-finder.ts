/**
 * Who tells what the functions of a program are made of beyond their own text: `code: 'closure'`. Bundling code is no
 * business of this layer, so the composition root says how it is done.
 */
import { FlecheError } from '../../../base/errors.ts';
import type { Digest } from '../../../base/hash.ts';

export interface CodeFinder {
  /**
   * Takes note that the code of an export (of an absolute file) may be asked for, so that questions can be answered
   * together.
   */
  expect(file: string, name: string): void;
  /**
   * The digest of an export with everything of its project that it uses. Throws `CODE_UNRESOLVED` if there is no such
   * export, `CODE_CHANGED` if the files may not be those that this process has loaded.
   */
  closure(file: string, name: string): Digest;
}

let finder: CodeFinder = {
  expect() {},
  closure(file) {
    throw new FlecheError('CODE_UNRESOLVED', `nobody was told how the code of ${file} is found`, {
      hint: 'Import the library by its name, "fleche".',
    });
  },
};

/** Says how code is found. For the composition root. */
export function setCodeFinder(next: CodeFinder): void {
  finder = next;
}

/** The way that code is found. */
export function codeFinder(): CodeFinder {
  return finder;
}
