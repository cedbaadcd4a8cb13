/**
 * The note that a run leaves if it has nothing to do. From its beginning to its end is taken down what it looks at, which
 * environment variables it reads, and what it tells; that nobody changed the cache meanwhile is known from the moment of its
 * data file. What of a run is not a function of these alone, such as the age of answers, leads to no note.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import { type AbsPath, toAbs } from '../../base/paths.ts';
import { runningDir } from '../../graph/round/workbench.ts';
import type { RunEvent, RunListener, RunReport } from '../../graph/tasks/outcome.ts';
import { CACHE_FOLDER, dataFile, distrustFile, type Layout, layoutOf, noteFile, runsFile } from '../../store/layout.ts';
import { momentOf } from '../../store/lmdb/lmdb-moment.ts';
import type { Invocation } from '../cli/invocation.ts';
import type { Machine, VerbContext } from '../cli/verb.ts';
import type { Project } from '../project.ts';
import { reporterFor } from '../reporters/choose.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { Looking, type Matters } from './looking.ts';
import { type Head, packNote } from './note.ts';
import { type Noting, nameOf, questionOf } from './question.ts';
import { timeText } from './same-again.ts';

/** Options with which a run still is what is taken down here; the others look elsewhere, or write elsewhere. */
const OPTIONS: ReadonlySet<string> = new Set([
  'filter',
  'frozen',
  'keep-going',
  'jobs',
  'log',
  'json',
  'color',
  'no-color',
]);
/** Of what is told no more is kept, characters. */
const MOST_TEXT = 1 << 20;
/** Notes of other questions that are kept. */
const MOST_NOTES = 16;

type Place = Pick<Head, 'root' | 'database' | 'moment' | 'runs'> & { readonly layout: Layout };

export class NoteDraft {
  readonly #invocation: Invocation;
  readonly #machine: Machine;
  readonly #noting: Noting;
  readonly #looking: Looking;
  readonly #events: RunEvent[] = [];
  #told = 0;
  #place: Place | undefined;
  #end: Pick<Head, 'cached' | 'saved' | 'before' | 'after' | 'isNumber'> | undefined;

  /** Begins a note, where there can be one. Whoever begins it closes it. */
  static begin({ invocation, machine }: VerbContext): NoteDraft | undefined {
    const { noting } = machine;
    if (noting === undefined || !invocation.names.every((name) => OPTIONS.has(name))) return undefined;
    return new NoteDraft(invocation, machine, noting);
  }

  private constructor(invocation: Invocation, machine: Machine, noting: Noting) {
    this.#invocation = invocation;
    this.#machine = machine;
    this.#noting = noting;
    this.#looking = new Looking(noting.now);
    for (const file of noting.asker.program) this.#looking.content(file);
  }

  /** Hears what is told to `listener`. */
  hearing(listener: RunListener): RunListener {
    return (event) => {
      if (event.type === 'output') this.#told += event.chunk.length;
      // What holds a chunk may be used again.
      const kept = event.type === 'output' ? { ...event, chunk: Uint8Array.from(event.chunk) } : event;
      if (this.#told <= MOST_TEXT) this.#events.push(kept);
      return listener(event);
    };
  }

  /** To be told of the project before its cache is opened. */
  found(project: Project): void {
    const { root } = project;
    // Who shares a cache has more to do at the end of a run than to say that nothing was to be done.
    if (project.cacheFolder() !== toAbs(root, CACHE_FOLDER) || project.shared() !== undefined) return this.close();
    const layout = layoutOf(toAbs(root, CACHE_FOLDER));
    const database = dataFile(layout);
    const moment = tried(() => momentOf(database));
    if (moment === undefined) return this.close();
    this.#place = { root, database, moment, runs: runsFile(layout), layout };
    this.#looking.within(mattersIn(layout));
  }

  /** To be told what became of the tasks, while the cache is open. */
  over({ outcomes, summary: { cached, saved } }: RunReport, project: Project): void {
    const isStill = outcomes.every(({ name, outcome, restored, attempts }) => {
      const { staleAfter, service } = project.graph.task(name);
      const isIdle = outcome === 'cached' && restored === 0 && attempts === 0;
      return isIdle && staleAfter === undefined && service === undefined;
    });
    if (!isStill || this.#told > MOST_TEXT || isAnybodyAtWork(project.stores().tempDir)) return;
    const isNumber = this.#invocation.flag('json');
    const around = aroundTime((ms) => this.#said(ms), isNumber);
    if (around !== undefined) this.#end = { ...around, cached, saved, isNumber };
  }

  /** What a run would have printed that took so long, ms, and that found all answers at once; undefined for more than that. */
  #said(ms: number): string | undefined {
    const { stdout, stderr } = this.#machine;
    const [told, beside] = [pageOf(stdout), pageOf(stderr)];
    const reporter = reporterFor(this.#invocation, { ...this.#machine, stdout: told, stderr: beside }, 'run');
    for (const event of this.#events) reporter.listener(timed(event, ms));
    reporter.close();
    return beside.text === '' ? told.text : undefined;
  }

  /** Leaves the note, if all is over and nothing else has happened meanwhile. Trouble with it leaves none. */
  leave(): void {
    const [place, end] = [this.#place, this.#end];
    const { asker, seen } = this.#noting;
    if (place === undefined || end === undefined) return;
    const { layout, ...head } = place;
    const looks = this.#looking.end();
    tried(() => {
      if (looks === undefined || momentOf(head.database) !== head.moment) return;
      const { names } = seen;
      const bytes = packNote({ ...head, ...end, names, question: questionOf(asker, names) }, looks);
      put(noteFile(layout, nameOf(asker)), bytes);
    });
  }

  /** Takes down nothing more. Safe to call twice. */
  close(): void {
    this.#looking.close();
  }
}

/** Keeps what is written. */
interface Page extends Terminal {
  text: string;
}

/** A page of the form that a terminal has at this moment. */
function pageOf({ columns, rows, isTTY, colors }: Terminal): Page {
  const write = (text: string): void => {
    page.text += text;
  };
  const page: Page = { columns, rows, isTTY, colors, text: '', write };
  return page;
}

function timed(event: RunEvent, ms: number): RunEvent {
  if (event.type === 'done') return { ...event, outcome: { ...event.outcome, ms: 0 } };
  return event.type === 'end' ? { ...event, summary: { ...event.summary, ms } } : event;
}

/** What stands around the time; found where it alone makes a difference. */
function aroundTime(
  said: (ms: number) => string | undefined,
  isNumber: boolean,
): Pick<Head, 'before' | 'after'> | undefined {
  const [none, one, much] = [said(0), said(1), said(MUCH)];
  if (none === undefined || one === undefined) return undefined;
  let at = 0;
  while (at < none.length && none[at] === one[at]) at++;
  const before = none.slice(0, at);
  const after = none.slice(at + timeText(0, isNumber).length);
  const isRight = [none, one, much].every(
    (text, index) => text === before + timeText([0, 1, MUCH][index] ?? 0, isNumber) + after,
  );
  return isRight ? { before, after } : undefined;
}

/** A time that is written in another way than short ones, ms. */
const MUCH = 83_500;

/**
 * Of the cache everything may be touched: that nothing of it was changed the moment of its data file tells. What is done
 * in it beside that, by every process that opens it, is of no matter, its folders included, and neither is who lives.
 */
function mattersIn(layout: Layout): Matters {
  const distrust = slashed(distrustFile(layout));
  const [cache, db] = [slashed(layout.root), slashed(layout.db)];
  const open = new Set([layout.root, layout.cas, layout.tmp, layout.logs, layout.trash, runsFile(layout)].map(slashed));
  return {
    isOwn: (path) => slashed(path).startsWith(`${cache}/`) || slashed(path) === cache,
    isLookedAt(path) {
      const place = slashed(path);
      if (open.has(place) || PROCESS.test(place)) return false;
      return place === distrust || !place.startsWith(`${db}`);
    },
  };
}

const PROCESS = /^\/proc\/(?:thread-self|sys\/kernel\/random\/boot_id|\d+\/(?:task\/\d+\/)?stat)$/;

function slashed(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/');
}

/** Whether another process notes that it runs commands, or has left what they print: it may be gone when it is asked again. */
function isAnybodyAtWork(tempDir: AbsPath): boolean {
  const names = (folder: string): readonly string[] => tried(() => readdirSync(folder)) ?? [];
  const isOther = (name: string): boolean => Number.parseInt(name, 10) !== process.pid;
  return names(runningDir({ tempDir })).some(isOther) || names(tempDir).some((name) => name.endsWith('.log'));
}

function put(path: string, bytes: Uint8Array): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > MOST_NOTES) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, bytes);
  renameSync(temporary, path);
}

/** What an action gives; undefined if the system refuses it. */
function tried<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    // A note is of use, never of need.
    return undefined;
  }
}
