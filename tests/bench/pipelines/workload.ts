/**
 * The workspaces that runners are measured on: packages in layers, each with source files and one task that reads them
 * and what its dependencies made. Knows no runner. What a task must write is computed from the sources, and a log beside
 * the workspace says which tasks really ran, whatever a runner prints.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Package {
  /** Also the name of its folder in packages/. */
  readonly name: string;
  readonly dir: string;
  /** Names of packages whose tasks come first. */
  readonly deps: readonly string[];
  /** Run as `sh build.sh` in the folder of the package. */
  readonly script: string;
  /** Globs and paths relative to the folder of the package. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly products: readonly string[];
}

export interface Workload {
  readonly root: string;
  /** Outside the root; every task that runs appends its name. */
  readonly ranLog: string;
  /** Dependencies come first. */
  readonly packages: readonly Package[];
  /** Packages nothing depends on. */
  readonly tops: readonly string[];
  readonly size: Size;
}

interface Size {
  readonly packages: number;
  /** In each package. */
  readonly files: number;
  /** Of each file. */
  readonly bytes: number;
  readonly deps: number;
}

export const SIZES: Readonly<Record<string, Size>> = {
  small: { packages: 10, files: 10, bytes: 1024, deps: 2 },
  medium: { packages: 100, files: 50, bytes: 1024, deps: 3 },
  large: { packages: 1000, files: 20, bytes: 1024, deps: 3 },
  many: { packages: 10, files: 10_000, bytes: 256, deps: 2 },
};

/** What a runner adds to a workspace. */
export interface Additions {
  /** Lines for .gitignore. */
  readonly ignored?: readonly string[];
  /** Changes the package.json of a package. */
  manifest?(pkg: Package, manifest: Record<string, unknown>): void;
  rootManifest?(manifest: Record<string, unknown>, workload: Workload): void;
  /** Its configuration, by path. */
  files?(workload: Workload): Iterable<readonly [path: string, text: string]>;
}

/** A workload that is nowhere yet. The same root and size always give the same. */
export function workloadOf(root: string, size: Size): Workload {
  const ranLog = `${root}.ran`;
  const names = Array.from({ length: size.packages }, (_, at) => `p${String(at).padStart(4, '0')}`);
  const width = Math.ceil(Math.sqrt(size.packages));
  const random = numbers(1);
  const packages = names.map((name, at): Package => {
    const below = Math.floor(at / width) - 1;
    const layer = below < 0 ? [] : names.slice(below * width, (below + 1) * width);
    const deps = chosen(layer, size.deps, random);
    const sums = deps.map((dep) => ` ../${dep}/dist/sum.txt`).join('');
    return {
      name,
      dir: `packages/${name}`,
      deps,
      script: `mkdir -p dist\ncat src/*.txt | tee dist/all.txt | cat -${sums} | cksum > dist/sum.txt\necho ${name} >> ${ranLog}\n`,
      inputs: ['src/**', 'build.sh', 'package.json'],
      outputs: ['dist/**'],
      products: ['dist/all.txt', 'dist/sum.txt'],
    };
  });
  const used = new Set(packages.flatMap(({ deps }) => deps));
  return { root, ranLog, packages, tops: names.filter((name) => !used.has(name)), size };
}

/** Numbers from 0 to 1 that are the same everywhere (a linear congruence). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function chosen(from: readonly string[], count: number, random: () => number): string[] {
  const left = [...from];
  const taken: string[] = [];
  while (taken.length < count && left.length > 0) taken.push(...left.splice(Math.floor(random() * left.length), 1));
  return taken.sort();
}

/** Names of the packages that depend on one, directly or not. */
export function dependentsOf({ packages }: Workload, name: string): readonly string[] {
  const reached = new Set([name]);
  for (const { name, deps } of packages) if (deps.some((dep) => reached.has(dep))) reached.add(name);
  reached.delete(name);
  return [...reached];
}

/** Writes the workspace anew, as a git repository where there is git. */
export function writeWorkload(workload: Workload, additions: Additions): void {
  const { root, packages, size } = workload;
  removeWorkload(workload);
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const random = numbers(2);
  for (const pkg of packages) {
    for (let at = 0; at < size.files; at++) {
      const name = sourceName(at);
      const head = `${pkg.name}/${name} `;
      put(`${pkg.dir}/src/${name}`, `${head}${letters(size.bytes - head.length - 1, random)}\n`);
    }
    put(`${pkg.dir}/src/NOTE.md`, `A note that nothing depends on, of ${pkg.name}.\n`);
    put(`${pkg.dir}/build.sh`, pkg.script);
    const manifest: Record<string, unknown> = {
      name: pkg.name,
      version: '1.0.0',
      private: true,
      scripts: { build: 'sh build.sh' },
      dependencies: Object.fromEntries(pkg.deps.map((dep) => [dep, '1.0.0'])),
    };
    additions.manifest?.(pkg, manifest);
    put(`${pkg.dir}/package.json`, json(manifest));
  }
  const manifest: Record<string, unknown> = {
    name: 'bench',
    version: '1.0.0',
    private: true,
    workspaces: ['packages/*'],
    packageManager: 'npm@11.0.0',
    scripts: {},
  };
  additions.rootManifest?.(manifest, workload);
  put('package.json', json(manifest));
  put('package-lock.json', json(lockOf(workload)));
  mkdirSync(join(root, 'node_modules'));
  for (const { name, dir } of packages) symlinkSync(`../${dir}`, join(root, 'node_modules', name));
  put('.gitignore', ['node_modules', 'dist', ...(additions.ignored ?? []), ''].join('\n'));
  for (const [path, text] of additions.files?.(workload) ?? []) put(path, text);
  commit(root);
}

export function sourceName(at: number): string {
  return `f${String(at).padStart(5, '0')}.txt`;
}

function letters(count: number, random: () => number): string {
  let text = '';
  while (text.length < count) text += random().toString(36).slice(2);
  return text.slice(0, Math.max(0, count));
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function lockOf({ packages }: Workload): unknown {
  const entries: Record<string, unknown> = { '': { name: 'bench', version: '1.0.0', workspaces: ['packages/*'] } };
  for (const { name, dir, deps } of packages) {
    entries[`node_modules/${name}`] = { resolved: dir, link: true };
    entries[dir] = { name, version: '1.0.0', dependencies: Object.fromEntries(deps.map((dep) => [dep, '1.0.0'])) };
  }
  return { name: 'bench', version: '1.0.0', lockfileVersion: 3, requires: true, packages: entries };
}

/** Some runners ask git what changed, which is faster than what they do without. */
function commit(root: string): void {
  const git = (...args: string[]): void => {
    const settings = ['gc.auto=0', 'maintenance.auto=false', 'user.name=bench', 'user.email=bench@localhost'];
    execFileSync('git', [...settings.flatMap((setting) => ['-c', setting]), ...args], { cwd: root, stdio: 'ignore' });
  };
  try {
    git('init', '-q');
    git('add', '-A');
    git('commit', '-q', '-m', 'bench');
    git('status', '--porcelain');
  } catch (error) {
    console.error(`without git: ${String(error)}`);
  }
}

function removeWorkload({ root, ranLog }: Workload): void {
  rmSync(root, { recursive: true, force: true });
  rmSync(ranLog, { force: true });
}

export function removeOutputs({ root, packages }: Workload): void {
  for (const { dir } of packages) rmSync(join(root, dir, 'dist'), { recursive: true, force: true });
}

/** Names of the tasks that ran since this was asked last, sorted; one that ran twice is there twice. */
export function takeRan({ ranLog }: Workload): readonly string[] {
  let text = '';
  try {
    text = readFileSync(ranLog, 'utf8');
  } catch {
    // None has run yet.
  }
  writeFileSync(ranLog, '');
  return text.split('\n').filter(Boolean).sort();
}

/** The outputs that are not what the sources say, by path. */
export function wrongOutputs({ root, packages }: Workload): readonly string[] {
  const sums = new Map<string, Buffer>();
  const wrong: string[] = [];
  for (const { name, dir, deps } of packages) {
    const sources = readdirSync(join(root, dir, 'src')).filter((file) => file.endsWith('.txt'));
    const all = Buffer.concat(sources.sort().map((file) => readFileSync(join(root, dir, 'src', file))));
    const sum = Buffer.from(cksum(Buffer.concat([all, ...deps.map((dep) => sums.get(dep) ?? Buffer.of())])));
    sums.set(name, sum);
    for (const [file, expected] of [['all.txt', all] as const, ['sum.txt', sum] as const]) {
      const path = `${dir}/dist/${file}`;
      if (!holds(join(root, path), expected)) wrong.push(path);
    }
  }
  return wrong;
}

function holds(path: string, expected: Buffer): boolean {
  try {
    return readFileSync(path).equals(expected);
  } catch {
    return false;
  }
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

/** What the POSIX command of this name prints for its standard input. */
function cksum(bytes: Buffer): string {
  let crc = 0;
  const step = (byte: number): void => {
    crc = ((crc << 8) ^ (CRC[((crc >>> 24) ^ byte) & 255] ?? 0)) >>> 0;
  };
  for (const byte of bytes) step(byte);
  for (let rest = bytes.length; rest > 0; rest = Math.floor(rest / 256)) step(rest & 255);
  return `${~crc >>> 0} ${bytes.length}\n`;
}
