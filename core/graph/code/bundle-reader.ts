/**
 * How esbuild sees the project: an esbuild plugin that reads every module itself, so that it is known exactly what was
 * read, decides what stays outside the bundle, and tells modules where they are. One reader serves one build.
 */
import { isBuiltin } from 'node:module';
import { dirname, extname, isAbsolute, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Loader, OnLoadArgs, OnLoadResult, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild';
import { FlecheError } from '../../base/errors.ts';
import { type AbsPath, type RelPath, toAbs, toRel } from '../../base/paths.ts';
import { installedHome, parseManifest, splitSpecifier, upward } from '../../files/code/manifest.ts';
import type { ReadRecorder } from '../../files/code/read-recorder.ts';
import { readTsconfig, type Tsconfig } from '../../files/code/tsconfig.ts';
import { OWN_NAME } from './bundle-purity.ts';

/** One export of one module. */
export interface Entry {
  readonly module: RelPath;
  readonly export: string;
}

/** An installed package as it was found. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
}

export type BundleMode = 'digest' | 'run';

/** A last change to the text of a module. */
export type Mark = (text: string, loader: Loader) => string | Promise<string>;

/** How files are understood, by extension. */
// biome-ignore format: one table
export const LOADERS: Readonly<Record<string, Loader>> = {
  '.ts': 'ts', '.mts': 'ts', '.cts': 'ts', '.tsx': 'tsx', '.js': 'js', '.mjs': 'js', '.cjs': 'js', '.jsx': 'jsx',
  '.json': 'json', '.txt': 'text', '.md': 'text', '.html': 'text', '.css': 'text', '.svg': 'text', '.csv': 'text',
  '.sql': 'text', '.graphql': 'text', '.gql': 'text', '.wasm': 'binary', '.bin': 'binary',
};
/** What `with { type: '…' }` asks for. */
const BY_ATTRIBUTE: Readonly<Record<string, Loader>> = { json: 'json', text: 'text', bytes: 'binary' };
const SCRIPTS: ReadonlySet<string> = new Set(['ts', 'tsx', 'js', 'jsx']);
/** The order in which a missing extension is filled in. */
export const EXTENSIONS: string[] = ['.tsx', '.ts', '.jsx', '.js', '.json'];

/** Namespaces of modules that are made here. */
export const ENTRY = 'fleche-entry';
export const META = 'fleche-meta';
export const PACKAGE = 'fleche-package';

/** What a module can know of its own place: each is replaced by an identifier that the module is given. */
export const PLACE = { url: 'fleche_url', dirname: 'fleche_dirname', filename: 'fleche_filename' } as const;
const MENTIONS_PLACE = /\bimport\.meta\b|\b__dirname\b|\b__filename\b/;
const IS_MODULE = /^[^\S\n]*(?:import|export)\b|[;}]\s*(?:import|export)\b/m;

/** Imports by name: neither `..`, `../..` nor `/` in front. */
const BY_NAME = /^[^./\\]|^\.[^./\\]|^\.\.[^/\\]/;
/** Marks a question that this plugin asks itself. */
const ASKED = Symbol('asked');

export class Reader {
  readonly recorder: ReadRecorder;
  readonly plugin: Plugin;
  /** Paths that decide what the imports of a module mean, by the module's path. */
  readonly consulted: Map<string, Set<AbsPath>> = new Map();
  /** By what stands for them in the bundle. */
  readonly packages: Map<string, InstalledPackage> = new Map();
  readonly #entries: readonly Entry[];
  readonly #mode: BundleMode;
  readonly #mark: Mark;
  readonly #tsconfigs = new Map<AbsPath, Tsconfig>();

  constructor(recorder: ReadRecorder, entries: readonly Entry[], mode: BundleMode, mark: Mark) {
    this.recorder = recorder;
    this.#entries = entries;
    this.#mode = mode;
    this.#mark = mark;
    this.plugin = { name: 'fleche', setup: (build) => this.#setUp(build) };
  }

  #setUp(build: PluginBuild): void {
    for (const namespace of [ENTRY, META]) {
      build.onResolve({ filter: new RegExp(`^${namespace}:`) }, ({ path }) => ({
        path: path.slice(namespace.length + 1),
        namespace,
        sideEffects: namespace === ENTRY,
      }));
    }
    build.onLoad({ filter: /.*/, namespace: ENTRY }, ({ path }) => this.#entry(path));
    build.onLoad({ filter: /.*/, namespace: META }, ({ path }) => ({ contents: this.#place(path), loader: 'js' }));
    build.onLoad({ filter: /.*/, namespace: PACKAGE }, ({ path }) => ({
      contents: `module.exports=${JSON.stringify(path)}`,
      loader: 'js',
    }));
    build.onResolve({ filter: BY_NAME }, (args) => this.#resolve(build, args));
    build.onLoad({ filter: /.*/, namespace: 'file' }, (args) => this.#load(args));
  }

  #entry(index: string): OnLoadResult {
    const entry = this.#entries[Number(index)];
    if (entry === undefined) throw new FlecheError('BUG', `bug: no entry ${index}`);
    const contents = `export{${JSON.stringify(entry.export)} as task}from${JSON.stringify(`./${entry.module}`)};`;
    return { contents, loader: 'js', resolveDir: this.recorder.root };
  }

  /** The module that tells another one where it is. A digest knows no more than its place inside the project. */
  #place(path: string): string {
    const isDigest = this.#mode === 'digest';
    const file = isDigest ? path : toAbs(this.recorder.root, path);
    const url = isDigest ? path : pathToFileURL(file).href;
    const place = { url, dirname: isDigest ? posix.dirname(path) : dirname(file), filename: file };
    return (['url', 'dirname', 'filename'] as const)
      .map((name) => `export const ${PLACE[name]}=${JSON.stringify(place[name])};`)
      .join('');
  }

  async #resolve(build: PluginBuild, args: OnResolveArgs): Promise<OnResolveResult | undefined> {
    const { path, kind, importer, namespace, resolveDir } = args;
    if (args.pluginData === ASKED || kind === 'entry-point' || namespace !== 'file' || isAbsolute(path))
      return undefined;
    if (path.startsWith('node:') || isBuiltin(path))
      return this.#outside(`node:${path.replace(/^node:/, '')}`, path, false);
    if (/^(?:data|https?):/.test(path)) return undefined;
    this.#consult(importer, resolveDir, path);
    const found = await build.resolve(path, { kind, importer, namespace, resolveDir, pluginData: ASKED });
    // What is wrong with it esbuild says better by itself.
    if (found.errors.length > 0 || found.external || found.namespace !== 'file') return undefined;
    const { name, subpath } = splitSpecifier(path);
    // fleche itself stays outside even where it is linked into a project.
    const home = name === OWN_NAME ? this.#manifestAbove(found.path) : installedHome(found.path);
    if (home === undefined || found.path.endsWith('.json')) return undefined;
    this.consulted.get(importer)?.add(toAbs(home, 'package.json'));
    const installed = this.#installed(home);
    const id = `${installed.name}@${installed.version}${subpath}`;
    this.packages.set(id, installed);
    const target = kind.startsWith('require') ? found.path : pathToFileURL(found.path).href;
    return this.#outside(id, target, name === OWN_NAME ? false : found.sideEffects);
  }

  /** What stays out of the bundle. In a digest a CommonJS stand-in: of that, only the names that are used are left. */
  #outside(id: string, target: string, sideEffects: boolean): OnResolveResult {
    if (this.#mode === 'run') return { path: target, external: true, sideEffects };
    return { path: id, namespace: PACKAGE, sideEffects };
  }

  #manifestAbove(file: string): AbsPath | undefined {
    for (const folder of upward(dirname(file))) {
      if (!this.recorder.missed(toAbs(folder, 'package.json'))) return toAbs(folder, '.');
    }
    return undefined;
  }

  #installed(home: AbsPath): InstalledPackage {
    const { name, version } = parseManifest(this.recorder.read(toAbs(home, 'package.json'))?.toString());
    return { name: name ?? posix.basename(home.replaceAll('\\', '/')), version: version ?? '0.0.0' };
  }

  /** Notes everything that decides what a name means to a module. */
  #consult(importer: string, resolveDir: string, specifier: string): void {
    const { recorder } = this;
    const paths = this.consulted.get(importer) ?? new Set();
    this.consulted.set(importer, paths);
    const missed = (path: AbsPath): boolean => {
      paths.add(path);
      return recorder.missed(path);
    };
    const passOver = (base: AbsPath): void => {
      for (const candidate of candidates(base)) if (recorder.passedOver(candidate)) paths.add(candidate);
    };
    const { name, subpath } = splitSpecifier(specifier);
    for (const folder of upward(resolveDir)) {
      const place = toAbs(folder, `node_modules/${name}`);
      if (missed(toAbs(folder, 'node_modules')) || missed(place)) continue;
      const home = recorder.follow(place);
      if (home === undefined) continue;
      const manifest = toAbs(home, 'package.json');
      paths.add(manifest);
      const { main = 'index' } = parseManifest(recorder.saw(manifest)?.toString());
      passOver(toAbs(home, subpath === '' ? main : `.${subpath}`));
      break;
    }
    for (const place of this.tsconfigAbove(resolveDir)?.places(specifier) ?? []) passOver(place);
  }

  /** The configuration that holds for the modules in a folder. */
  tsconfigAbove(folder: string): Tsconfig | undefined {
    for (const above of upward(folder)) {
      for (const name of ['tsconfig.json', 'jsconfig.json']) {
        const path = toAbs(above, name);
        const known = this.#tsconfigs.get(path);
        if (known !== undefined) return known;
        if (this.recorder.missed(path)) continue;
        const read = readTsconfig(path, (file) => this.recorder.saw(file)?.toString());
        this.#tsconfigs.set(path, read);
        return read;
      }
    }
    return undefined;
  }

  async #load(args: OnLoadArgs): Promise<OnLoadResult | undefined> {
    const loader = BY_ATTRIBUTE[args.with['type'] ?? ''] ?? LOADERS[extname(args.path)];
    const bytes = loader === undefined ? undefined : this.recorder.read(args.path as AbsPath);
    if (loader === undefined || bytes === undefined) return undefined;
    if (!SCRIPTS.has(loader)) return { contents: bytes, loader };
    const text = await this.#mark(bytes.toString(), loader);
    return { contents: MENTIONS_PLACE.test(text) ? this.#placed(text, args.path) : text, loader };
  }

  /**
   * Gives a module the constants of its place. An ES module imports them, so that it has them before any other module
   * can call it; what is none declares them.
   */
  #placed(text: string, file: string): string {
    const path = toRel(this.recorder.root, file);
    if (IS_MODULE.test(text)) {
      return `${text}\nimport{${Object.values(PLACE).join(',')}}from${JSON.stringify(`${META}:${path}`)};`;
    }
    const start = text.startsWith('#!') ? text.indexOf('\n') + 1 : 0;
    return text.slice(0, start) + this.#place(path).replaceAll('export const ', 'var ') + text.slice(start);
  }
}

/** Where a file may be that is imported as `base`. */
export function candidates(base: AbsPath): readonly AbsPath[] {
  const index = toAbs(base, 'index');
  const paths: string[] = [base, toAbs(base, 'package.json')];
  for (const extension of EXTENSIONS) paths.push(base + extension, index + extension);
  const [, stem, kind = ''] = /^(.*)\.([mc]?)jsx?$/.exec(base) ?? [];
  if (stem !== undefined) paths.push(`${stem}.${kind}ts`, `${stem}.tsx`);
  return paths as AbsPath[];
}
