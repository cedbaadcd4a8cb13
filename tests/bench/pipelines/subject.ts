/** A runner with a workspace of its own. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Adapter, Call } from './adapters/adapter.ts';
import type { Peers } from './peers.ts';
import { type Run, timed } from './timing.ts';
import { SIZES, takeRan, type Workload, workloadOf, writeWorkload } from './workload.ts';

/** File times are trusted again this long after a change, ms. */
export const SETTLED = 1100;

export interface Settings {
  readonly rounds: number;
  readonly jobs: number;
  /** ms. */
  readonly limit: number;
  /** ms; no scenario begins another round after this. */
  readonly budget: number;
  readonly folder: string;
}

export class Subject {
  readonly adapter: Adapter;
  readonly workload: Workload;
  readonly #program: string;
  readonly #settings: Settings;

  constructor(adapter: Adapter, program: string, workload: Workload, settings: Settings) {
    this.adapter = adapter;
    this.workload = workload;
    this.#program = program;
    this.#settings = settings;
  }

  /** Runs the runner once. */
  run(): Promise<Run> {
    const { jobs, limit, folder } = this.#settings;
    const { argv, env = {} } = this.adapter.command(this.#program, this.workload, jobs);
    return this.#timed(argv, env, join(folder, 'printed'), limit);
  }

  #timed(argv: readonly string[], env: Call['env'], out: string, limit: number): Promise<Run> {
    const { folder } = this.#settings;
    const base = {
      PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
      HOME: join(folder, 'home'),
      LANG: 'C.UTF-8',
      TERM: 'dumb',
      NO_COLOR: '1',
      DO_NOT_TRACK: '1',
      TURBO_TELEMETRY_DISABLED: '1',
      TURBO_NO_UPDATE_NOTIFIER: '1',
      NX_NO_CLOUD: 'true',
      NX_INTERACTIVE: 'false',
      NX_TUI: 'false',
      npm_config_update_notifier: 'false',
      npm_config_offline: 'true',
    };
    return timed({ argv, env: { ...base, ...env }, cwd: this.workload.root, out, limit });
  }

  async stop(): Promise<void> {
    const argv = this.adapter.stop?.(this.#program);
    if (argv !== undefined) await this.#timed(argv, {}, '/dev/null', 20_000);
  }
}

/** Writes a workspace for each runner and brings all of them up to date. */
export async function subjectsOf(
  size: string,
  adapters: readonly Adapter[],
  peers: Peers,
  settings: Settings,
): Promise<Subject[]> {
  const wanted = SIZES[size];
  if (wanted === undefined) throw new Error(`no size ${size}`);
  // Where a home is, programs keep things; none of them makes it.
  mkdirSync(join(settings.folder, 'home'), { recursive: true });
  const subjects: Subject[] = [];
  let shared: Workload | undefined;
  for (const adapter of adapters) {
    const program = adapter.find(peers);
    if (program === undefined) {
      console.error(`LEFT OUT: ${adapter.name} cannot be had`);
      continue;
    }
    const isFloor = adapter.name.startsWith('floor');
    const workload = isFloor && shared !== undefined ? shared : workloadOf(join(settings.folder, adapter.name), wanted);
    if (workload !== shared) writeWorkload(workload, adapter);
    shared ??= workload;
    const subject = new Subject(adapter, program, workload, settings);
    const { exitCode, text } = await subject.run();
    if (exitCode === 0) subjects.push(subject);
    else console.error(`LEFT OUT: ${adapter.name} ended with ${exitCode ?? 'nothing in time'}: ${text.slice(-500)}`);
    takeRan(workload);
  }
  await delay(SETTLED);
  return subjects;
}
