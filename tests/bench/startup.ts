/**
 * What starting costs, as a multiple of starting Node alone: `node --import tsx tests/bench/startup.ts [rounds]`. The
 * rounds alternate between all commands, so that a machine that is busy for a while is unfair to none; medians are told.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const FLECHE = resolve(import.meta.dirname, '../../dist/fleche.cjs');
const FILES = 20;
const TASKS = 10;

/** A project in which everything is up to date. */
function project(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
  mkdirSync(join(folder, 'src'));
  for (let i = 0; i < FILES; i++) writeFileSync(join(folder, 'src', `${i}.txt`), `file ${i}\n`);
  const tasks = Array.from({ length: TASKS }, (_, i) => {
    const needs = i === 0 ? '' : `needs = ["t${i - 1}"]\n`;
    return `[tasks.t${i}]\nrun = "cat src/*.txt > out${i}.txt"\ninputs = ["src/**"]\noutputs = ["out${i}.txt"]\n${needs}`;
  });
  const head = `[default]\nroot = true\ntasks = ["t${TASKS - 1}"]\n\n`;
  writeFileSync(join(folder, 'fleche.config.toml'), head + tasks.join('\n'));
  return folder;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function main(rounds: number): void {
  if (!existsSync(FLECHE)) throw new Error('build first: npm run build');
  const cwd = project();
  // Node alone takes three times as long where it is told of certificates of one's own (`NODE_EXTRA_CA_CERTS`).
  const env = { PATH: process.env['PATH'], XDG_CACHE_HOME: join(cwd, 'home') };
  const commands = {
    'node -e 0': ['-e', '0'],
    '--version': [FLECHE, '--version'],
    '--help': [FLECHE, '--help'],
    'run, nothing to do': [FLECHE, 'run'],
    'plan, nothing to do': [FLECHE, 'plan'],
  };
  const times = new Map<string, number[]>();
  try {
    // The first rounds fill the cache of results and that of compiled code.
    for (let round = -4; round < rounds; round++) {
      for (const [name, args] of Object.entries(commands)) {
        const start = performance.now();
        const { status, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' });
        if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
        if (round >= 0) times.set(name, [...(times.get(name) ?? []), performance.now() - start]);
      }
    }
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
  const floor = median(times.get('node -e 0') ?? []);
  console.log(`node ${process.version}, ${rounds} rounds`);
  for (const [name, list] of times) {
    const ms = median(list);
    console.log(`${name.padEnd(20)} ${ms.toFixed(1).padStart(7)} ms  ${(ms / floor).toFixed(2)} x`);
  }
}

main(Number(process.argv[2] ?? 15));
