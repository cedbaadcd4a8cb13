/**
 * Watch mode: turns paths where something may have happened into rounds of asking again. An event starts nothing by
 * itself: it marks tasks dirty, and their questions decide. Knows neither files nor processes nor real time: events
 * come from a source, time from a clock, and what a round does is for the tasks to know.
 *
 * Every change begins a new pass, which takes over from the one before it; a round, as it is told, lasts until no more
 * passes are needed.
 */
import type { Clock } from '../../base/clock.ts';
import type { RelPath } from '../../base/paths.ts';
import type { WatchSource } from '../../files/watch/watcher.ts';
import type { RunEvent, RunReport } from '../tasks/outcome.ts';
import { Debounce } from './debounce.ts';
import { GRACE, type Loop, LoopGuard } from './loop-guard.ts';
import { type Others, OwnWrites } from './own-writes.ts';
import { Parking } from './parking.ts';
import { PendingChanges } from './pending-changes.ts';
import { RoundTeller } from './round-teller.ts';
import { StallDetector } from './stall-detector.ts';
import type { RoundCause, WatchListener } from './watch-events.ts';
import { type ConfigurationFiles, WatchedConfiguration } from './watched-configuration.ts';
import type { Watchable } from './watched-tasks.ts';

/** What a watch is made of. */
interface WatchParts {
  readonly tasks: Watchable;
  readonly clock: Clock;
  readonly configuration: ConfigurationFiles;
  readonly listener: WatchListener;
}

/** Time until everything is looked at once more after a burst, ms. */
const LOOK_AGAIN = 1000;
/** Time of quiet after which nobody runs in circles, and what costs time to find out again is written down, ms. */
const REST = 500;

export class Watch {
  readonly #clock: Clock;
  readonly #listener: WatchListener;
  readonly #guard = new LoopGuard();
  readonly #teller: RoundTeller;
  readonly #debounce: Debounce;
  #tasks: Watchable;
  #source: WatchSource | undefined;
  /** While it is dirty or being read no pass begins. */
  readonly #configuration: WatchedConfiguration;
  /** What happened since the last pass began. */
  #pending = new PendingChanges();
  readonly #ownWrites = new OwnWrites((task) => this.#tasks.authorship(task));
  /** Tasks that are to end before the next pass, which follows so many ms later. */
  #pause: { readonly tasks: readonly string[]; readonly ms: number } | undefined;
  readonly #parked = new Parking((task) => this.#tasks.upstreamOf(task));
  #pass: AbortController | undefined;
  #report: RunReport | undefined;
  #followed: number | undefined;
  #following: Promise<void> = Promise.resolve();
  readonly #stalls: StallDetector;
  #cancelRest: () => void = () => {};
  #isClosed = false;

  constructor({ tasks, clock, configuration, listener }: WatchParts) {
    this.#tasks = tasks;
    this.#clock = clock;
    this.#configuration = new WatchedConfiguration(configuration);
    this.#listener = (event) => {
      return this.#isClosed ? undefined : listener(event);
    };
    this.#teller = new RoundTeller(this.#listener, () => clock.now());
    this.#stalls = new StallDetector(clock, () => this.#pass !== undefined && !this.#isClosed);
    this.#debounce = new Debounce(
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
    if (this.#configuration.has(path)) this.#recheckConfiguration();
    this.#look(path, false);
  }

  /** The same of a folder that came to be, is gone, or is another one: what is below it is not told by itself. */
  folder(path: RelPath): void {
    if (this.#isClosed) return;
    if (this.#configuration.enters(path)) this.#recheckConfiguration();
    this.#look(path, true);
  }

  #look(path: RelPath, isFolder: boolean): void {
    const now = this.#clock.now();
    if (this.#stalls.isRecent) this.anything();
    const { readers, writers } = this.#tasks.concerned(path);
    if (readers.size + writers.size === 0) return;
    const others = new Set([...writers].filter((writer) => !this.#ownWrites.takes(writer, path, isFolder, now)));
    if (others.size === writers.size) this.#noteChange(path, readers, writers);
    else this.#noteTasks(others);
  }

  /** Of what may well be the doing of another task: it says nothing about tasks that run in circles. */
  #noteTasks(tasks: ReadonlySet<string>): void {
    for (const task of tasks) this.#pending.addTask(task);
    if (tasks.size > 0) this.#happened(false);
  }

  #noteChange(path: RelPath, readers: ReadonlySet<string>, writers: ReadonlySet<string> = new Set()): void {
    const now = this.#clock.now();
    if (readers.size > 0) this.#guard.seen(path, readers, now, (name) => this.#tasks.upstreamOf(name));
    this.#happened(this.#pending.add(path, [...readers, ...writers]));
  }

  /** Anything may have happened. */
  anything(): void {
    if (this.#isClosed) return;
    this.#pending.addAnything();
    this.#recheckConfiguration();
  }

  #recheckConfiguration(): void {
    this.#configuration.markDirty();
    this.#happened(false);
  }

  /** The configuration was read, and the tasks are those that there are. */
  configured(): void {
    this.#configuration.end();
    if (this.#debounce.isPending) this.#debounce.hold(0);
  }

  #happened(isNew: boolean): void {
    this.#debounce.happened(isNew);
    if (this.#pause === undefined || !this.#guard.hasOthers) return;
    this.#pause = undefined;
    this.#debounce.hurry();
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
    this.#configuration.end(configuration);
    this.#tasks = tasks;
    this.#teller.retain(new Set(tasks.names));
    this.#followed = undefined;
    this.#follow();
    this.#pending.addAnything();
    this.#begin('configuration');
  }

  /** Writes down what costs time to find out again. */
  rest(): void {
    this.#tasks.rest();
  }

  /** Ends all work and all watching. Nothing is told any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#debounce.reset();
    this.#cancelRest();
    this.#pass?.abort();
    await this.#tasks.end();
    await this.#source?.close();
    this.#tasks.rest();
  }

  /** What others did among the outputs of a task while it was at work is as anything else; undefined if that is too much. */
  #settleWritten(others: Others | undefined): void {
    if (others === undefined) return this.anything();
    for (const path of others.paths) this.path(path);
    this.#tasks.recheck(others.folders);
    for (const folder of others.folders) this.#noteTasks(this.#tasks.concerned(folder).readers);
  }

  /** What happened since looks like the task's doing; the task's question, which looks closely, tells. */
  #settleLate(writer: string): void {
    if (!this.#isClosed && this.#ownWrites.settle(writer)) this.#noteTasks(new Set([writer]));
  }

  /** It is time for a pass, unless tasks run in circles. */
  #settled(): void {
    if (this.#configuration.isDirty) {
      this.#configuration.begin();
      this.#listener({ type: 'configuration' });
    }
    if (this.#configuration.isBeingRead) return;
    if (this.#pause?.tasks.some((task) => this.#ownWrites.isAtWork(task))) return;
    this.#pause = undefined;
    const verdict = this.#pending.paths.size === 0 ? ({ kind: 'go' } as const) : this.#guard.judge();
    switch (verdict.kind) {
      case 'go':
        if (this.#debounce.isBurst) this.#clock.after(LOOK_AGAIN, () => this.anything());
        return this.#begin('change');
      case 'wait':
        this.#pause = verdict;
        return this.#debounce.hold(verdict.ms);
      case 'halt':
        return this.#park(verdict.loops);
    }
  }

  /** Leaves tasks alone that change what they, or tasks they need, read; others that read it are brought up to date. */
  #park(loops: readonly Loop[]): void {
    if (this.#parked.isEmpty) this.#listener({ type: 'loop', loops });
    const pending = this.#pending;
    this.#pending = this.#parked.add(loops, pending);
    this.#markClean(this.#parked.tasks);
    this.#tasks.recheck(pending.paths);
    this.#begin('change');
  }

  /** Those of the tasks that are not at work are left as they are. */
  #markClean(tasks: ReadonlySet<string>): void {
    this.#tasks.markClean([...tasks].filter((task) => !this.#ownWrites.isAtWork(task)));
  }

  #begin(cause: RoundCause): void {
    if (cause !== 'change' || this.#pending.paths.size > 0) this.#resume();
    const pending = this.#pending;
    const tasks = this.#tasks;
    this.#pending = new PendingChanges();
    this.#debounce.reset();
    if (pending.isAnything) {
      tasks.recheckAll();
      // Without paths nobody knows of anything else that happened.
      this.#markClean(this.#parked.involved);
    } else {
      tasks.recheck(pending.paths);
    }
    tasks.markDirty(pending.tasks);
    if (cause !== 'change' || !pending.isEmpty || tasks.isDirty()) {
      this.#teller.begin(cause, pending.paths);
      this.#run();
    } else if (this.#pass === undefined) {
      this.#rest();
    }
    if (this.#configuration.isDirty) this.#happened(false);
  }

  /** Something else happened: what was left alone is taken up again. */
  #resume(): void {
    if (this.#parked.isEmpty) return;
    this.#guard.rest();
    this.#pending.addAll(this.#parked.clear());
  }

  #run(): void {
    this.#cancelRest();
    this.#pass?.abort();
    const pass = new AbortController();
    this.#pass = pass;
    this.#stalls.listen();
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
      this.#ownWrites.began(event.name);
      this.#follow();
      if (!this.#parked.isEmpty && this.#parked.isBeside(event.name)) {
        this.#resume();
        this.#happened(false);
      }
    }
    const told = this.#teller.event(event);
    if (event.type === 'done') this.#done(event.outcome.name, now);
    // A service went down by itself, which is a round of its own.
    if (event.type === 'done' && this.#pass === undefined) this.#rest();
    return told;
  }

  #done(name: string, now: number): void {
    this.#guard.ended(name, now);
    this.#settleWritten(this.#ownWrites.ended(name, now));
    this.#clock.after(GRACE + 1, () => this.#settleLate(name));
    if (this.#parked.tasks.has(name)) this.#tasks.markClean([name]);
    if (this.#pause?.tasks.includes(name)) this.#debounce.hold(this.#pause.ms);
  }

  /** A pass is over. */
  #over(pass: AbortController, report: RunReport): void {
    if (pass !== this.#pass || this.#isClosed) return;
    this.#pass = undefined;
    this.#report = report;
    this.#follow();
    const overtaken = this.#tasks.takeOvertaken();
    if (this.#debounce.isPending) return;
    if (!this.#tasks.isDirty()) return this.#rest();
    // As if the change were seen just now: it need not have been seen at all where nothing is watched.
    for (const [task, paths] of overtaken) for (const path of paths) this.#noteChange(path, new Set([task]));
    if (overtaken.size === 0) this.#begin('change');
  }

  /** No other pass is needed, so the round is over. */
  #rest(): void {
    if (this.#report !== undefined) this.#teller.rest(this.#report);
    this.#cancelRest();
    this.#cancelRest = this.#clock.after(REST, () => {
      if (this.#parked.isEmpty) this.#guard.rest();
      this.#tasks.rest();
    });
  }

  /** Watches what matters by now. What was not watched before may have changed unnoticed. */
  #follow(): void {
    const { revision } = this.#tasks;
    const source = this.#source;
    if (revision === this.#followed || source === undefined) return;
    this.#followed = revision;
    this.#following = this.#following
      .then(() => source.follow(this.#configuration.within(this.#tasks.scope())))
      .then((isMore) => {
        if (isMore) this.anything();
      })
      .catch((error: unknown) => void this.#listener({ type: 'fault', error }));
  }
}
