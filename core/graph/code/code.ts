/**
 * Code identity: the digest of what one export of a module is made of. It is the digest of the export's tree-shaken
 * bundle, so comments, formatting, types and unrelated functions do not count, whereas a helper three imports away, a
 * constant, a new side effect or the version of an imported package does. What code reads by itself while it runs
 * (files, require() at run time) is not part of it: that belongs to a task's arguments and inputs.
 *
 * A closure holds for the files as they are when it is asked for. The index answers from stat calls alone while nothing
 * changed since the last time.
 */
import { FlecheError } from '../../base/errors.ts';
import { type Digest, frame, sha256 } from '../../base/hash.ts';
import type { AbsPath, RelPath } from '../../base/paths.ts';
import { realPath } from '../../files/code/probe.ts';
import { agree, type ReadSet } from '../../files/code/read-set.ts';
import { ReadValidator } from '../../files/code/read-validator.ts';
import type { StateStore } from '../../store/state.ts';
import { type Bundle, bundle } from './bundle.ts';
import { bundleNow } from './bundle-now.ts';
import type { Entry, InstalledPackage } from './bundle-reader.ts';
import { CodeMemory, type Identity } from './code-memory.ts';

/** The code of one export. */
export interface CodeClosure {
  readonly digest: Digest;
  /**
   * Project files by which the code can be affected, sorted, with the package.json and tsconfig.json files that steer
   * how they are read. Each stands for more than is left of it after tree shaking.
   */
  readonly files: readonly RelPath[];
  /** Everything that was looked at to find this out: files, names that were not there, folders, what links led to. */
  readonly consulted: readonly RelPath[];
  /** Folders below which everything counts that fits a pattern of an import. */
  readonly folders: readonly RelPath[];
  /** Installed packages that the code imports, sorted by name. */
  readonly packages: readonly InstalledPackage[];
  /**
   * The code to run: an ES module whose only export is `task`, with an inline source map, made anew at each call. It
   * names files of this machine. Throws `CODE_CHANGED` if a file is no longer what it was when the digest was taken.
   */
  bundle(): Promise<string>;
}

/** A clock that makes every file look too young to be relied on later. */
const NEVER_SETTLED = (): number => 0;

/** Format version 1. */
function digestOf(name: string, { text }: Bundle): Digest {
  return sha256(`f1b${frame(name)}${text}`);
}

/** What a closure was found by; what is remembered knows no folders. */
type Seen = Pick<Bundle, 'files' | 'readSet'> & Partial<Pick<Bundle, 'folders'>>;

class Closure implements CodeClosure {
  readonly digest: Digest;
  readonly files: readonly RelPath[];
  readonly packages: readonly InstalledPackage[];
  readonly #root: AbsPath;
  readonly #entry: Entry;
  readonly folders: readonly RelPath[];
  readonly #readSet: ReadSet;

  constructor(root: AbsPath, entry: Entry, identity: Identity, seen: Seen) {
    this.digest = identity.digest;
    this.packages = identity.packages;
    this.files = seen.files;
    this.folders = seen.folders ?? [];
    this.#root = root;
    this.#entry = { module: entry.module, export: entry.export };
    this.#readSet = seen.readSet;
  }

  get consulted(): readonly RelPath[] {
    const { reads, links } = this.#readSet;
    return [...reads.map(({ path }) => path), ...links.flatMap(([path, target]) => [path, target ?? path])];
  }

  async bundle(): Promise<string> {
    const [made] = await bundle(this.#root, [this.#entry], 'run', NEVER_SETTLED);
    if (made !== undefined && agree(this.#readSet, made.readSet)) return made.text;
    throw new FlecheError('CODE_CHANGED', `the code of ${this.#entry.module} changed while it was about to run`, {
      hint: 'Run it again.',
    });
  }
}

interface Request {
  readonly entry: Entry;
  readonly resolve: (closure: CodeClosure) => void;
  readonly reject: (error: unknown) => void;
}

/** Answers for the exports of one project, from memory where the files stand as they stood. */
export class CodeIndex {
  readonly #givenRoot: AbsPath;
  readonly #memory: CodeMemory;
  readonly #now: () => number;
  #root: AbsPath | undefined;
  #queue: Request[] = [];

  /** `now`: ms since the epoch, by the clock that stamps files. */
  constructor(root: AbsPath, state: StateStore, now: () => number) {
    this.#givenRoot = root;
    this.#memory = new CodeMemory(state);
    this.#now = now;
  }

  /** The closure as of now. Questions of one turn of the event loop are answered together. Throws `CODE_UNRESOLVED`. */
  closure(module: RelPath, name: string): Promise<CodeClosure> {
    return new Promise((resolve, reject) => {
      if (this.#queue.push({ entry: { module, export: name }, resolve, reject }) > 1) return;
      setImmediate(() => {
        const requests = this.#queue;
        this.#queue = [];
        this.#answer(requests).catch((error: unknown) => {
          for (const request of requests) request.reject(error);
        });
      });
    });
  }

  /**
   * Closures as of now, for those who cannot wait: the thread stands still for what was not answered before. What is
   * wrong with one stands in its place, `CODE_UNRESOLVED`. Throws `CODE_UNRESOLVED` if nothing can be bundled here.
   */
  closuresNow(entries: readonly Entry[]): readonly (CodeClosure | FlecheError)[] {
    this.#root ??= realPath(this.#givenRoot);
    const root = this.#root;
    const validator = new ReadValidator(root, this.#now);
    const known = entries.map((entry) => this.#recalled(root, entry, validator));
    const open = entries.filter((_, at) => known[at] === undefined);
    const made = open.length === 0 ? [] : bundleNow(root, open);
    return entries.map((entry, at) => {
      const one = known[at] ?? made[open.indexOf(entry)];
      if (one === undefined) throw new FlecheError('BUG', 'bug: a build without a result');
      return one instanceof FlecheError || one instanceof Closure ? one : this.#made(root, entry, one);
    });
  }

  async #answer(requests: readonly Request[]): Promise<void> {
    this.#root ??= realPath(this.#givenRoot);
    const root = this.#root;
    const validator = new ReadValidator(root, this.#now);
    const open = requests.filter(({ entry, resolve }) => {
      const closure = this.#recalled(root, entry, validator);
      if (closure !== undefined) resolve(closure);
      return closure === undefined;
    });
    if (open.length > 0) await this.#make(root, open);
  }

  async #make(root: AbsPath, requests: readonly Request[]): Promise<void> {
    let made: readonly Bundle[];
    try {
      made = await bundle(
        root,
        requests.map(({ entry }) => entry),
        'digest',
        this.#now,
      );
    } catch (error) {
      // One fault fails the build of all: each by itself then, so that the others are answered.
      if (requests.length > 1) for (const request of requests) await this.#make(root, [request]);
      else for (const { reject } of requests) reject(error);
      return;
    }
    requests.forEach(({ entry, resolve }, index) => {
      const one = made[index];
      if (one !== undefined) resolve(this.#made(root, entry, one));
    });
  }

  #made(root: AbsPath, entry: Entry, bundle: Bundle): CodeClosure {
    const identity = { digest: digestOf(entry.export, bundle), packages: bundle.packages };
    this.#memory.remember(entry, identity, bundle);
    return new Closure(root, entry, identity, bundle);
  }

  #recalled(root: AbsPath, entry: Entry, validator: ReadValidator): Closure | undefined {
    const memory = this.#memory.recall(entry.module, validator);
    const identity = memory?.exports.get(entry.export);
    return memory === undefined || identity === undefined ? undefined : new Closure(root, entry, identity, memory);
  }
}
