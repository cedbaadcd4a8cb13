/**
 * What the memoised functions of a program are made of (`code: 'closure'`): found by bundling their modules when one of
 * them is first called. What was found is remembered in a folder, so that as a rule esbuild runs only after an edit.
 *
 * What is digested is on disk; what runs was loaded from there earlier. A file that changed after the process had begun
 * may not be the one that was loaded, so a closure that has one is not known for as long as the process lives.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { FlecheError } from '../base/errors.ts';
import { folderName } from '../base/folder-name.ts';
import type { Digest } from '../base/hash.ts';
import { type AbsPath, type RelPath, toAbs, toRel } from '../base/paths.ts';
import type { CodeFinder } from '../call/memo/function/code-finder.ts';
import { projectRoot } from '../files/code/source-file.ts';
import { type CodeClosure, CodeIndex } from '../graph/code/code.ts';
import { FolderState } from '../store/folder/folder-state.ts';
import { MemoryStateStore } from '../store/memory.ts';
import type { StateStore } from '../store/state.ts';

/** An export of a module of a project. */
interface Expected {
  readonly root: AbsPath;
  readonly module: RelPath;
  readonly export: string;
}

export class CodeOnDemand implements CodeFinder {
  readonly #folder: () => string;
  readonly #started: number;
  /** Asked for by nobody yet. */
  readonly #expected = new Map<string, Expected>();
  readonly #found = new Map<string, Digest | FlecheError>();
  readonly #indexes = new Map<AbsPath, CodeIndex>();

  /** `folder` says where (absolute) things are remembered; `started` is when the process began, ms since the epoch. */
  constructor(folder: () => string, started: number) {
    this.#folder = folder;
    this.#started = started;
  }

  expect(file: string, name: string): void {
    const root = projectRoot(file);
    const id = idOf(file, name);
    if (!this.#found.has(id)) this.#expected.set(id, { root, module: toRel(root, file), export: name });
  }

  closure(file: string, name: string): Digest {
    const id = idOf(file, name);
    if (!this.#found.has(id)) {
      this.expect(file, name);
      this.#find(projectRoot(file));
    }
    const found = this.#found.get(id);
    if (typeof found === 'string') return found;
    throw found ?? new FlecheError('BUG', `bug: no closure of ${name}`);
  }

  /** Finds everything that is expected of a project: modules that are read anyway are read once. */
  #find(root: AbsPath): void {
    const asked = [...this.#expected].filter(([, expected]) => expected.root === root);
    const closures = this.#indexOf(root).closuresNow(asked.map(([, expected]) => expected));
    asked.forEach(([id, expected], at) => {
      const closure = closures[at];
      if (closure !== undefined) this.#found.set(id, this.#digestOf(expected, closure));
      this.#expected.delete(id);
    });
  }

  #indexOf(root: AbsPath): CodeIndex {
    const known = this.#indexes.get(root);
    if (known !== undefined) return known;
    const index = new CodeIndex(root, this.#stateOf(root), Date.now);
    this.#indexes.set(root, index);
    return index;
  }

  #stateOf(root: AbsPath): StateStore {
    try {
      return new FolderState(join(this.#folder(), folderName(root)));
    } catch {
      // A user without a home folder, as in some containers: every process finds out for itself.
      return new MemoryStateStore();
    }
  }

  #digestOf(expected: Expected, closure: CodeClosure | FlecheError): Digest | FlecheError {
    if (closure instanceof FlecheError) return advised(expected, closure);
    const changed = closure.consulted.find((path) => this.#changed(toAbs(expected.root, path)));
    if (changed === undefined) return closure.digest;
    return new FlecheError('CODE_CHANGED', `${changed} changed after this process had loaded its code`, {
      hint: 'Start the program again.',
    });
  }

  #changed(path: AbsPath): boolean {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats?.isFile() === true && Math.max(stats.mtimeMs, stats.ctimeMs) > this.#started;
  }
}

function idOf(file: string, name: string): string {
  return JSON.stringify([file, name]);
}

/** The error with what can be done about it where the function is wrapped. */
function advised({ module, export: name }: Expected, error: FlecheError): FlecheError {
  const { message, hint, at, cause } = error;
  const ways = `code: 'closure' is for what ${module} exports: export "${name}", name its export ({ export: '…' }), or use code: 'body' with a version.`;
  return new FlecheError(error.code, message, { hint: hint === undefined ? ways : `${hint} ${ways}`, at, cause });
}
