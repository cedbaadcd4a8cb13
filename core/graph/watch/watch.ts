/**
 * Watch mode: turns paths where something may have happened into rounds of asking again. An event starts nothing by
 * itself: it puts tasks in doubt, and their questions decide. Knows neither files nor processes nor real time: events
 * come from a source, time from a clock, and what a round does is for the tasks to know.
 *
 * Every change begins a new pass, which takes over from the one before it; a round, as it is told, lasts until no more
 * passes are needed.
 */

import type { Clock } from '../../base/clock.ts';
import { isWithin, type RelPath } from '../../base/paths.ts';
import { globsOf } from '../../files/globs/globs.ts';
import type { WatchScope } from '../../files/watch/watch-places.ts';
import type { WatchSource } from '../../files/watch/watcher.ts';
import type { RunEvent, RunReport } from '../outcome.ts';
import { GRACE, type Loop, LoopGuard } from './loop-guard.ts';
import { RoundTeller } from './round-teller.ts';
import { Settling } from './settling.ts';
import { Suspicion } from './suspicion.ts';
import type { RoundCause, WatchListener } from './watch-events.ts';
import type { Watchable } from './watched-tasks.ts';

/** Of what the configuration is read. */
export interface ConfigurationFiles {
  readonly paths: readonly RelPath[];
  /** Patterns of files that are part of it as soon as they are there. */
  readonly patterns: readonly string[];
}

/** What a watch is made of. */
export interface WatchParts {
  readonly tasks: Watchable;
  readonly clock: Clock;
  readonly configuration: ConfigurationFiles;
  readonly listener: WatchListener;
}

/** Paths among the outputs of a task at work that are kept in mind. */
const MOST_WRITTEN = 10_000;
/** Time until everything is looked at once more after a burst, ms. */
const LOOK_AGAIN = 1000;
/** The event loop stood still if a call comes so much too late, ms; then events may have been lost. */
const BEAT = 50;
const STALL = 100;
/** Time of quiet after which nobody runs in circles, and what costs time to find out again is written down, ms. */
const REST = 500;

export class Watch {
  readonly #clock: Clock;
  readonly #listener: WatchListener;
  readonly #guard = new LoopGuard();
  readonly #teller: RoundTeller;
  readonly #settling: Settling;
  #tasks: Watchable;
  #configuration: ConfigurationFiles;
  #source: WatchSource | undefined;
  /** Whether the configuration may be another one, or is being read; no pass begins until that is known. */
  #configured: 'yes' | 'doubtful' | 'reading' = 'yes';
  /** What happened since the last pass began. */
  #suspicion = new Suspicion();
  /** Paths among the outputs of a task, since it is at work. */
  readonly #written = new Map<string, Set<RelPath>>();
  /** What tells the doing of tasks that ended just now from that of others. */
  readonly #authorships = new Map<string, (path: RelPath) => boolean>();
  /** Until when events among the outputs of a task may be of its own doing. */
  readonly #writing = new Map<string, number>();
  /** Tasks that are to end before the next pass, which follows so many ms later. */
  #pause: { readonly tasks: readonly string[]; readonly ms: number } | undefined;
  /** What is left alone until something else happens, because these tasks do it again and again. */
  #parked: { readonly suspicion: Suspicion; readonly tasks: Set<string> } | undefined;
  #pass: AbortController | undefined;
  #report: RunReport | undefined;
  #leaned: number | undefined;
  #following: Promise<void> = Promise.resolve();
  #isListening = false;
  #stalled = Number.NEGATIVE_INFINITY;
  #cancelRest: () => void = () => {};
  #isClosed = false;

  constructor({ tasks, clock, configuration, listener }: WatchParts) {
    this.#tasks = tasks;
    this.#clock = clock;
    this.#configuration = configuration;
    this.#listener = (event) => {
      return this.#isClosed ? undefined : listener(event);
    };
    this.#teller = new RoundTeller(this.#listener, () => clock.now());
    this.#settling = new Settling(
      clock,
      () => this.#settled(),
      () => this.#source?.lock(),
    );
  }

  /** Begins; `source` tells `path`, `anything` and `trouble` from now on. Resolves when nothing is missed any more. */
  async start(source: WatchSource): Promise<void> {
    this.#source = source;
    await this.#tasks.prepare();
    if (this.#isClosed) return;
    this.#follow();
    this.#begin('start');
    await this.#following;
    this.#listener({ type: 'watching' });
  }

  /** Something may have happened at this path, or below it. */
  path(path: RelPath): void {
    if (this.#isClosed) return;
    const now = this.#clock.now();
    if (now - this.#stalled <= STALL) this.#suspicion.addAnything();
    if (this.#configuration.paths.includes(path) || globsOf(this.#configuration.patterns).matches(path)) {
      this.#doubtConfiguration();
      this.#happened(false);
    }
    const { readers, writers } = this.#tasks.concerned(path);
    if (readers.size + writers.size === 0) return;
    for (const writer of writers) if (this.#mayHaveWritten(writer, path, now)) return this.#note(writer, path);
    this.#suspect(path, readers, writers);
  }

  /** The same of a folder that came to be, is gone, or is another one: what is below it is not told by itself. */
  folder(path: RelPath): void {
    if (this.#isClosed) return;
    const { paths, patterns } = this.#configuration;
    if (paths.some((file) => isWithin(path, file)) || globsOf(patterns).enters(path)) {
      this.#doubtConfiguration();
      this.#happened(false);
    }
    this.path(path);
  }

  #suspect(path: RelPath, readers: ReadonlySet<string>, writers: ReadonlySet<string> = new Set()): void {
    const now = this.#clock.now();
    if (readers.size > 0) this.#guard.seen(path, readers, now, (name) => this.#tasks.upstreamOf(name));
    this.#happened(this.#suspicion.add(path, [...readers, ...writers]));
  }

  /** Anything may have happened. */
  anything(): void {
    if (this.#isClosed) return;
    this.#suspicion.addAnything();
    this.#doubtConfiguration();
    this.#happened(false);
  }

  #doubtConfiguration(): void {
    if (this.#configuration.paths.length > 0) this.#configured = 'doubtful';
  }

  /** The configuration was read, and the tasks are those that there are. */
  configured(): void {
    if (this.#configured === 'reading') this.#configured = 'yes';
    if (this.#settling.isPending) this.#settling.hold(0);
  }

  #happened(isNew: boolean): void {
    this.#settling.happened(isNew);
    if (this.#pause === undefined || !this.#guard.hasOthers) return;
    this.#pause = undefined;
    this.#settling.hurry();
  }

  /** Watching does not work as it should. */
  trouble(message: string): void {
    this.#listener({ type: 'trouble', message });
  }

  /** Runs everything once more. */
  force(): void {
    this.#tasks.force();
    this.#begin('request');
  }

  /** Goes on with the tasks of another configuration. */
  async replace(tasks: Watchable, configuration: ConfigurationFiles): Promise<void> {
    this.#pass?.abort();
    await tasks.prepare();
    if (this.#isClosed) return;
    if (this.#configured === 'reading') this.#configured = 'yes';
    this.#tasks = tasks;
    this.#configuration = configuration;
    this.#teller.retain(new Set(tasks.names));
    this.#leaned = undefined;
    this.#follow();
    this.#suspicion.addAnything();
    this.#begin('configuration');
  }

  /** Writes down what costs time to find out again. */
  rest(): void {
    this.#tasks.rest();
  }

  /** Ends all work and all watching. Nothing is told any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#settling.reset();
    this.#cancelRest();
    this.#pass?.abort();
    await this.#tasks.end();
    await this.#source?.close();
    this.#tasks.rest();
  }

  /** While a task is at work, and for as long after as its events may be under way. */
  #mayHaveWritten(writer: string, path: RelPath, now: number): boolean {
    if (this.#isAtWork(writer)) return true;
    return now <= (this.#writing.get(writer) ?? 0) && this.#authorship(writer)(path);
  }

  #authorship(writer: string): (path: RelPath) => boolean {
    const known = this.#authorships.get(writer);
    if (known !== undefined) return known;
    const authorship = this.#tasks.authorship(writer);
    this.#authorships.set(writer, authorship);
    return authorship;
  }

  /** What a path means that a task may have written itself is seen when the task is over. */
  #note(writer: string, path: RelPath): void {
    const paths = this.#written.get(writer) ?? new Set();
    this.#written.set(writer, paths);
    if (paths.size < MOST_WRITTEN) paths.add(path);
    else this.#suspicion.addAnything();
  }

  /** Looks at what happened among the outputs of a task while it was at work: what it did not write is as any other path. */
  #settleWritten(writer: string): void {
    const paths = this.#written.get(writer) ?? [];
    this.#written.delete(writer);
    for (const path of paths) if (!this.#authorship(writer)(path)) this.path(path);
  }

  /** What happened since looks like the task's doing; the task's question, which looks closely, tells. */
  #settleLate(writer: string): void {
    if (this.#isClosed || this.#isAtWork(writer)) return;
    this.#authorships.delete(writer);
    if (!this.#written.delete(writer)) return;
    this.#suspicion.addTask(writer);
    this.#happened(false);
  }

  /** It is time for a pass, unless tasks run in circles. */
  #settled(): void {
    if (this.#configured === 'doubtful') {
      this.#configured = 'reading';
      this.#listener({ type: 'configuration' });
    }
    if (this.#configured === 'reading') return;
    if (this.#pause?.tasks.some((task) => this.#isAtWork(task))) return;
    this.#pause = undefined;
    const verdict = this.#suspicion.paths.size === 0 ? ({ kind: 'go' } as const) : this.#guard.judge();
    switch (verdict.kind) {
      case 'go':
        if (this.#settling.isBurst) this.#clock.after(LOOK_AGAIN, () => this.anything());
        return this.#begin('change');
      case 'wait':
        this.#pause = verdict;
        return this.#settling.hold(verdict.ms);
      case 'halt':
        return this.#park(verdict.loops);
    }
  }

  #isAtWork(task: string): boolean {
    return this.#writing.get(task) === Number.POSITIVE_INFINITY;
  }

  /** Leaves tasks alone that change what they, or tasks they need, read; others that read it are brought up to date. */
  #park(loops: readonly Loop[]): void {
    if (this.#parked === undefined) this.#listener({ type: 'loop', loops });
    this.#parked ??= { suspicion: new Suspicion(), tasks: new Set() };
    const { suspicion, tasks } = this.#parked;
    for (const { task } of loops) tasks.add(task);
    this.#tasks.pardon([...tasks].filter((task) => !this.#isAtWork(task)));
    suspicion.addAll(this.#suspicion);
    const involved = this.#involved();
    const rest = new Suspicion();
    for (const task of this.#suspicion.tasks) if (!involved.has(task)) rest.addTask(task);
    this.#tasks.doubt(this.#suspicion.paths);
    this.#suspicion = rest;
    this.#begin('change');
  }

  /** The tasks that are left alone, and all they need. */
  #involved(): ReadonlySet<string> {
    return new Set([...(this.#parked?.tasks ?? [])].flatMap((task) => [task, ...this.#tasks.upstreamOf(task)]));
  }

  #begin(cause: RoundCause): void {
    if (cause !== 'change' || this.#suspicion.paths.size > 0) this.#resume();
    const suspicion = this.#suspicion;
    const tasks = this.#tasks;
    this.#suspicion = new Suspicion();
    this.#settling.reset();
    if (suspicion.isAnything) {
      tasks.doubtAll();
      // Without paths nobody knows of anything else that happened.
      tasks.pardon([...this.#involved()].filter((task) => !this.#isAtWork(task)));
    } else {
      tasks.doubt(suspicion.paths);
    }
    tasks.disturb(suspicion.tasks);
    if (cause !== 'change' || !suspicion.isEmpty || tasks.isDisturbed()) {
      this.#teller.begin(cause, suspicion.paths);
      this.#run();
    } else if (this.#pass === undefined) {
      this.#rest();
    }
    if (this.#configured === 'doubtful') this.#happened(false);
  }

  /** A task runs that has nothing to do with those that are left alone: something else happened. */
  #resumeBeside(name: string): void {
    const { tasks } = this.#parked ?? {};
    if (tasks === undefined || this.#involved().has(name)) return;
    if (this.#tasks.upstreamOf(name).some((other) => tasks.has(other))) return;
    this.#resume();
    this.#happened(false);
  }

  /** Something else happened: what was left alone is taken up again. */
  #resume(): void {
    if (this.#parked === undefined) return;
    const { suspicion, tasks } = this.#parked;
    this.#parked = undefined;
    this.#guard.rest();
    this.#suspicion.addAll(suspicion);
    for (const task of tasks) this.#suspicion.addTask(task);
  }

  #run(): void {
    this.#cancelRest();
    this.#pass?.abort();
    const pass = new AbortController();
    this.#pass = pass;
    this.#listen();
    this.#tasks
      .round(pass.signal, (event) => this.#heard(event))
      .then(
        (report) => this.#over(pass, report),
        (error: unknown) => this.#listener({ type: 'fault', error }),
      );
  }

  #heard(event: RunEvent): unknown {
    const now = this.#clock.now();
    if (event.type === 'start') {
      this.#guard.started(event.name, now);
      this.#writing.set(event.name, Number.POSITIVE_INFINITY);
      this.#follow();
      this.#resumeBeside(event.name);
    }
    const told = this.#teller.event(event);
    if (event.type === 'done') this.#done(event.outcome.name, now);
    return told;
  }

  #done(name: string, now: number): void {
    this.#guard.ended(name, now);
    this.#writing.set(name, now + GRACE);
    this.#authorships.delete(name);
    this.#settleWritten(name);
    this.#clock.after(GRACE + 1, () => this.#settleLate(name));
    if (this.#parked?.tasks.has(name)) this.#tasks.pardon([name]);
    if (this.#pause?.tasks.includes(name)) this.#settling.hold(this.#pause.ms);
  }

  /** A pass is over. */
  #over(pass: AbortController, report: RunReport): void {
    if (pass !== this.#pass || this.#isClosed) return;
    this.#pass = undefined;
    this.#report = report;
    this.#follow();
    const overtaken = this.#tasks.takeOvertaken();
    if (this.#settling.isPending) return;
    if (!this.#tasks.isDisturbed()) return this.#rest();
    // As if the change were seen just now: it need not have been seen at all where nothing is watched.
    for (const [task, paths] of overtaken) for (const path of paths) this.#suspect(path, new Set([task]));
    if (overtaken.size === 0) this.#begin('change');
  }

  /** No other pass is needed, so the round is over. */
  #rest(): void {
    if (this.#report !== undefined) this.#teller.rest(this.#report);
    this.#cancelRest();
    this.#cancelRest = this.#clock.after(REST, () => {
      if (this.#parked === undefined) this.#guard.rest();
      this.#tasks.rest();
    });
  }

  /** Watches what matters by now. What was not watched before may have changed unnoticed. */
  #follow(): void {
    const { leaned } = this.#tasks;
    const source = this.#source;
    if (leaned === this.#leaned || source === undefined) return;
    this.#leaned = leaned;
    this.#following = this.#following
      .then(() => source.follow(this.#scope()))
      .then((isMore) => {
        if (isMore) this.anything();
      })
      .catch((error: unknown) => void this.#listener({ type: 'fault', error }));
  }

  #scope(): WatchScope {
    const scope = this.#tasks.scope();
    const { paths, patterns } = this.#configuration;
    const globs = globsOf(patterns);
    return {
      ...scope,
      patterns: new Set([...scope.patterns, ...patterns]),
      bases: [...scope.bases, ...globs.bases],
      paths: [...scope.paths, ...paths],
      enters: (folder) => scope.enters(folder) || globs.enters(folder),
    };
  }

  /** Listens to the event loop while there is work. */
  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    const began = this.#clock.now();
    this.#clock.after(BEAT, () => {
      const now = this.#clock.now();
      this.#isListening = false;
      if (now - began > BEAT + STALL) this.#stalled = now;
      if (this.#pass !== undefined && !this.#isClosed) this.#listen();
    });
  }
}
