/**
 * The rules about how files hang together (core/README.md says why). They are read off the text, so that they hold for
 * type imports too and need neither compiler nor bundler.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, posix, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codeOf, filesBelow, importsOf } from './_source.ts';

const ROOT = resolve(import.meta.dirname, '..');
/** A file may import from its own folder or from one to its left, never from one to its right. */
const LAYERS = ['base', 'store', 'files', 'call', 'graph', 'app'];
/** The public interface: everything but the application. */
const INDEX = 'core/index.ts';
/** Where the library gets its caches from: the only part of the application that it needs. */
const LIBRARY = 'core/app/library.ts';
/**
 * The composition roots may read environment and folder of the process; the command's reads arguments and ends it too.
 * Plugins have no root of their own: one file asks the process for all of them.
 */
const ROOTS = ['core/app/main.ts', LIBRARY, 'plugins/machine.ts'];
/**
 * Code that touches the machine: stores, workspace, application, plugins, what runs and watches tasks, what bundles the
 * code of functions, and what describes the machine in metadata. Everything else is a function of its arguments.
 */
const SHELL = new RegExp(
  [
    '^core/(store|files|app)/',
    '^plugins/',
    '^core/graph/(code/bundle(-\\w+)?|commands/(command|process-group|running)|functions/function(-thread|-worker)?|services/readiness)\\.ts$',
    '^core/call/metadata\\.ts$',
  ].join('|'),
);
const MACHINE_MODULES = new Set(
  'fs fs/promises child_process worker_threads cluster http http2 https net tls dgram dns os sqlite v8 vm tty readline'
    .split(' ')
    .flatMap((name) => [name, `node:${name}`])
    .concat('lmdb', 'chokidar', 'fast-glob', 'esbuild'),
);
const MACHINE_CALLS =
  /(?<!\.)\bfetch\((?!\))|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|\brandomUUID\(|\brandomBytes\(/;
const PROCESS = /\bprocess\.(?:exit|exitCode|argv|env|cwd|chdir)\b/;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly code: string;
  /** What its relative imports lead to, relative to the project. */
  readonly imports: readonly string[];
  /** Packages and parts of Node that it imports for more than their types. */
  readonly packages: readonly string[];
}

function source(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const imports = importsOf(text);
  const isRelative = (specifier: string): boolean => specifier.startsWith('.');
  return {
    path,
    text,
    code: codeOf(text),
    imports: imports.flatMap(({ specifier }) => (isRelative(specifier) ? [posix.join(dirname(path), specifier)] : [])),
    packages: imports.flatMap(({ specifier, statement }) =>
      isRelative(specifier) || statement.startsWith('import type ') ? [] : [specifier],
    ),
  };
}

const sources = new Map(filesBelow(ROOT, ['core', 'plugins'], /\.ts$/).map((path) => [path, source(path)] as const));
const all = [...sources.values()];
const paths = (chosen: readonly Source[]): string[] => chosen.map((file) => file.path);

function layerOf(path: string): number {
  const [top, folder, ...rest] = path.split('/');
  return top === 'core' && folder !== undefined && rest.length > 0 ? LAYERS.indexOf(folder) : -1;
}

function mayImport(from: string, to: string): boolean {
  if (from.startsWith('plugins/')) return to === INDEX || to.startsWith('plugins/');
  if (from === INDEX) return to === LIBRARY || (layerOf(to) >= 0 && layerOf(to) < LAYERS.indexOf('app'));
  return layerOf(from) >= 0 && layerOf(to) >= 0 && layerOf(to) <= layerOf(from);
}

test('every folder of core is a layer', () => {
  assert.ok(all.length > 0);
  assert.equal(
    paths(all.filter((file) => file.path.startsWith('core/') && file.path !== INDEX && layerOf(file.path) < 0)),
    [],
  );
});

test('imports point left', () => {
  const wrong = all.flatMap((file) =>
    file.imports.filter((to) => !mayImport(file.path, to)).map((to) => `${file.path} -> ${to}`),
  );
  assert.equal(wrong, []);
});

test('there is no import cycle, type imports included', () => {
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const from = trail.indexOf(path);
    if (from >= 0) throw new Error([...trail.slice(from), path].join(' -> '));
    if (done.has(path)) return;
    for (const next of sources.get(path)?.imports ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
});

test('only the shell touches the machine', () => {
  const inner = all.filter((file) => !SHELL.test(file.path));
  const modules = inner.flatMap((file) =>
    file.packages.filter((name) => MACHINE_MODULES.has(name)).map((name) => `${file.path}: ${name}`),
  );
  assert.equal(modules, []);
  assert.equal(paths(inner.filter((file) => MACHINE_CALLS.test(file.code))), []);
});

test('only the entry reads the process and ends it', () => {
  assert.equal(paths(all.filter((file) => !ROOTS.includes(file.path) && PROCESS.test(file.code))), []);
});

test('the only barrel is the public interface', () => {
  const reExports = (file: Source): boolean =>
    importsOf(file.text).some((found) => found.statement.startsWith('export'));
  assert.equal(paths(all.filter((file) => file.path !== INDEX && reExports(file))), []);
  assert.equal(paths(all.filter((file) => /\bexport\s*\*/.test(file.code))), []);
});

/** What users import: what these files export is there for them. */
const ENTRIES = [INDEX, ...['build', 'esbuild', 'pipeline', 'transform', 'vite'].map((name) => `plugins/${name}.ts`)];
const EXPORT = /^export (?:async )?(?:abstract )?(function|class|const|let|interface|type)\*? (\w+)/gm;

/** Names that stand in the code of a file, with how often they do. */
function wordsOf(code: string): ReadonlyMap<string, number> {
  const words = new Map<string, number>();
  for (const [word] of code.matchAll(/\w+/g)) words.set(word, (words.get(word) ?? 0) + 1);
  return words;
}

test('what is exported is used elsewhere, and nothing is there for tests alone', () => {
  const own = new Map(all.map(({ path, code }) => [path, wordsOf(code)]));
  const tests = filesBelow(ROOT, ['tests'], /\.ts$/).map((path) => wordsOf(readFileSync(join(ROOT, path), 'utf8')));
  const isUsed = (file: Source, kind: string, name: string): boolean => {
    if ([...own].some(([path, words]) => path !== file.path && words.has(name))) return true;
    const isThere = kind === 'interface' || kind === 'type' || (own.get(file.path)?.get(name) ?? 0) > 1;
    return isThere && tests.some((words) => words.has(name));
  };
  const unused = all
    .filter(({ path }) => !ENTRIES.includes(path))
    .flatMap((file) =>
      [...file.code.matchAll(EXPORT)].flatMap(([, kind = '', name = '']) =>
        isUsed(file, kind, name) ? [] : [`${file.path}: ${name}`],
      ),
    );
  assert.equal(unused, []);
});

test('the architecture document names every folder and every package', () => {
  const text = readFileSync(join(ROOT, 'core/README.md'), 'utf8');
  const folders = new Set(all.map(({ path }) => dirname(path)).filter((folder) => /^core\/\w+\/\w/.test(folder)));
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const { dependencies, peerDependencies } = manifest as Readonly<Record<string, Readonly<Record<string, string>>>>;
  const packages = Object.keys({ ...dependencies, ...peerDependencies });
  assert.ok(folders.size > 0 && packages.length > 0);
  const missing = [...folders].filter((folder) => !text.includes(`\`${folder.slice('core/'.length)}\``));
  assert.equal(missing, []);
  const table = text.slice(text.indexOf('## Dependencies'));
  assert.equal(
    packages.filter((name) => !new RegExp(`^\\|[^|]*(?<![\\w@/-])${name}[ ,|]`, 'm').test(table)),
    [],
  );
});

test('every file opens with what it is', () => {
  const opens = (text: string): boolean => /^(?:#![^\n]*\n)?\/(?:\/ |\*\*\s)/.test(text);
  assert.equal(paths(all.filter((file) => !opens(file.text))), []);
});

test('no order depends on the locale', () => {
  assert.equal(paths(all.filter((file) => /\b(?:localeCompare|toLocale\w*|Intl)\b/.test(file.code))), []);
});

test('nothing is left to do', () => {
  const marks = new RegExp(`\\b(?:${['TODO', 'FIXME', 'XXX', 'HACK'].join('|')})\\b`);
  assert.equal(paths(all.filter((file) => marks.test(file.text))), []);
});

test('no file names a folder of this machine', () => {
  const general = new Set(['/', tmpdir(), '/tmp', '/home', '/usr', '/builds']);
  const folders = [ROOT, dirname(ROOT), homedir()]
    .filter((folder) => !general.has(folder))
    .map((folder) => `${folder}/`);
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const found = listed
    .split('\n')
    .filter((path) => path !== '' && statSync(join(ROOT, path), { throwIfNoEntry: false })?.isFile() === true)
    .filter((path) => {
      const text = readFileSync(join(ROOT, path), 'latin1');
      return folders.some((folder) => text.includes(folder));
    });
  assert.equal(found, []);
});

test.run();
