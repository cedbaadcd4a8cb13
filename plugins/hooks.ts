/**
 * The calls of one plugin's hooks, cached: asks, replays, or makes the call and files it, and counts what became of each.
 * Knows nothing of bundlers. Trouble with the cache costs the call and one warning, never the build.
 */
import { resolve } from 'node:path';
import { type Digest, FlecheError, type Look, type Part, type TracedCall, TracedCalls } from '../core/index.ts';
import { Machine, now } from './machine.ts';
import { type Answer, type BundlerLook, lookAt, Recording } from './recording.ts';
import { type CachedOptions, cacheOf, type Decision, warn } from './settings.ts';

/** What became of the calls so far. */
export interface Report {
  readonly hits: number;
  readonly misses: number;
  readonly uncacheable: number;
  /** Why calls were uncacheable, and how many for each reason. */
  readonly reasons: ReadonlyMap<string, number>;
  /** What the calls answered from the cache took when they were made, ms. */
  readonly savedMs: number;
}

/** One call of a hook. */
export interface HookCall {
  readonly hook: string;
  /** Relative to the root. */
  readonly module: string;
  readonly parts: readonly Part[];
  /** Known beforehand to be uncacheable. */
  readonly obstacle: string | undefined;
  /** The file behind the module, absolute: it must not change while the call is made. */
  readonly file: string | undefined;
  readonly look: BundlerLook;
  /** Makes the call, taking notes. */
  readonly make: (recording: Recording) => Promise<unknown>;
  /** What of the answer is kept; equal to the bundler to what was answered. Throws for what cannot be kept. */
  readonly keep: (value: unknown) => unknown;
  /** The answer that was kept. */
  readonly restore: (kept: unknown) => unknown;
  /** Tells the bundler what the call told it. */
  readonly replay: (answer: Answer, pathOf: (name: string) => string) => void;
}

export interface Made {
  readonly value: unknown;
  /** Of the call with all that it looked at; undefined for an uncacheable one. */
  readonly key: Digest | undefined;
  readonly isHit: boolean;
  readonly watched: readonly string[];
}

/** How long after the last call everything is made durable, ms, where the bundler goes on living. */
const IDLE = 500;

export class Hooks {
  readonly machine: Machine = new Machine();
  readonly root: string;
  readonly #plugin: string;
  readonly #settings: CachedOptions;
  readonly #calls: TracedCalls;
  readonly #counts = { hits: 0, misses: 0, uncacheable: 0, savedMs: 0 };
  readonly #reasons = new Map<string, number>();
  #idle: NodeJS.Timeout | undefined;

  constructor(plugin: string, settings: CachedOptions, root: string) {
    const { onWarning = warn } = settings;
    this.root = root;
    this.#plugin = plugin;
    this.#settings = settings;
    this.#calls = new TracedCalls({ cache: () => cacheOf(settings), who: plugin, onWarning, now });
  }

  get report(): Report {
    return { ...this.#counts, reasons: new Map(this.#reasons) };
  }

  async call(call: HookCall): Promise<Made> {
    if (call.obstacle !== undefined) {
      this.#decide(call, 'uncacheable', [call.obstacle]);
      return { value: await call.make(this.#recording()), key: undefined, isHit: false, watched: [] };
    }
    const traced: TracedCall = { name: `${this.#plugin} ${call.hook}`, module: call.module, parts: call.parts };
    const watched = new Set<string>();
    const look: Look = (sight) => {
      if (sight.name.startsWith('file:')) watched.add(`${this.root}/${sight.name.slice('file:'.length)}`);
      return lookAt(sight, this.root, this.machine, call.look);
    };
    const found = await this.#calls.lookup(traced, look);
    const answer = found.found ? answerOf(found.value) : undefined;
    if (!found.found || answer === undefined) return this.#make(call, traced, look);
    call.replay(answer, (name) => resolve(this.root, name));
    this.#counts.savedMs += answer.ms;
    this.#decide(call, 'hit', []);
    return { value: call.restore(answer.value), key: found.key, isHit: true, watched: [...watched] };
  }

  async #make(call: HookCall, traced: TracedCall, look: Look): Promise<Made> {
    const explained = this.#settings.onDecision === undefined ? undefined : await this.#calls.explain(traced, look);
    const recording = this.#recording();
    const start = now();
    const begin = performance.now();
    const value = await call.make(recording);
    const ms = performance.now() - begin;
    const watched = [...recording.watched];
    const kept = recording.obstacles.size > 0 ? undefined : keptOf(call, value, recording.obstacles);
    const seen = recording.obstacles.size > 0 ? [] : await recording.seen([kept, call.module], start);
    if (call.file !== undefined && this.machine.changedSince(call.file, start)) {
      recording.obstacles.add('its file changed meanwhile');
    }
    if (recording.obstacles.size > 0) {
      this.#decide(call, 'uncacheable', [...recording.obstacles]);
      return { value, key: undefined, isHit: false, watched };
    }
    const answer: Answer = { value: kept, effects: recording.effects, ms };
    const metadata = { transform: { plugin: this.#plugin, hook: call.hook }, runtime: { walltime: ms } };
    const key = await this.#calls.file(traced, seen, answer, metadata);
    this.#decide(call, 'miss', explained?.map(({ name }) => name) ?? []);
    this.#flushSoon();
    return { value, key, isHit: false, watched };
  }

  #recording(): Recording {
    return new Recording(this.root, this.machine, this.#settings.portable === true);
  }

  #decide({ hook, module }: HookCall, outcome: Decision['outcome'], reasons: readonly string[]): void {
    this.#counts[outcome === 'hit' ? 'hits' : outcome === 'miss' ? 'misses' : 'uncacheable']++;
    if (outcome === 'uncacheable')
      for (const reason of reasons) this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
    this.#settings.onDecision?.({ plugin: this.#plugin, hook, module, outcome, reasons });
  }

  #flushSoon(): void {
    this.#idle?.refresh();
    this.#idle ??= setTimeout(() => {
      this.#idle = undefined;
      this.#calls.flush();
    }, IDLE).unref();
  }

  /** Makes everything filed so far durable. */
  async flush(): Promise<void> {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    await this.#calls.flush();
  }
}

function keptOf(call: HookCall, value: unknown, obstacles: Set<string>): unknown {
  try {
    return call.keep(value);
  } catch (error) {
    if (!(error instanceof FlecheError)) throw error;
    obstacles.add(`its answer cannot be kept: ${error.message}`);
    return undefined;
  }
}

/** The answer in a record, or undefined for what another version may have filed. */
function answerOf(value: unknown): Answer | undefined {
  const found = value as Partial<Answer> | null;
  return found !== null && typeof found === 'object' && Array.isArray(found.effects) && typeof found.ms === 'number'
    ? { value: found.value, effects: found.effects, ms: found.ms }
    : undefined;
}

const reports = new WeakMap<object, () => Report>();

/** Makes the report of a plugin known under the plugin that a bundler is given. */
export function reportOn(plugin: object, report: () => Report): void {
  reports.set(plugin, report);
}

/** What became of the calls of a cached plugin so far. Throws `USAGE` for a plugin that is not cached. */
export function reportOf(plugin: object): Report {
  const report = reports.get(plugin);
  if (report !== undefined) return report();
  throw new FlecheError('USAGE', 'this is no cached plugin');
}
