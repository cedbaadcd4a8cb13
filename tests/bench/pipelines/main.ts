/**
 * What runs of whole pipelines cost, beside other runners on the same work: `npm run bench pipelines -- --help`. Runs go
 * round all runners in turn, so that a machine that is busy for a while is unfair to none; medians are told.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Adapter } from './adapters/adapter.ts';
import { fleche } from './adapters/fleche.ts';
import { lstat, node } from './adapters/floors.ts';
import { make } from './adapters/make.ts';
import { ninja } from './adapters/ninja.ts';
import { nx } from './adapters/nx.ts';
import { turbo } from './adapters/turbo.ts';
import { vitePlus } from './adapters/vite-plus.ts';
import { wireit } from './adapters/wireit.ts';
import { measure } from './measure.ts';
import { Peers } from './peers.ts';
import { type Growth, growthLines, growthTable, jsonLines, markdown, type Result } from './report.ts';
import { SCENARIOS } from './scenarios.ts';
import { SETTLED, type Settings, subjectsOf } from './subject.ts';
import { SIZES } from './workload.ts';

const HELP = `npm run bench pipelines -- [options]
  --sizes A,B      ${Object.keys(SIZES).join(', ')} (small,medium)
  --runners A,B    fleche and these: turbo, wireit, nx, make, ninja, vite-plus, floors (all)
  --scenarios A,B  ${Object.keys(SCENARIOS).join(', ')} (all)
  --rounds N       measured runs of each runner in each scenario (7)
  --jobs N         tasks at once (one a processor)
  --limit S        a run longer than this is ended, and its runner left out of the scenario (120)
  --budget S       no scenario begins another round after this, which is said (no limit)
  --folder DIR     where workspaces are made (the folder for temporary files)
  --fleche FILE    another build of the command
  --json           lines of {bench, size, ours, peer, peerName, unit, ratio}; the tables go to standard error

With several sizes it is told how the cost of a run with nothing to do grows with tasks and files.`;

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: 'small,medium' },
    runners: { type: 'string', default: 'turbo,wireit,nx,make,ninja,vite-plus,floors' },
    scenarios: { type: 'string', default: Object.keys(SCENARIOS).join(',') },
    rounds: { type: 'string', default: '7' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    limit: { type: 'string', default: '120' },
    budget: { type: 'string', default: 'Infinity' },
    folder: { type: 'string', default: tmpdir() },
    fleche: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const all: Readonly<Record<string, readonly Adapter[]>> = {
  turbo: [turbo],
  wireit: [wireit],
  nx: [nx],
  make: [make],
  ninja: [ninja],
  'vite-plus': [vitePlus],
  floors: [lstat, node],
};

async function main(): Promise<void> {
  if (values.help) return console.log(HELP);
  const names = values.runners.split(',').filter((name) => name !== '' && name !== 'fleche');
  const unknown = names.find((name) => all[name] === undefined);
  if (unknown !== undefined) throw new Error(`no runner ${unknown}`);
  const ours = fleche(values.fleche === undefined ? undefined : resolve(values.fleche));
  const adapters = [ours, ...names.flatMap((name) => all[name] ?? [])];
  const folder = mkdtempSync(join(resolve(values.folder), 'fleche-bench-'));
  const peers = new Peers(process.env);
  mkdirSync(join(folder, 'home'));
  // Nx looks for itself in the folders around a workspace.
  symlinkSync(join(peers.folder, 'js/node_modules'), join(folder, 'node_modules'));
  const settings = {
    rounds: Number(values.rounds),
    jobs: Number(values.jobs),
    limit: Number(values.limit) * 1000,
    budget: Number(values.budget) * 1000,
    folder,
  };
  try {
    const growth: Growth[] = [];
    for (const size of values.sizes.split(',')) {
      const results = await bench(size, adapters, peers, settings);
      const { packages = 0, files = 0 } = SIZES[size] ?? {};
      growth.push({ size, tasks: packages, files: packages * files, results });
    }
    tell(growthTable(growth), growthLines(growth));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tell(table: string, lines: string): void {
  if (values.json) process.stdout.write(lines);
  (values.json ? process.stderr : process.stdout).write(table);
}

async function bench(
  size: string,
  adapters: readonly Adapter[],
  peers: Peers,
  settings: Settings,
): Promise<readonly Result[]> {
  const subjects = await subjectsOf(size, adapters, peers, settings);
  const results: Result[] = [];
  try {
    for (const name of values.scenarios.split(',')) {
      console.error(`${size}: ${name}, ${SCENARIOS[name]?.about}`);
      results.push(...(await measure(name, subjects, size, settings)));
      await delay(SETTLED);
    }
  } finally {
    for (const subject of subjects) await subject.stop();
    for (const { workload } of subjects) rmSync(workload.root, { recursive: true, force: true });
  }
  const { packages = 0, files = 0, bytes = 0 } = SIZES[size] ?? {};
  const title = `## ${size}: ${packages} packages with ${files} files of ${bytes} bytes, ${settings.jobs} at once\n`;
  tell(`${title}\n${markdown(results)}\n`, jsonLines(results));
  const faulty = results.filter(({ runner, faults }) => runner === 'fleche' && faults.length > 0);
  if (faulty.length > 0) process.exitCode = 1;
  return results;
}

await main();
