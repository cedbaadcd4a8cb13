/**
 * Restoring 1 000 outputs from a shared cache on loopback: fleche through nginx beside turbo through
 * turborepo-remote-cache, in turn, both with signed answers. Every round is a checkout of its own with an empty local cache.
 * Times are those of the whole program, as a CI job would have them, for 1 000 tasks with one output each, 100 with 10, and
 * one with 1 000, of several sizes. turbo is started by the script that npm installs, as fleche is, and without it, as its
 * native program. Beside them, for one task, are two floors: Node that does nothing, and the least program for Node that
 * fetches as many bytes in one answer and writes them out as 1 000 files.
 * Everything is in memory (`/dev/shm`) but what nginx keeps, which is in the folder for temporary files: with files of 256 KB
 * it takes about 0.7 GB of memory and 0.6 GB of disk. turbo keeps nothing on the machine that restores; fleche fills its local
 * cache as well, which is how it is used.
 * Arguments: [rounds] [bytes of a file, such as 100,4096,32768,262144] [tasks, such as 1000,100,1].
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sha256 } from '../../core/base/hash.ts';
import { keyPair } from '../call/shared/_tiers.ts';
import { freePort, WRITER, withNginx } from '../store/remote/_servers.ts';
import { turbo } from './pipelines/adapters/turbo.ts';
import { Peers } from './pipelines/peers.ts';
import { type Cost, median, timed } from './pipelines/timing.ts';

const [rounds = '7', sizes = '100,4096,32768,262144', tasks = '1000,100,1'] = process.argv.slice(2);
const ROUNDS = Number(rounds);
const SIZES = sizes.split(',').map(Number);
const TASKS = tasks.split(',').map(Number);
const FILES = 1000;
/** ms. */
const LIMIT = 300_000;
/** What turbo's answers are signed with (HMAC-SHA256), and its server keeps signatures at all. */
const SIGNATURE_KEY = 'abcdefghijklmnopqrstuvwxyz012345';
const FLECHE = resolve(import.meta.dirname, '../../dist/fleche.cjs');
/**
 * In memory where that can be: some file systems make files slowly for a while after others were removed, which would
 * measure what else is done on the machine.
 */
const base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'fleche-'));

/**
 * What every task does: writes `count` files of `size` bytes into the folder `dist` of the one where it runs. Their text
 * can be compressed about as well as programs can; `task` makes it differ.
 */
const PROGRAM = `import { mkdirSync, writeFileSync } from 'node:fs';
const [task, count, size] = process.argv.slice(2).map(Number);
mkdirSync('dist/deep', { recursive: true });
let seed = task;
for (let at = 0; at < count; at++) {
  let text = '';
  while (text.length < size) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    text += 'export const value' + seed + ' = ' + seed.toString(36) + ';\\n';
  }
  writeFileSync('dist/' + (at % 2 ? 'deep/' : '') + 'file' + at + '.js', text.slice(0, size));
}
`;

/** Fetches all in one answer, and writes it out as files. */
const FLOOR = `const { request } = require('node:http');
const { closeSync, mkdirSync, openSync, writeSync } = require('node:fs');
const [url, authorization, count, size] = process.argv.slice(1);
request(url, { headers: { authorization } }, (answer) => {
  const pieces = [];
  answer.on('data', (piece) => pieces.push(piece));
  answer.on('end', () => {
    const all = Buffer.concat(pieces);
    mkdirSync('packages/p1/dist/deep', { recursive: true });
    for (let at = 0; at < count; at++) {
      const file = openSync('packages/p1/dist/' + (at % 2 ? 'deep/' : '') + 'file' + at + '.js', 'wx');
      writeSync(file, all, at * size, Number(size));
      closeSync(file);
    }
    process.exit();
  });
}).end();`;

/**
 * Starts the script `build` of a package at once. It is called where the caches are filled, which is not measured, and npm
 * takes longer for it than a script does.
 */
const NPM = `#!/bin/sh
eval "$(sed -n 's/.*"build":"\\([^"]*\\)".*/\\1/p' package.json)"
`;

const folderOf = (task: number): string => `packages/p${task}`;

/** What is restored: `tasks` tasks, each in a package of its own, which have `FILES` outputs of `size` bytes together. */
interface Load {
  readonly tasks: number;
  readonly size: number;
}

function commandOf(task: number, { tasks, size }: Load): string {
  return `node ../../write.mjs ${task} ${FILES / tasks} ${size}`;
}

const all = (tasks: number): readonly number[] => Array.from({ length: tasks }, (_, at) => at);

interface Side {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What it says at its end if nothing ran but all was restored; undefined for what does not make outputs. */
  readonly restored: string | undefined;
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

/**
 * Runs in a new checkout, with little of the environment around it: Node alone takes three times as long where certificates
 * of one's own are to be believed (`NODE_EXTRA_CA_CERTS`).
 */
async function run(side: Side): Promise<Cost & { readonly text: string }> {
  const cwd = checkout(side);
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: join(base, 'home'),
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    ...side.env,
  };
  const { exitCode, text, ...cost } = await timed({
    argv: side.command,
    env,
    cwd,
    out: join(base, 'printed'),
    limit: LIMIT,
  });
  const paths = readdirSync(join(cwd, 'packages'), { recursive: true, encoding: 'utf8' });
  const found = paths.filter((path) => /[/]dist[/].*\.js$/.test(path)).length;
  if (exitCode !== 0 || found !== (side.restored === undefined ? 0 : FILES))
    throw new Error(`${side.name}: ${exitCode}, ${found} files
${text}`);
  rmSync(cwd, { recursive: true });
  return { ...cost, text };
}

async function restore(side: Side): Promise<Cost> {
  const { text, ...cost } = await run(side);
  if (!text.includes(side.restored ?? '')) throw new Error(`${side.name} did not restore everything\n${text}`);
  return cost;
}

function packages(load: Load): Readonly<Record<string, string>> {
  const manifest = (task: number): string =>
    JSON.stringify({ name: `p${task}`, version: '1.0.0', scripts: { build: commandOf(task, load) } });
  const manifests = all(load.tasks).map((task) => [`${folderOf(task)}/package.json`, manifest(task)]);
  return { 'write.mjs': PROGRAM, ...Object.fromEntries(manifests) };
}

function flecheSide(url: string, load: Load): Side {
  const { tasks } = load;
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
run = "${commandOf(task, load)}"
inputs = ["${folderOf(task)}/package.json"]
outputs = ["${folderOf(task)}/dist/**"]
`,
  )
  .join('')}`;
  return {
    name: 'fleche through nginx',
    files: { 'fleche.config.toml': config, ...packages(load) },
    command: [process.execPath, FLECHE, 'run'],
    env: { BENCH_TOKEN: WRITER, BENCH_KEY: keys.privateKey },
    restored: `${tasks} cached (${tasks} shared)`,
  };
}

function floors({ url, data }: { readonly url: string; readonly data: string }, load: Load): readonly Side[] {
  const bytes = randomBytes(FILES * load.size);
  const digest = sha256(bytes);
  const folder = join(data, 'cas', digest.slice(0, 2));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, digest), bytes);
  const words = [`${url}/cas/${digest}`, `Bearer ${WRITER}`, String(FILES), String(load.size)];
  const common = { files: packages(load), env: {} };
  return [
    { ...common, name: 'floor: Node', command: [process.execPath, '-e', '0'], restored: undefined },
    { ...common, name: 'floor: one answer', command: [process.execPath, '-e', FLOOR, ...words], restored: '' },
  ];
}

/** With a native program, and the script in front of it. */
function turboSides([program, script]: readonly [string, string], port: number, load: Load): readonly Side[] {
  const { tasks } = load;
  const manifest = { name: 'x', private: true, packageManager: 'npm@10.8.0', workspaces: ['packages/*'] };
  const locked = all(tasks).flatMap((task) => [
    [folderOf(task), { name: `p${task}`, version: '1.0.0' }],
    [`node_modules/p${task}`, { resolved: folderOf(task), link: true }],
  ]);
  const side = {
    files: {
      'package.json': JSON.stringify(manifest),
      'package-lock.json': JSON.stringify({
        name: 'x',
        lockfileVersion: 3,
        packages: { '': { name: 'x', workspaces: ['packages/*'] }, ...Object.fromEntries(locked) },
      }),
      'turbo.json': JSON.stringify({
        remoteCache: { signature: true },
        tasks: { build: { inputs: ['package.json'], outputs: ['dist/**'] } },
      }),
      ...packages(load),
    },
    env: {
      PATH: `${join(base, 'bin')}:${process.env['PATH'] ?? ''}`,
      TURBO_API: `http://127.0.0.1:${port}`,
      TURBO_TOKEN: 'bench-token',
      TURBO_TEAM: 'team_bench',
      TURBO_REMOTE_CACHE_SIGNATURE_KEY: SIGNATURE_KEY,
      TURBO_TELEMETRY_DISABLED: '1',
    },
    restored: ` ${tasks} cached, ${tasks} total`,
  };
  const words = ['run', 'build', '--cache=remote:rw', '--no-daemon'];
  return [
    { ...side, name: 'turbo', command: [process.execPath, script, ...words] },
    { ...side, name: 'turbo, its native program', command: [program, ...words] },
  ];
}

/** The server of turbo's cache, or undefined where it or turbo cannot be had. */
async function withTurbo(
  use: (sidesOf: ((load: Load) => readonly Side[]) | undefined) => Promise<void>,
): Promise<void> {
  const peers = new Peers(process.env);
  const program = turbo.find(peers);
  const script = peers.installed('js', ['turbo@2'], 'turbo/bin/turbo');
  const server = peers.installed('remote', ['turborepo-remote-cache@2'], 'turborepo-remote-cache/dist/cli.js');
  if (program === undefined || script === undefined || server === undefined) return use(undefined);
  const port = await freePort();
  const env = {
    ...process.env,
    PORT: String(port),
    TURBO_TOKEN: 'bench-token',
    TURBO_REMOTE_CACHE_SIGNATURE_KEY: SIGNATURE_KEY,
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
    await use((load) => turboSides([program, script], port, load));
  } finally {
    child.kill();
  }
}

async function compare(sides: readonly Side[]): Promise<void> {
  const costs = new Map<string, Cost[]>(sides.map(({ name }) => [name, []]));
  for (const side of sides) await run(side);
  // The first round warms up the systems' caches and those of compiled code.
  for (let round = -1; round < ROUNDS; round++) {
    for (const side of sides) {
      const cost = await restore(side);
      if (round >= 0) costs.get(side.name)?.push(cost);
    }
  }
  const [first] = sides;
  const pairs = (name: string, key: keyof Cost): readonly number[] =>
    (costs.get(name) ?? []).map((cost, at) => (costs.get(first?.name ?? '')?.[at]?.[key] ?? Number.NaN) / cost[key]);
  for (const { name } of sides) {
    const of = (key: keyof Cost): string => {
      const values = (costs.get(name) ?? []).map((cost) => cost[key]);
      const ratio = name === first?.name ? '' : ` (fleche ${median(pairs(name, key)).toFixed(2)} x)`;
      return `${median(values).toFixed(0).padStart(5)} ms${ratio.padEnd(16)}`;
    };
    console.log(`  ${name.padEnd(38)} wall ${of('wall')} processor ${of('cpu')}`.trimEnd());
  }
}

try {
  for (const folder of ['bin', 'home']) mkdirSync(join(base, folder));
  writeFileSync(join(base, 'bin/npm'), NPM, { mode: 0o755 });
  await withTurbo(async (turbosOf) => {
    console.log(
      `node ${process.version}, ${FILES} outputs, medians of ${ROUNDS} rounds, ratios of each round's own pair`,
    );
    if (turbosOf === undefined) console.log('turbo or its server could not be had: it is left out');
    for (const load of SIZES.flatMap((size) => TASKS.map((tasks) => ({ tasks, size })))) {
      const { tasks, size } = load;
      console.log(`outputs of ${size} bytes: ${tasks} task${tasks === 1 ? '' : 's'} with ${FILES / tasks} each`);
      await withNginx((nginx) =>
        compare([
          flecheSide(nginx.url, load),
          ...(turbosOf === undefined ? [] : turbosOf(load)),
          ...(tasks === 1 ? floors(nginx, load) : []),
        ]),
      );
    }
  });
} finally {
  rmSync(base, { recursive: true, force: true });
}
