/**
 * Restoring 1 000 outputs from a shared cache on loopback: fleche through nginx, signed, beside turbo through
 * turborepo-remote-cache, in turn. Every round is a checkout of its own with an empty local cache. Times are those of
 * the whole program, as a CI job would have them, for one task with 1 000 outputs and for 100 with 10 each.
 * Arguments: [rounds] [bytes of a file].
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { keyPair } from '../call/shared/_tiers.ts';
import { freePort, WRITER, withNginx } from '../store/remote/_servers.ts';
import { turbo } from './pipelines/adapters/turbo.ts';
import { Peers } from './pipelines/peers.ts';

const [rounds = 7, size = 3000] = process.argv.slice(2).map(Number);
const FILES = 1000;
const FLECHE = resolve(import.meta.dirname, '../../dist/fleche.cjs');
/**
 * In memory where that can be: some file systems make files slowly for a while after others were removed, which would
 * measure what else is done on the machine.
 */
const base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'fleche-'));

/** What every task does: writes `count` files into the folder `dist` of the one where it runs; `task` makes them differ. */
const PROGRAM = `import { mkdirSync, writeFileSync } from 'node:fs';
const [task, count] = process.argv.slice(2).map(Number);
mkdirSync('dist/deep', { recursive: true });
for (let at = 0; at < count; at++) {
  const line = 'export const value' + at + ' = ' + (at * 7919 + task) + ';\\n';
  writeFileSync('dist/' + (at % 2 ? 'deep/' : '') + 'file' + at + '.js', line.repeat(Math.ceil(${size} / line.length)));
}
`;

/** Tasks, each in a package of its own. */
const TASKS = [1, 100] as const;

const folderOf = (task: number): string => `packages/p${task}`;

function commandOf(task: number, tasks: number): string {
  return `node ../../write.mjs ${task} ${FILES / tasks}`;
}

const all = (tasks: number): readonly number[] => Array.from({ length: tasks }, (_, at) => at);

interface Side {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

let made = 0;

function checkout({ files }: Side): string {
  const folder = join(base, String(made++));
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Runs in a new checkout. Returns the ms that the program took. */
function timed(side: Side): number {
  const cwd = checkout(side);
  const [command = '', ...args] = side.command;
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...side.env },
    encoding: 'utf8',
  });
  const wall = performance.now() - start;
  const paths = readdirSync(join(cwd, 'packages'), { recursive: true, encoding: 'utf8' });
  const found = paths.filter((path) => /[\\/]dist[\\/].*\.js$/.test(path)).length;
  if (status !== 0 || found !== FILES) throw new Error(`${side.name}: ${status}, ${found} files\n${stdout}${stderr}`);
  return wall;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

function packages(tasks: number): Readonly<Record<string, string>> {
  const manifest = (task: number): string =>
    JSON.stringify({ name: `p${task}`, version: '1.0.0', scripts: { build: commandOf(task, tasks) } });
  const manifests = all(tasks).map((task) => [`${folderOf(task)}/package.json`, manifest(task)]);
  return { 'write.mjs': PROGRAM, ...Object.fromEntries(manifests) };
}

function flecheSide(url: string, tasks: number): Side {
  const keys = keyPair();
  const publicKey = keys.publicKey.replace(/-----[A-Z ]+-----|\n/g, '');
  const config = `[default]
root = true
tasks = ${JSON.stringify(all(tasks).map((task) => `build${task}`))}
cache = "team"
[caches.local]
type = "Lmdb"
[caches.shared]
type = "Http"
url = "${url}"
mode = "read-write"
token_env = "BENCH_TOKEN"
signing_key_env = "BENCH_KEY"
public_keys = ["${publicKey}"]
[caches.team]
stack = ["local", "shared"]
${all(tasks)
  .map(
    (task) => `[tasks.build${task}]
dir = "${folderOf(task)}"
run = "${commandOf(task, tasks)}"
inputs = ["${folderOf(task)}/package.json"]
outputs = ["${folderOf(task)}/dist/**"]
`,
  )
  .join('')}`;
  return {
    name: 'fleche through nginx',
    files: { 'fleche.config.toml': config, ...packages(tasks) },
    command: [process.execPath, FLECHE, 'run'],
    env: { BENCH_TOKEN: WRITER, BENCH_KEY: keys.privateKey },
  };
}

function turboSide(binary: string, port: number, tasks: number): Side {
  const manifest = { name: 'x', private: true, packageManager: 'npm@10.8.0', workspaces: ['packages/*'] };
  const locked = all(tasks).flatMap((task) => [
    [folderOf(task), { name: `p${task}`, version: '1.0.0' }],
    [`node_modules/p${task}`, { resolved: folderOf(task), link: true }],
  ]);
  return {
    name: 'turbo through turborepo-remote-cache',
    files: {
      'package.json': JSON.stringify(manifest),
      'package-lock.json': JSON.stringify({
        name: 'x',
        lockfileVersion: 3,
        packages: { '': { name: 'x', workspaces: ['packages/*'] }, ...Object.fromEntries(locked) },
      }),
      'turbo.json': JSON.stringify({ tasks: { build: { inputs: ['package.json'], outputs: ['dist/**'] } } }),
      ...packages(tasks),
    },
    command: [binary, 'run', 'build', '--cache=remote:rw', '--no-daemon'],
    env: {
      TURBO_API: `http://127.0.0.1:${port}`,
      TURBO_TOKEN: 'bench-token',
      TURBO_TEAM: 'team_bench',
      TURBO_TELEMETRY_DISABLED: '1',
    },
  };
}

/** The server of turbo's cache, or undefined where it or turbo cannot be had. */
async function withTurbo(use: (sideOf: ((tasks: number) => Side) | undefined) => Promise<void>): Promise<void> {
  const peers = new Peers(process.env);
  const binary = turbo.find(peers);
  const server = peers.installed('remote', ['turborepo-remote-cache@2'], 'turborepo-remote-cache/dist/cli.js');
  if (binary === undefined || server === undefined) return use(undefined);
  const port = await freePort();
  const env = {
    ...process.env,
    PORT: String(port),
    TURBO_TOKEN: 'bench-token',
    NODE_ENV: 'production',
    STORAGE_PROVIDER: 'local',
    STORAGE_PATH: join(base, 'turbo-store'),
    LOG_LEVEL: 'error',
  };
  const child = spawn(process.execPath, [server], { env, stdio: 'ignore' });
  try {
    for (let tries = 0; tries < 300; tries++) {
      const isUp = await fetch(`http://127.0.0.1:${port}/v8/artifacts/status`).then(
        () => true,
        () => false,
      );
      if (isUp) break;
      await delay(100);
    }
    await use((tasks) => turboSide(binary, port, tasks));
  } finally {
    child.kill();
  }
}

function compare(sides: readonly Side[]): void {
  const times = new Map(sides.map(({ name }) => [name, [] as number[]]));
  const made = sides.map((side) => timed(side));
  // The first round warms up the systems' caches and those of compiled code.
  for (let round = -1; round < rounds; round++) {
    for (const side of sides) {
      const wall = timed(side);
      if (round >= 0) times.get(side.name)?.push(wall);
    }
  }
  const medians = sides.map(({ name }) => median(times.get(name) ?? []));
  for (const [at, { name }] of sides.entries()) {
    const least = Math.min(...(times.get(name) ?? []));
    console.log(
      `  ${name.padEnd(38)} restored in ${medians[at]?.toFixed(0).padStart(5)} ms (least ${least.toFixed(0)}), made and sent in ${made[at]?.toFixed(0)} ms`,
    );
  }
  const [first, second] = medians;
  if (first !== undefined && second !== undefined) console.log(`  fleche / turbo: ${(first / second).toFixed(2)}`);
}

try {
  await withTurbo(async (turboOf) => {
    console.log(`node ${process.version}, ${FILES} outputs of about ${size} bytes, median of ${rounds} rounds`);
    if (turboOf === undefined) console.log('turbo or its server could not be had: nothing is compared');
    for (const tasks of TASKS) {
      console.log(`${tasks} task${tasks === 1 ? '' : 's'} with ${FILES / tasks} outputs`);
      await withNginx(async ({ url }) => {
        compare([flecheSide(url, tasks), ...(turboOf === undefined ? [] : [turboOf(tasks)])]);
      });
    }
  });
} finally {
  rmSync(base, { recursive: true, force: true });
}
