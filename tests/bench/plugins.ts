/**
 * What cached plugins save and cost: `npm run bench plugins -- [recipe] [modules] [rounds]`. Builds with Vite and esbuild,
 * each in a process of its own and in turn without a cache, with an empty one, with a filled one, and with a plugin that
 * answers at once. The medians of the rounds count, from the call of the bundler to its end. Without a recipe those whose
 * packages are the project's own; the others install theirs in a temporary folder.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Recipe, SOURCES, writeSources } from './_plugin-sources.ts';

const MODES = ['without', 'instant', 'cold', 'warm'] as const;
type Mode = (typeof MODES)[number];

interface Outcome {
  /** ms. */
  readonly time: number;
  /** Of the whole process, ms. */
  readonly processor: number;
  readonly output: string;
  readonly hits: number;
}

const [chosen, modules = '300', rounds = '5'] = process.argv.slice(2);
for (const recipe of chosen === undefined ? (['vue', 'mdx'] as const) : [chosen as Recipe]) {
  compare(recipe, Number(modules), Number(rounds));
}

function compare(recipe: Recipe, count: number, rounds: number): void {
  const root = mkdtempSync(join(tmpdir(), 'fleche-bench-'));
  try {
    writeSources(recipe, root, count);
    install(root, SOURCES[recipe].packages);
    const outcomes: Record<Mode, Outcome[]> = { without: [], instant: [], cold: [], warm: [] };
    // The first round only warms up what the system keeps of files.
    for (let round = 0; round <= rounds; round++) {
      rmSync(join(root, '.fleche'), { recursive: true, force: true });
      for (const mode of MODES) {
        const outcome = build(recipe, root, mode);
        if (round > 0) outcomes[mode].push(outcome);
      }
    }
    show(recipe, count, outcomes);
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

function show(recipe: Recipe, count: number, outcomes: Readonly<Record<Mode, readonly Outcome[]>>): void {
  const all = MODES.flatMap((mode) => outcomes[mode]);
  const same = new Set(all.map(({ output }) => output)).size === 1 ? 'the same output' : 'DIFFERENT OUTPUT';
  console.log(`${recipe}: ${count} modules, ${outcomes.warm[0]?.hits} hits when warm, ${same}`);
  const times = (mode: Mode): number[] => outcomes[mode].map(({ time }) => time);
  // Rounds are compared with themselves, for the machine may have other work in some of them.
  const ratio = (mode: Mode): number =>
    median(times(mode).map((time, round) => (times('without')[round] ?? Number.NaN) / time));
  for (const mode of MODES) {
    const note =
      mode === 'without'
        ? ''
        : mode === 'cold'
          ? `${((1 / ratio(mode) - 1) * 100).toFixed(1)} % more`
          : `${ratio(mode).toFixed(1)} times as fast`;
    const processor = median(outcomes[mode].map((outcome) => outcome.processor));
    console.log(`  ${mode.padEnd(8)}${ms(median(times(mode)))}  processor ${ms(processor)}  ${note}`);
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function ms(time: number): string {
  return `${time.toFixed(0).padStart(6)} ms`;
}
