/**
 * One workspace, before and after some changes, as each package manager is told of it. Run as a program it has these make
 * the lock files in fixtures/locks, with what npx fetches:
 *
 *     node --import tsx tests/files/lock/_workspaces.ts [name…]
 *
 * Names of registries are taken out of what they write.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/locks');

export type Moment = 'before' | 'after';

/** A file, by its path and its text. */
export type Files = Readonly<Record<string, string>>;

interface Tool {
  readonly lock: string;
  /** What npx is told. */
  readonly run: readonly string[];
  /** How a package of the workspace is asked for. */
  readonly workspace?: string;
  /** How a version of a catalog is asked for. */
  readonly catalog?: string;
  /** What is said in the root beside what is the same for all. */
  readonly root: (moment: Moment) => object;
  readonly files?: (moment: Moment) => Files;
}

type By<T> = Readonly<Record<Moment, T>>;

const KIND_OF: By<string> = { before: '3.0.2', after: '3.2.2' };
const ISOBJECT: By<string> = { before: '3.0.0', after: '4.0.0' };
const PATCH = 'patches/isarray.patch';

function patches(moment: Moment): Files {
  const name = moment === 'before' ? 'once' : 'twice';
  const text = `diff --git a/index.js b/index.js
--- a/index.js
+++ b/index.js
@@ -1,5 +1,5 @@
-var toString = {}.toString;
+var ${name} = {}.toString;
 
 module.exports = Array.isArray || function (arr) {
   return toString.call(arr) == '[object Array]';
 };
`;
  return { [PATCH]: text };
}

/** The manifests of the packages, by name. */
function packages({ workspace = 'workspace:*', catalog }: Tool, moment: Moment): Readonly<Record<string, object>> {
  const of = (before: string, after: string): string => (moment === 'before' ? before : after);
  return {
    a: { dependencies: { 'is-odd': of('3.0.0', '3.0.1') } },
    b: { dependencies: { a: workspace }, devDependencies: { 'has-flag': of('3.0.0', '4.0.0') } },
    c: { dependencies: { b: workspace } },
    d: { dependencies: { react: '17.0.2', 'use-sync-external-store': '1.2.0' } },
    e: { dependencies: { react: of('18.2.0', '18.3.1'), 'use-sync-external-store': '1.2.0' } },
    f: { dependencies: { 'is-even': '1.0.0' } },
    g: {
      dependencies: {
        num: of('npm:is-number@6.0.0', 'npm:is-number@7.0.0'),
        isobject: catalog ?? ISOBJECT[moment],
        isarray: '2.0.5',
      },
      optionalDependencies: { '@esbuild/win32-x64': of('0.21.4', '0.21.5') },
    },
    h: { peerDependencies: { react: '>=17' }, devDependencies: { react: of('16.13.1', '16.14.0'), i: workspace } },
    i: { dependencies: { h: workspace } },
  };
}

const pnpm8 = (moment: Moment): object => ({
  pnpm: { overrides: { 'kind-of': KIND_OF[moment] }, patchedDependencies: { 'isarray@2.0.5': PATCH } },
});
const pnpmWorkspace = (more = ''): Files => ({ 'pnpm-workspace.yaml': `packages:\n  - packages/*\n${more}` });
const pnpmCatalog = (moment: Moment): string => `catalog:\n  isobject: ${ISOBJECT[moment]}\n`;
const pnpm12 = (moment: Moment): string =>
  `overrides:\n  kind-of: ${KIND_OF[moment]}\npatchedDependencies:\n  isarray@2.0.5: ${PATCH}\n`;
const pnpm = (version: number): readonly string[] => ['-y', `pnpm@${version}`, 'install', '--lockfile-only'];

const berryRoot = (moment: Moment): object => ({
  resolutions: { 'kind-of': KIND_OF[moment], isarray: `patch:isarray@npm%3A2.0.5#./${PATCH}` },
});
const berry = (version: number): readonly string[] => [
  ...['-y', '-p', `@yarnpkg/cli-dist@${version}`],
  ...['yarn', 'install', '--mode=update-lockfile'],
];
/** Without a lock file here yarn looks for the project further up. */
const berryFiles = (moment: Moment): Files => ({ ...patches(moment), 'yarn.lock': '' });

export const TOOLS: Readonly<Record<string, Tool>> = {
  npm: {
    lock: 'package-lock.json',
    run: ['-y', 'npm@11', 'install', '--package-lock-only', '--omit-lockfile-registry-resolved', '--no-audit'],
    workspace: '*',
    root: (moment) => ({ overrides: { 'kind-of': KIND_OF[moment] } }),
  },
  'pnpm-8': {
    lock: 'pnpm-lock.yaml',
    run: pnpm(8),
    root: pnpm8,
    files: (moment) => ({ ...patches(moment), ...pnpmWorkspace() }),
  },
  'pnpm-10': {
    lock: 'pnpm-lock.yaml',
    run: pnpm(10),
    catalog: 'catalog:',
    root: pnpm8,
    files: (moment) => ({ ...patches(moment), ...pnpmWorkspace(pnpmCatalog(moment)) }),
  },
  'pnpm-12': {
    lock: 'pnpm-lock.yaml',
    run: pnpm(12),
    catalog: 'catalog:',
    root: () => ({}),
    files: (moment) => ({ ...patches(moment), ...pnpmWorkspace(pnpmCatalog(moment) + pnpm12(moment)) }),
  },
  'yarn-1': {
    lock: 'yarn.lock',
    // It has no way to write the lock file alone.
    run: ['-y', 'yarn@1', 'install', '--ignore-scripts', '--ignore-platform'],
    workspace: '^1.0.0',
    root: (moment) => ({ resolutions: { 'kind-of': KIND_OF[moment] } }),
  },
  'yarn-3': { lock: 'yarn.lock', run: berry(3), root: berryRoot, files: berryFiles },
  'yarn-4': {
    lock: 'yarn.lock',
    run: berry(4),
    catalog: 'catalog:',
    root: berryRoot,
    files: (moment) => ({
      ...berryFiles(moment),
      '.yarnrc.yml': `catalog:\n  isobject: ${ISOBJECT[moment]}\npackageExtensions:\n  is-even@*:\n    dependencies:\n      isobject: ${ISOBJECT[moment]}\n`,
    }),
  },
  bun: {
    lock: 'bun.lock',
    run: ['-y', 'bun@1', 'install', '--lockfile-only'],
    catalog: 'catalog:',
    root: (moment) => ({
      workspaces: { packages: ['packages/*'], catalog: { isobject: ISOBJECT[moment] } },
      overrides: { 'kind-of': KIND_OF[moment] },
      patchedDependencies: { 'isarray@2.0.5': PATCH },
    }),
    files: patches,
  },
};

/** Everything in the workspace but its lock file. */
export function filesOf(tool: Tool, moment: Moment): Files {
  const root = { name: 'locks', private: true, workspaces: ['packages/*'], devDependencies: { ms: '2.1.2' } };
  const text = (manifest: object): string => `${JSON.stringify(manifest, null, 2)}\n`;
  const members = Object.entries(packages(tool, moment)).map(
    ([name, more]) => [`packages/${name}/package.json`, text({ name, version: '1.0.0', ...more })] as const,
  );
  const others = tool.files?.(moment) ?? {};
  return { 'package.json': text({ ...root, ...tool.root(moment) }), ...Object.fromEntries(members), ...others };
}

/** The lock file that the tool made of it. */
export function lockOf(name: string, moment: Moment): string {
  return readFileSync(placeOf(name, moment), 'utf8');
}

function placeOf(name: string, moment: Moment): string {
  return join(FIXTURES, `${name}-${moment}${extname(TOOLS[name]?.lock ?? '')}`);
}

function make(name: string, tool: Tool): void {
  const folder = mkdtempSync(join(tmpdir(), 'fleche-locks-'));
  try {
    for (const moment of ['before', 'after'] as const) {
      for (const [path, text] of Object.entries(filesOf(tool, moment))) {
        // The second time there is a lock file to begin with, as there is for people.
        if (path === tool.lock && existsSync(join(folder, path))) continue;
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      // npm keeps what it finds in its lock file, whatever overrides say.
      if (name === 'npm') rmSync(join(folder, tool.lock), { force: true });
      const env = { ...process.env, CI: '', YARN_ENABLE_IMMUTABLE_INSTALLS: '0', YARN_ENABLE_TELEMETRY: '0' };
      const { status, stdout, stderr } = spawnSync('npx', tool.run, { cwd: folder, env, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name}: ${stdout}\n${stderr}`);
      const text = readFileSync(join(folder, tool.lock), 'utf8');
      writeFileSync(
        placeOf(name, moment),
        text.replace(/https?:\/\/registry\.[\w.-]+\//g, 'https://registry.example/'),
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  mkdirSync(FIXTURES, { recursive: true });
  const chosen = process.argv.slice(2);
  for (const [name, tool] of Object.entries(TOOLS)) if (chosen.length === 0 || chosen.includes(name)) make(name, tool);
}
