/**
 * What cached plugins save and cost, as the table in plugins/README.md: `npm run bench plugins -- [recipe…] [--modules=N]
 * [--rounds=N]`. Builds with Vite and esbuild, each in a process of its own and in turn without a cache, with an empty one,
 * with a filled one, and with a plugin that answers at once. From the call of the bundler to its end; medians of the rounds,
 * ratios within a round, by time and in brackets by processor time of the process. Packages that are not the project's own are
 * installed in a temporary folder.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Recipe, SOURCES, writeSources } from './_plugin-sources.ts';

/** A filled cache is that of the build before. */
const TURNS = [
  ['without', 'cold', 'warm', 'instant'],
  ['cold', 'warm', 'without', 'instant'],
] as const;
type Mode = (typeof TURNS)[number][number];

interface Outcome {
  /** ms. */
  readonly time: number;
  /** Of the whole process, ms. */
  readonly processor: number;
  readonly output: string;
  readonly hits: number;
}

/** By recipe its name, its bundler's package, and the usual number of modules. */
const SHOWN: Readonly<Record<Recipe, readonly [name: string, bundler: string, modules: number]>> = {
  vue: ['Vue', 'vite', 300],
  svelte: ['Svelte', 'vite', 300],
  mdx: ['MDX', 'esbuild', 300],
  svgr: ['SVGR', 'vite', 100],
  babel: ['Babel', 'vite', 100],
  postcss: ['Tailwind', 'esbuild', 100],
};

const given = process.argv.slice(2);
const option = (name: string): number | undefined => {
  const found = given.find((word) => word.startsWith(`--${name}=`));
  return found === undefined ? undefined : Number(found.slice(name.length + 3));
};
const named = given.filter((word) => !word.startsWith('--')) as Recipe[];
const unknown = named.filter((recipe) => SHOWN[recipe] === undefined);
if (unknown.length > 0) throw new Error(`no recipe ${unknown.join()}; there are ${Object.keys(SHOWN).join(', ')}`);

console.log('| | modules | without | empty cache | filled cache | answers at once |\n|---|---|---|---|---|---|');
for (const recipe of named.length > 0 ? named : (Object.keys(SHOWN) as Recipe[])) {
  console.log(measured(recipe, option('modules') ?? SHOWN[recipe][2], option('rounds') ?? 5));
}

/** One line of the table. */
function measured(recipe: Recipe, count: number, rounds: number): string {
  const root = mkdtempSync(join(tmpdir(), 'fleche-bench-'));
  try {
    writeSources(recipe, root, count);
    install(root, SOURCES[recipe].packages);
    const outcomes: Record<Mode, Outcome[]> = { without: [], instant: [], cold: [], warm: [] };
    // The first round warms up what the system keeps of files, and takes down what is answered at once.
    for (let round = 0; round <= rounds; round++) {
      for (const mode of TURNS[round % 2] ?? TURNS[0]) {
        if (mode === 'cold') rmSync(join(root, '.fleche'), { recursive: true, force: true });
        const outcome = build(recipe, root, mode);
        if (round > 0) outcomes[mode].push(outcome);
      }
    }
    return line(recipe, root, count, outcomes);
  } finally {
    rmSync(root, { recursive: true });
  }
}

function install(root: string, packages: readonly string[]): void {
  if (packages.length === 0) {
    symlinkSync(resolve(import.meta.dirname, '../../node_modules'), join(root, 'node_modules'), 'dir');
    return;
  }
  const { status } = spawnSync('npm', ['install', '--silent', '--no-audit', ...packages], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`cannot install ${packages.join(' ')}`);
}

function build(recipe: Recipe, root: string, mode: Mode): Outcome {
  const program = join(import.meta.dirname, '_plugin-build.mjs');
  const child = spawnSync(process.execPath, [program, recipe, root, mode], { encoding: 'utf8', cwd: root });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '') as Outcome;
}

function line(
  recipe: Recipe,
  root: string,
  count: number,
  outcomes: Readonly<Record<Mode, readonly Outcome[]>>,
): string {
  const [name, bundler] = SHOWN[recipe];
  const all = Object.values(outcomes).flat();
  if (new Set(all.map(({ output }) => output)).size > 1) throw new Error(`${recipe}: outputs differ`);
  if (outcomes.warm.some(({ hits }) => hits === 0)) throw new Error(`${recipe}: nothing was found in the filled cache`);
  const manifest = readFileSync(join(root, 'node_modules', bundler, 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { readonly version: string };
  const both = (show: (of: 'time' | 'processor') => string): string => `${show('time')} (${show('processor')})`;
  // Rounds are compared with themselves, for the machine may have other work in some of them.
  const ratio = (mode: Mode, of: 'time' | 'processor'): number =>
    median(outcomes[mode].map((outcome, round) => outcome[of] / (outcomes.without[round]?.[of] ?? Number.NaN)));
  const times = (mode: Mode): string => both((of) => `${(1 / ratio(mode, of)).toFixed(1)} ×`);
  const cells = [
    `${name}, ${bundler === 'vite' ? `Vite ${version.split('.')[0]}` : `esbuild ${version}`}`,
    count,
    both((of) => `${(median(outcomes.without.map((outcome) => outcome[of])) / 1000).toFixed(2)} s`),
    both((of) => percent(ratio('cold', of) - 1)),
    times('warm'),
    times('instant'),
  ];
  return `| ${cells.join(' | ')} |`;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function percent(value: number): string {
  const text = (value * 100).toFixed(0);
  return `${value > 0 ? '+' : ''}${text} %`;
}
