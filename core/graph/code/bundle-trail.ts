/**
 * What each entry of a build depends on, taken from what the build tells of all of them together: the modules it
 * reaches, the files that steer how they are read, and the names that would have led elsewhere had they been there.
 */
import { dirname } from 'node:path';
import type { Metafile } from 'esbuild';
import { isDigest } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import { type AbsPath, isWithin, type RelPath, toAbs, toRel } from '../../base/paths.ts';
import { upward } from '../../files/code/manifest.ts';
import type { ReadSet } from '../../files/code/read-set.ts';
import { candidates, ENTRY, type InstalledPackage, META, PACKAGE, type Reader } from './bundle-reader.ts';

/** Files that steer how the modules of their folder, and of those below, are read. */
const STEERING = ['package.json', 'tsconfig.json', 'jsconfig.json'];

type Import = Metafile['inputs'][string]['imports'][number];

/** An import like import(`./${name}.ts`), which takes in every file that fits. */
function isPattern({ path, external }: Import): boolean {
  return external === true && path.startsWith('.') && path.includes('*');
}

export class Trail {
  readonly #metafile: Metafile;
  readonly #reader: Reader;
  /** Paths that a module brings along, itself included, by its name in the metafile. */
  readonly #brought = new Map<string, ReadonlySet<AbsPath>>();

  constructor(metafile: Metafile, reader: Reader) {
    this.#metafile = metafile;
    this.#reader = reader;
  }

  of(index: number): {
    readonly files: readonly RelPath[];
    readonly packages: readonly InstalledPackage[];
    readonly readSet: ReadSet;
    readonly folders: readonly RelPath[];
  } {
    const inputs = this.#reached(`${ENTRY}:${index}`);
    const paths = new Set(inputs.flatMap((input) => [...this.#bring(input)]));
    const seen = this.#reader.recorder.readSet(paths);
    const files = seen.reads
      .filter(({ path, digest }) => isDigest(digest ?? '') && !/(?:^|\/)node_modules\//.test(path))
      .map(({ path }) => path);
    // Which files a pattern will match later is not a matter of the paths that are known now.
    const folders = inputs.flatMap((input) =>
      this.#imports(input)
        .filter(isPattern)
        .map(({ path }) => this.#folderOf(input, path)),
    );
    return {
      files: files.sort(byCodeUnit),
      packages: this.#packages(index),
      readSet: { ...seen, settled: seen.settled && folders.length === 0 },
      folders,
    };
  }

  #packages(index: number): readonly InstalledPackage[] {
    const left = new Map<string, InstalledPackage>();
    for (const input of Object.keys(this.#metafile.outputs[`${index}.js`]?.inputs ?? {})) {
      const found = this.#reader.packages.get(input.slice(PACKAGE.length + 1));
      if (found !== undefined && input.startsWith(`${PACKAGE}:`)) left.set(`${found.name}@${found.version}`, found);
    }
    return [...left].sort(([a], [b]) => byCodeUnit(a, b)).map(([, found]) => found);
  }

  /** Names of all modules that an entry can reach. */
  #reached(start: string): readonly string[] {
    const reached = new Set([start]);
    for (const name of reached) {
      for (const one of this.#imports(name)) {
        if (isPattern(one)) for (const match of this.#matches(name, one.path)) reached.add(match);
        else if (!one.external) reached.add(one.path);
      }
    }
    return [...reached];
  }

  #imports(input: string): readonly Import[] {
    return this.#metafile.inputs[input]?.imports ?? [];
  }

  /** The modules that an import by pattern takes in, and maybe some others below the same folder. */
  #matches(importer: string, pattern: string): readonly string[] {
    const folder = this.#folderOf(importer, pattern);
    return Object.keys(this.#metafile.inputs).filter((input) => isWithin(folder, input));
  }

  /** Where everything lies that an import by pattern can take in. */
  #folderOf(importer: string, pattern: string): RelPath {
    const { root } = this.#reader.recorder;
    const folder = pattern.slice(0, pattern.lastIndexOf('/', pattern.indexOf('*')));
    return toRel(root, toAbs(dirname(toAbs(root, importer)), folder));
  }

  #bring(input: string): ReadonlySet<AbsPath> {
    const known = this.#brought.get(input);
    if (known !== undefined) return known;
    const paths = new Set<AbsPath>();
    this.#brought.set(input, paths);
    const { recorder, consulted } = this.#reader;
    if (input.startsWith(`${META}:`) || input.startsWith(`${PACKAGE}:`)) return paths;
    const isEntry = input.startsWith(`${ENTRY}:`);
    const file = toAbs(recorder.root, isEntry ? ENTRY : input);
    if (!isEntry) {
      paths.add(file);
      this.#steer(dirname(file), paths);
      for (const path of consulted.get(file) ?? []) paths.add(path);
    }
    for (const one of this.#imports(input)) {
      const { path, original = path, external } = one;
      if (isPattern(one) || !/^\.{1,2}(?:[/\\]|$)/.test(original)) continue;
      this.#preferred(toAbs(dirname(file), original), external ? undefined : toAbs(recorder.root, path), paths);
    }
    return paths;
  }

  #steer(folder: string, paths: Set<AbsPath>): void {
    for (const above of upward(folder)) {
      for (const name of STEERING) {
        const path = toAbs(above, name);
        this.#reader.recorder.saw(path);
        paths.add(path);
      }
    }
    for (const path of this.#reader.tsconfigAbove(folder)?.files ?? []) paths.add(path);
  }

  /** What would stand before the file that a relative import led to, and the links on the way to it. */
  #preferred(base: AbsPath, resolved: AbsPath | undefined, paths: Set<AbsPath>): void {
    if (resolved === base) return;
    const { recorder } = this.#reader;
    const all = candidates(base);
    const isLinked = resolved !== undefined && !all.includes(resolved);
    for (const candidate of all) {
      if (candidate === resolved) continue;
      if (recorder.passedOver(candidate)) paths.add(candidate);
      else if (isLinked && recorder.follow(candidate) !== undefined) paths.add(candidate);
    }
  }
}
