/**
 * The calls of one plugin's hooks, cached: asks, replays, or makes the call and files it, and counts what became of each.
 * Knows nothing of bundlers. Trouble with the cache costs the call and one warning, never the build.
 */
import { resolve } from 'node:path';
import {
  caching,
  FlecheError,
  type Key,
  type Look,
  type Part,
  type Seen,
  type TracedCall,
  TracedCalls,
} from '../../core/index.ts';
import { atExit, Machine, notAtExit, now } from '../machine.ts';
import { Answer, type Kept, packedCall } from './answer.ts';
import type { Packed } from './packed.ts';
import { type BundlerLook, type Effect, lookAt, Recording } from './recording.ts';
import { type CachedOptions, cacheOf, type Decision, warn } from './settings.ts';
import { Surroundings } from './surroundings.ts';

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

/** How answers of a bundler's hooks are kept. */
export interface Form {
  /** What of an answer is kept; equal to the bundler to what was answered. */
  keep(value: unknown, root: string): unknown;
  /** The answer that was kept. */
  restore(kept: unknown, root: string): unknown;
}

/** The bundler, in one call of a hook. */
export interface Host {
  readonly look: BundlerLook;
  /** Tells the bundler what the call told it. */
  replay(effects: readonly Effect[], pathOf: (name: string) => string): void;
}

/** One call of a hook. */
export interface HookCall {
  readonly hook: string;
  /** Relative to the root. */
  readonly module: string;
  /** Known beforehand to be uncacheable. */
  readonly obstacle: string | undefined;
  /** The file behind the module, absolute: it must not change while the call is made. */
  readonly file: string | undefined;
  /** What is known of the call; of one for part of a module a digest, which together with the whole says everything. */
  readonly question: readonly Part[] | PartQuestion;
  readonly host: Host;
  /** Makes the call, taking notes. */
  readonly make: (recording: Recording) => Promise<unknown>;
  /** Whether what the question says of shared surroundings still holds; asked before the answer is written. */
  readonly holds: () => boolean;
}

/** A question about part of a module. */
interface PartQuestion {
  readonly whole: Whole;
  readonly asked: string;
}

export interface Made {
  readonly value: unknown;
  /** Undefined for an uncacheable call, and for one for part of a module. */
  readonly filed: Whole | undefined;
  readonly isHit: boolean;
  /** Files and folders that were looked at, absolute. */
  readonly watched: Iterable<string>;
}

/** An answer that is on file, and its key: of the call with all that it looked at. */
export interface Whole {
  readonly key: Key;
  answer: Answer;
}

/** A call that was made. `kept` is what may be kept of it, if it may. */
interface MadeCall {
  readonly made: Made;
  readonly kept: Packed | undefined;
  readonly seen: readonly Seen[];
  readonly ms: number;
}

const NONE: readonly never[] = [];

/** How long after the last call everything is made durable, ms, where the bundler goes on living. */
const IDLE = 500;
/** The same where no answer grows by what is answered for parts of its module: while the bundler works by itself. */
export const IDLE_WITHOUT_PARTS = 50;

export class Hooks {
  readonly machine: Machine = new Machine();
  readonly root: string;
  readonly surroundings: Surroundings;
  readonly #plugin: string;
  readonly #settings: CachedOptions;
  readonly #form: Form;
  readonly #calls: TracedCalls;
  readonly #counts = { hits: 0, misses: 0, uncacheable: 0, savedMs: 0 };
  readonly #reasons = new Map<string, number>();
  readonly #idleMs: number;
  #idle: NodeJS.Timeout | undefined;
  /** When something was last filed, on the clock for durations. */
  #latest = 0;
  #underWay = 0;

  constructor(plugin: string, settings: CachedOptions, root: string, form: Form, idleMs: number = IDLE) {
    const { onWarning = warn } = settings;
    this.root = root;
    this.surroundings = new Surroundings(plugin, settings, root, this.machine);
    this.#plugin = plugin;
    this.#settings = settings;
    this.#form = form;
    this.#idleMs = idleMs;
    const renew = (): void => this.machine.renew();
    this.#calls = new TracedCalls({ cache: () => cacheOf(settings, root), who: plugin, onWarning, now, renew });
  }

  get report(): Report {
    return { ...this.#counts, reasons: new Map(this.#reasons) };
  }

  call(call: HookCall): Promise<Made> {
    const { question } = call;
    const obstacle = call.obstacle ?? (caching() ? undefined : 'caching is switched off');
    if (obstacle !== undefined) return this.#plain(call, obstacle);
    this.#underWay++;
    const made = 'whole' in question ? this.#part(call, question) : this.#whole(call, question);
    return made.finally(() => {
      this.#underWay--;
    });
  }

  async #plain(call: HookCall, obstacle: string): Promise<Made> {
    this.#decide(call, 'uncacheable', [obstacle]);
    return { value: await call.make(this.#recording()), filed: undefined, isHit: false, watched: NONE };
  }

  async #whole(call: HookCall, parts: readonly Part[]): Promise<Made> {
    const traced: TracedCall = { name: `${this.#plugin} ${call.hook}`, module: call.module, parts };
    const watched: string[] = [];
    const look = this.#look(call, watched);
    const found = await this.#calls.lookup(traced, look);
    const answer = found.found ? Answer.of(found.value) : undefined;
    if (found.found && answer !== undefined) {
      const ms = Number(found.metadata['runtime']?.['walltime'] ?? 0);
      return this.#serve(call, { ...answer.whole, ms }, { key: found.key, answer }, watched);
    }
    const explained = this.#settings.onDecision === undefined ? undefined : await this.#calls.explain(traced, look);
    const { made, kept, seen, ms } = await this.#make(call, true);
    if (kept === undefined) return made;
    const own = new Answer(kept);
    const metadata = { transform: { plugin: this.#plugin, hook: call.hook }, runtime: { walltime: ms } };
    const key = await this.#calls.file(traced, seen, () => own.atRest, metadata, call.holds);
    this.#decide(call, 'miss', explained?.map(({ name }) => name) ?? NONE);
    this.#flushSoon();
    return { ...made, filed: key === undefined ? undefined : { key, answer: own } };
  }

  async #part(call: HookCall, { whole, asked }: PartQuestion): Promise<Made> {
    const found = whole.answer.part(asked);
    if (found !== undefined) {
      const watched: string[] = [];
      if (await isAsSeen(found, this.#look(call, watched))) return this.#serve(call, found, undefined, watched);
    }
    const { made, kept } = await this.#make(call, false);
    if (kept === undefined) return made;
    const answer = whole.answer.with(asked, kept);
    whole.answer = answer;
    await this.#calls.amend(whole.key, () => answer.atRest, call.holds);
    this.#decide(call, 'miss', NONE);
    this.#flushSoon();
    return made;
  }

  #look({ host }: HookCall, watched: string[]): Look {
    return (sight) => {
      if (sight.name.startsWith('file:')) watched.push(`${this.root}/${sight.name.slice('file:'.length)}`);
      return lookAt(sight, this.root, this.machine, host.look);
    };
  }

  #serve(call: HookCall, { value, effects, ms }: Kept, filed: Whole | undefined, watched: Iterable<string>): Made {
    call.host.replay(effects, (name) => resolve(this.root, name));
    this.#counts.savedMs += ms;
    this.#decide(call, 'hit', NONE);
    return { value: this.#form.restore(value, this.root), filed, isHit: true, watched };
  }

  /** Makes a call. Of a whole module not everything is kept with the answer: some is in the record. */
  async #make(call: HookCall, isWhole: boolean): Promise<MadeCall> {
    const recording = this.#recording();
    const { effects, obstacles } = recording;
    const start = now();
    const begin = performance.now();
    const value = await call.make(recording);
    const ms = performance.now() - begin;
    const made = { value, filed: undefined, isHit: false, watched: recording.watched };
    if (obstacles.size === 0) {
      const plain = this.#form.keep(value, this.root);
      const seen = recording.isSilent ? NONE : await recording.seen([plain, call.module], start);
      if (call.file !== undefined && this.machine.changedSince(call.file, start))
        obstacles.add('its file changed meanwhile');
      const own = isWhole ? { seen: NONE, ms: 0 } : { seen, ms };
      const kept = obstacles.size > 0 ? undefined : keptOf({ value: plain, effects, ...own }, obstacles);
      if (kept !== undefined) return { made, kept, seen, ms };
    }
    this.#decide(call, 'uncacheable', [...obstacles]);
    return { made, kept: undefined, seen: NONE, ms };
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

  /** When there have been no calls for a while. */
  #flushSoon(): void {
    atExit(this.#finish);
    this.#latest = performance.now();
    this.#idle ??= setTimeout(() => this.#flushIfIdle(), this.#idleMs).unref();
  }

  #flushIfIdle(): void {
    this.#idle = undefined;
    const left = this.#underWay > 0 ? this.#idleMs : this.#latest + this.#idleMs - performance.now();
    if (left <= 0) void this.flush();
    else this.#idle = setTimeout(() => this.#flushIfIdle(), Math.ceil(left)).unref();
  }

  /** Makes everything filed so far durable, while other things go on. */
  flush(): Promise<void> {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    return this.#calls.flush().finally(() => notAtExit(this.#finish));
  }

  /** The same at once, for a process that ends. */
  readonly #finish = (): void => this.#calls.finish();
}

function keptOf(call: Kept, obstacles: Set<string>): Packed | undefined {
  try {
    return packedCall(call);
  } catch (error) {
    if (!(error instanceof FlecheError)) throw error;
    obstacles.add(`its answer cannot be kept: ${error.message}`);
    return undefined;
  }
}

/** Whether everything that a call looked at is as it was. */
async function isAsSeen({ seen }: Kept, look: Look): Promise<boolean> {
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
  throw new FlecheError('USAGE', 'this is no cached plugin', { hint: 'Pass what cached(…) gave back.' });
}
