/**
 * Real servers on loopback, each started for one test and ended after it. `.ci/servers` installs them. A test whose
 * server is not here is not registered: it says so on standard error, and the runner counts it as not run.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'uvu';

export type Program = 'nginx' | 'redis-server' | 'ccache' | 'gcc' | 'postgres';

const PATH = [process.env['PATH'] ?? '', '/usr/sbin', '/usr/local/sbin', ...postgresFolders()].join(':');

/** Debian has a folder for each version of PostgreSQL, none of them on the path. */
function postgresFolders(): string[] {
  const all = '/usr/lib/postgresql';
  return existsSync(all) ? readdirSync(all).map((version) => join(all, version, 'bin')) : [];
}

function isHere(program: Program): boolean {
  return spawnSync('/bin/sh', ['-c', `command -v ${program}`], { env: { PATH } }).status === 0;
}

/** Registers a test that needs programs of the system. */
export function testWith(programs: readonly Program[], name: string, work: () => Promise<void>): void {
  const missing = programs.filter((program) => !isHere(program));
  if (missing.length === 0) test(name, work);
  else process.stderr.write(`NOT RUN: ${name}: ${missing.join(' and ')} is not here; .ci/servers installs it\n`);
}

/** A port that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

interface Nginx {
  readonly url: string;
  /** Where its files are, in the layout of the directory store. */
  readonly data: string;
  /** Ends it, as a crash would. */
  readonly kill: () => Promise<void>;
}

export const WRITER = 'writer-token';
export const READER = 'reader-token';

/**
 * nginx as SHARED.md sets it up. Readers and writers have a token each. What is below `/trusted` is written by writers
 * only; below `/pr` readers write too.
 */
export async function withNginx<T>(use: (nginx: Nginx) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'fleche-nginx-'));
  const data = join(folder, 'data');
  mkdirSync(join(data, '.tmp'), { recursive: true });
  const conf = join(folder, 'nginx.conf');
  const { server, port } = await started((port) => {
    writeFileSync(conf, nginxConf(folder, data, port));
    const words = ['-c', conf, '-p', folder, '-e', join(folder, 'error.log'), '-g', 'daemon off;'];
    return spawn('nginx', words, { env: { PATH }, stdio: 'ignore' });
  });
  try {
    return await use({ url: `http://127.0.0.1:${port}`, data, kill: () => ended(server) });
  } finally {
    await ended(server);
    rmSync(folder, { recursive: true, force: true });
  }
}

function nginxConf(folder: string, data: string, port: number): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const place = (kind: string): string =>
    `location ~ "^(?<ns>(?:/[A-Za-z0-9_-]+)*)/${kind}/(?<p>[0-9a-f]{2})(?<s>[0-9a-f]{62})$" {
      limit_except GET HEAD PUT { deny all; }
      ${kind === 'cas' ? `set $dup ""; if (-f ${data}$ns/cas/$p/$p$s) { set $dup $request_method; } if ($dup = PUT) { return 409; }` : ''}
      alias ${data}$ns/${kind}/$p/$p$s; dav_methods PUT; create_full_put_path on; }`;
  return `${user} pid ${folder}/nginx.pid; worker_processes 1; events { worker_connections 1024; }
http {
  access_log off; sendfile on; client_max_body_size 8g; default_type application/octet-stream;
  client_body_temp_path ${data}/.tmp; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  map $http_authorization $r { default 0; "Bearer ${READER}" 1; "Bearer ${WRITER}" 1; }
  map $http_authorization $w { default 0; "Bearer ${WRITER}" 1; }
  map $request_uri $open { default 0; "~^/pr/" $r; }
  map $request_method $mut { default 1; GET 0; HEAD 0; }
  map "$mut$r$w$open" $deny { default 1; "~^01" 0; "~^111" 0; "~^1101" 0; }
  server { listen 127.0.0.1:${port}; root ${data};
    if ($deny) { return 403; }
    ${place('cas')}
    ${place('ac')}
    location ~ "/(?:ac|cas)/$" { limit_except DELETE { deny all; } dav_methods DELETE; }
    location / { return 404; } } }
`;
}

export interface Redis {
  readonly url: string;
  readonly port: number;
  /** One command as its administrator. */
  readonly admin: (...command: readonly string[]) => string;
  readonly kill: () => Promise<void>;
}

export const REDIS_PASSWORD = 'redis-password';

/** Redis with a password, and a user `reader` that only reads, as SHARED.md sets it up. */
export async function withRedis<T>(use: (redis: Redis) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'fleche-redis-'));
  const { server, port } = await started((port) => {
    const words = `--port ${port} --bind 127.0.0.1 --appendonly no --requirepass ${REDIS_PASSWORD} --dir ${folder}`;
    return spawn('redis-server', [...words.split(' '), '--save', ''], { env: { PATH }, stdio: 'ignore' });
  });
  const admin = (...command: readonly string[]): string => {
    const all = ['-p', String(port), '--no-auth-warning', '-a', REDIS_PASSWORD, ...command];
    return spawnSync('redis-cli', all, { env: { PATH }, encoding: 'utf8' }).stdout.trim();
  };
  try {
    const rights = '-@all +get +getrange +exists +ping +hello +client +select +info'.split(' ');
    admin('ACL', 'SETUSER', 'reader', 'on', `>${READER}`, '~*', ...rights);
    return await use({ url: `redis://127.0.0.1:${port}`, port, admin, kill: () => ended(server) });
  } finally {
    await ended(server);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Postgres {
  /** Its administrator's, over a socket in a folder of its own. */
  readonly url: string;
  readonly end: () => Promise<void>;
}

/** PostgreSQL with an empty database and without safety against power cuts. It refuses to run as root, so root lends it a user. */
export async function startPostgres(): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'fleche-postgres-'));
  const user = process.getuid?.() === 0 ? NOBODY : {};
  if (user === NOBODY) chownSync(folder, NOBODY.uid, NOBODY.gid);
  const data = join(folder, 'data');
  const options = { ...user, cwd: folder, env: { PATH, LC_ALL: 'C' }, stdio: 'ignore' } as const;
  const made = spawnSync('initdb', ['-D', data, '-U', 'tester', '-A', 'trust', '--no-sync', '-E', 'UTF8'], options);
  // Without a port: its socket is in its own folder, and is named by the number all the same.
  const server = spawn('postgres', ['-D', data, '-F', '-k', folder, '-c', 'listen_addresses='], options);
  const end = async (): Promise<void> => {
    await ended(server, 'SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; spawnSync('pg_isready', ['-q', '-h', folder], options).status !== 0; tries++) {
    if (server.exitCode === null && tries < 1000) await delay(10);
    else {
      await end();
      throw new Error(`postgres does not start: initdb ended with ${made.status}, postgres with ${server.exitCode}`);
    }
  }
  return { url: `postgres:///postgres?host=${encodeURIComponent(folder)}&user=tester`, end };
}

const NOBODY = { uid: 65534, gid: 65534 };

/** Starts a server; at another port if somebody took the one that was free. */
async function started(
  start: (port: number) => ChildProcess,
): Promise<{ readonly server: ChildProcess; readonly port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const server = start(port);
    try {
      await listening(server, port);
      return { server, port };
    } catch (error) {
      await ended(server);
      if (attempt === 3) throw error;
    }
  }
}

async function listening(server: ChildProcess, port: number): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (server.exitCode !== null) throw new Error(`${server.spawnfile} ended with ${server.exitCode}`);
    if (await canConnect(port)) return;
    await delay(10);
  }
  throw new Error(`${server.spawnfile} does not listen`);
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (can: boolean): void => {
      socket.destroy();
      resolve(can);
    };
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
  });
}

/** nginx stops its workers when it is asked to end, not when it is killed. */
function ended(server: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve();
    server.on('exit', () => resolve());
    server.kill(signal);
  });
}
