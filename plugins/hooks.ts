/**
 * The calls of one plugin's hooks, cached: asks, replays, or makes the call and files it, and counts what became of each.
 * Knows nothing of bundlers. Trouble with the cache costs the call and one warning, never the build.
 */
import { resolve } from 'node:path';
import { FlecheError, type Key, type Look, type Part, sha256, type TracedCall, TracedCalls } from '../core/index.ts';
import { Machine, now } from './machine.ts';
import { snapshot } from './plain.ts';
import { type Answer, type BundlerLook, type Effect, lookAt, type PartAnswer, Recording } from './recording.ts';
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
  /** What was answered for the whole module, if this call is for a part of it. */
  readonly whole: Whole | undefined;
  readonly look: BundlerLook;
  /** Makes the call, taking notes. */
  readonly make: (recording: Recording) => Promise<unknown>;
  /** What of the answer is kept; equal to the bundler to what was answered. */
  readonly keep: (value: unknown) => unknown;
  /** The answer that was kept. */
  readonly restore: (kept: unknown) => unknown;
  /** Tells the bundler what the call told it. */
  readonly replay: (effects: readonly Effect[], pathOf: (name: string) => string) => void;
}

export interface Made {
  readonly value: unknown;
  /** Undefined for an uncacheable call, and for one for part of a module. */
  readonly filed: Whole | undefined;
  readonly isHit: boolean;
  readonly watched: readonly string[];
}

/** An answer that is on file, and its key: of the call with all that it looked at. */
export interface Whole {
  readonly key: Key;
  answer: Answer;
}

/** So many parts of one module are kept; of more, the latest. */
const MOST_PARTS = 32;

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
      return { value: await call.make(this.#recording()), filed: undefined, isHit: false, watched: [] };
    }
    const watched = new Set<string>();
    const look: Look = (sight) => {
      if (sight.name.startsWith('file:')) watched.add(`${this.root}/${sight.name.slice('file:'.length)}`);
      return lookAt(sight, this.root, this.machine, call.look);
    };
    if (call.whole !== undefined) return this.#part(call, call.whole, look, watched);
    const traced: TracedCall = { name: `${this.#plugin} ${call.hook}`, module: call.module, parts: call.parts };
    const found = await this.#calls.lookup(traced, look);
    const answer = found.found ? answerOf(found.value) : undefined;
    if (found.found && answer !== undefined) {
      const ms = Number(found.metadata['runtime']?.['walltime'] ?? 0);
      return this.#serve(call, answer, { key: found.key, answer }, ms, watched);
    }
    const explained = this.#settings.onDecision === undefined ? undefined : await this.#calls.explain(traced, look);
    const { made, kept } = await this.#make(call);
    if (kept === undefined) return made;
    const { value, effects, seen, ms } = kept;
    const own: Answer = { value, effects, parts: {} };
    const metadata = { transform: { plugin: this.#plugin, hook: call.hook }, runtime: { walltime: ms } };
    const key = await this.#calls.file(traced, seen, own, metadata);
    this.#decide(call, 'miss', explained?.map(({ name }) => name) ?? []);
    this.#flushSoon();
    return { ...made, filed: key === undefined ? undefined : { key, answer: own } };
  }

  /** As `call`, for part of a module. */
  async #part(call: HookCall, whole: Whole, look: Look, watched: Set<string>): Promise<Made> {
    const asked = sha256(`${call.hook} ${call.parts.map(({ digest }) => digest).join()}`);
    const found = whole.answer.parts[asked];
    if (found !== undefined && (await isAsSeen(found, look))) {
      return this.#serve(call, found, undefined, found.ms, watched);
    }
    const { made, kept } = await this.#make(call);
    if (kept === undefined) return made;
    const others = Object.entries(whole.answer.parts).filter(([name]) => name !== asked);
    const parts = Object.fromEntries([...others.slice(1 - MOST_PARTS), [asked, kept]]);
    whole.answer = { ...whole.answer, parts };
    await this.#calls.amend(whole.key, whole.answer);
    this.#decide(call, 'miss', []);
    this.#flushSoon();
    return made;
  }

  #serve(
    call: HookCall,
    answer: Pick<Answer, 'value' | 'effects'>,
    filed: Whole | undefined,
    ms: number,
    watched: Iterable<string>,
  ): Made {
    call.replay(answer.effects, (name) => resolve(this.root, name));
    this.#counts.savedMs += ms;
    this.#decide(call, 'hit', []);
    return { value: call.restore(answer.value), filed, isHit: true, watched: [...watched] };
  }

  /** Makes a call. `kept` is what may be kept of it, if it may. */
  async #make(call: HookCall): Promise<{ readonly made: Made; readonly kept: PartAnswer | undefined }> {
    const recording = this.#recording();
    const start = now();
    const begin = performance.now();
    const value = await call.make(recording);
    const ms = performance.now() - begin;
    const made = { value, filed: undefined, isHit: false, watched: [...recording.watched] };
    const kept = recording.obstacles.size > 0 ? undefined : keptOf(call, value, recording.obstacles);
    const seen = recording.obstacles.size > 0 ? [] : await recording.seen([kept, call.module], start);
    if (call.file !== undefined && this.machine.changedSince(call.file, start)) {
      recording.obstacles.add('its file changed meanwhile');
    }
    if (recording.obstacles.size === 0) return { made, kept: { value: kept, effects: recording.effects, seen, ms } };
    this.#decide(call, 'uncacheable', [...recording.obstacles]);
    return { made, kept: undefined };
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
      void this.#calls.flush();
    }, IDLE).unref();
  }

  /** Makes everything filed so far durable, while other things go on. */
  flush(): Promise<void> {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    return this.#calls.flush();
  }
}

function keptOf(call: HookCall, value: unknown, obstacles: Set<string>): unknown {
  try {
    return snapshot(call.keep(value));
  } catch (error) {
    if (!(error instanceof FlecheError)) throw error;
    obstacles.add(`its answer cannot be kept: ${error.message}`);
    return undefined;
  }
}

/** The answer in a record, or undefined for what another version may have filed. */
function answerOf(value: unknown): Answer | undefined {
  const found = value as Partial<Answer> | null;
  return found !== null && typeof found === 'object' && Array.isArray(found.effects) && found.parts !== undefined
    ? { value: found.value, effects: found.effects, parts: found.parts }
    : undefined;
}

/** Whether everything that a call looked at is as it was. */
async function isAsSeen({ seen }: PartAnswer, look: Look): Promise<boolean> {
  for (const { kind, name, digest } of seen) if ((await look({ kind, name })) !== digest) return false;
  return true;
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
