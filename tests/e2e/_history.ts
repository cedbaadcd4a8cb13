/**
 * Random histories of a workspace: edits of every kind, and runs of which some are cut short, doubled or disturbed. Beside
 * the real workspace a model is kept of what stands there and of which questions were answered. After every run the two
 * are compared: nothing may be stale, and nothing may have been run that did not have to be.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { OutcomeKind } from '../../core/graph/outcome.ts';
import {
  configOf,
  evaluate,
  FILES,
  FORMS,
  folderOf,
  isAreaOf,
  type Made,
  nameOf,
  needsOf,
  outputsOf,
  type TaskPlan,
  TEXTS,
  type Thing,
  taskPlan,
  VIEWS,
} from './_pipeline.ts';

/** A change of the workspace. Numbers choose among what there is. */
export type Edit =
  | { readonly kind: 'write' | 'sneak'; readonly file: string; readonly text: string }
  | { readonly kind: 'delete' | 'touch' | 'chmod'; readonly file: string }
  | { readonly kind: 'rename' | 'link'; readonly file: string; readonly other: string }
  | { readonly kind: 'level'; readonly level: string | undefined }
  | { readonly kind: 'noise' | 'place'; readonly task: number }
  | { readonly kind: 'view'; readonly task: number; readonly view: TaskPlan['view'] }
  | { readonly kind: 'form'; readonly task: number; readonly form: TaskPlan['form'] }
  | { readonly kind: 'needs'; readonly task: number; readonly needs: number }
  | { readonly kind: 'edit-output' | 'delete-output' | 'chmod-output' | 'folder-for-output'; readonly which: number }
  | { readonly kind: 'delete-outputs' | 'squat'; readonly task: number }
  | { readonly kind: 'hand' | 'unhand'; readonly task: number; readonly name: string; readonly text: string }
  | { readonly kind: 'empty-folder' };

export type Act =
  | { readonly kind: 'run'; readonly jobs: number; readonly target: number | undefined; readonly force: boolean }
  | { readonly kind: 'abort' | 'kill'; readonly jobs: number; readonly after: number }
  | { readonly kind: 'twice'; readonly jobs: number; readonly after: number }
  | { readonly kind: 'disturb'; readonly jobs: number; readonly edits: readonly Late[] }
  | { readonly kind: 'wipe' }
  | { readonly kind: 'halve'; readonly salt: number }
  | { readonly kind: 'damage'; readonly at: number };

/** An edit so many ms after the one before it. */
export interface Late {
  readonly after: number;
  readonly edit: Edit;
}

export interface Chapter {
  readonly edits: readonly Edit[];
  readonly act: Act;
}

export interface Story {
  readonly plans: readonly TaskPlan[];
  readonly chapters: readonly Chapter[];
}

/** The text of a file that stands where an output should. */
const SQUAT = 'squat';

const file = fc.constantFrom(...FILES);
const text = fc.constantFrom(...TEXTS);
const task = fc.nat(6);
const which = fc.nat(30);

const sourceEdit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('write' as const), file, text }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('sneak' as const), file, text }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'touch' as const, 'chmod' as const), file }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('rename' as const, 'link' as const), file, other: file }) },
);

const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 12, arbitrary: sourceEdit },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('level' as const), level: fc.constantFrom(undefined, '1', '2') }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('noise' as const, 'place' as const), task }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('view' as const), task, view: fc.constantFrom(...VIEWS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('form' as const), task, form: fc.constantFrom(...FORMS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('needs' as const), task, needs: fc.nat(127) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'edit-output' as const,
        'delete-output' as const,
        'chmod-output' as const,
        'folder-for-output' as const,
      ),
      which,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('delete-outputs' as const, 'squat' as const), task }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('hand' as const, 'hand' as const, 'unhand' as const),
      task,
      name: fc.constantFrom('hand', 'hand2'),
      text,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'empty-folder' as const }) },
);

const jobs = fc.integer({ min: 1, max: 3 });
const after = fc.nat(60);

/** Edits of outputs. */
const outputEdit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom('edit-output' as const, 'delete-output' as const, 'chmod-output' as const),
  which,
});

/** What edits can be made while tasks run and the configuration is watched, beside those of sources. */
const watchedEdit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 12, arbitrary: sourceEdit },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('noise' as const), task }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('view' as const), task, view: fc.constantFrom(...VIEWS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('needs' as const), task, needs: fc.nat(127) }) },
  { weight: 3, arbitrary: outputEdit },
);

/**
 * How runs are done: within this process; as processes of their own, which can be killed, and whose cache can be damaged;
 * or by a watch, for which a run is the time until nothing is left to do.
 */
export type Manner = 'inside' | 'outside' | 'watch';

function act(manner: Manner): fc.Arbitrary<Act> {
  if (manner === 'watch') return watchAct;
  const acts: fc.WeightedArbitrary<Act>[] = [
    {
      weight: 14,
      arbitrary: fc.record({
        kind: fc.constant('run' as const),
        jobs,
        target: fc.option(task, { nil: undefined, freq: 4 }),
        force: fc.integer({ min: 0, max: 11 }).map((n) => n === 11),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const), jobs, after }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('twice' as const), jobs, after }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('disturb' as const),
        jobs,
        edits: fc.array(fc.record({ after, edit: sourceEdit }), { minLength: 1, maxLength: 1 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'wipe' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('halve' as const), salt: fc.nat(1000) }) },
  ];
  if (manner === 'outside') {
    acts.push({ weight: 5, arbitrary: fc.record({ kind: fc.constant('kill' as const), jobs, after: fc.nat(250) }) });
    acts.push({ weight: 2, arbitrary: fc.record({ kind: fc.constant('damage' as const), at: fc.nat(1_000_000) }) });
  }
  return fc.oneof(...acts);
}

const watchAct: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('run' as const),
      jobs,
      target: fc.constant(undefined),
      force: fc.integer({ min: 0, max: 11 }).map((n) => n === 11),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('disturb' as const),
      jobs,
      edits: fc.array(fc.record({ after: fc.nat(40), edit: watchedEdit }), { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), jobs, after }) },
);

export function story(manner: Manner): fc.Arbitrary<Story> {
  // The environment of a watch never changes.
  const edits = manner === 'watch' ? edit.filter(({ kind }) => kind !== 'level') : edit;
  const pause = manner === 'watch' ? fc.constantFrom(0, 0, 10, 30) : fc.constant(0);
  const plan = fc.record({ plan: taskPlan, pause }).map(({ plan, pause }): TaskPlan => ({ ...plan, pause }));
  return fc.record({
    plans: fc.array(plan, { minLength: 2, maxLength: 7 }),
    chapters: fc.array(fc.record({ edits: fc.array(edits, { maxLength: 3 }), act: act(manner) }), {
      minLength: 1,
      maxLength: manner === 'outside' ? 8 : 10,
    }),
  });
}

export interface RunOptions {
  readonly jobs: number;
  readonly target?: string | undefined;
  readonly force?: boolean;
  readonly level: string | undefined;
  /** Cut the run short after so many ms: asked to end, or killed. */
  readonly abortAfter?: number;
  readonly killAfter?: number;
}

export interface RunEnd {
  /** Null if the run did not get so far as to tell. */
  readonly outcomes: Readonly<Record<string, OutcomeKind>>;
  /** What a task printed, replayed or not; undefined if that is not known. */
  readonly printed: Readonly<Record<string, string>> | undefined;
  /** For messages. */
  readonly told: string;
}

/** How runs are done. */
export interface Driver {
  readonly root: string;
  readonly logFile: string;
  run(options: RunOptions): Promise<RunEnd>;
  /**
   * The next end, if there is any to come: a watch that has seen all edits may have to look again at folders that were
   * made a moment ago.
   */
  later(): Promise<RunEnd | undefined>;
  /** The configuration with what the driver needs beside the pipeline. */
  configure(text: string): string;
  /** Whether a question is not asked again while nothing it depends on has changed, even if its answer is not filed. */
  readonly isWatch: boolean;
  /** Whether a task may be writing its outputs just now, which nobody can tell from another's writing there. */
  isAtWork(name: string): boolean;
  /** Takes a line about what is done, for messages. */
  note(text: string): void;
  /** Removes some of the stored blobs. */
  halve(root: string, isGone: (digest: string) => boolean): Promise<void>;
}

/** Lives through a story, and throws at the first thing that is not as it should be. */
export async function live(story: Story, driver: Driver): Promise<void> {
  const history = new History(story.plans, driver);
  await history.begin();
  for (const { edits, act } of story.chapters) {
    for (const one of edits) history.edit(one);
    await history.act(act);
  }
  await history.act({ kind: 'run', jobs: 2, target: undefined, force: false });
}

type Filed = 'yes' | 'maybe';

class History {
  #plans: TaskPlan[];
  readonly #driver: Driver;
  /** What stands in the workspace and was written by no task: sources and hand-made files. */
  readonly #things = new Map<string, Thing>();
  readonly #hand = new Map<string, Thing>();
  #level: string | undefined;
  readonly #filed = new Map<string, Filed>();
  /** Files that may be nobody's: they may stay, and they may go. */
  readonly #strays = new Set<string>();
  /** Outputs that were right when the last run was over. */
  #outputs: readonly string[] = [];
  /** Whether it may be unknown to the program what tasks wrote here. */
  #isForgetful = true;
  /** The last question of each task that a watch knows the end of. */
  readonly #asked = new Map<string, string>();
  /** Whether answers may have been filed that the model does not know of. */
  #isLoose = false;
  #logged = 0;

  constructor(plans: readonly TaskPlan[], driver: Driver) {
    this.#plans = [...plans];
    this.#driver = driver;
  }

  async begin(): Promise<void> {
    this.#write('src/a', 'a');
    this.#write('src/d/a', 'ab');
    this.#write('src/e/é', 'b');
    await this.act({ kind: 'run', jobs: 2, target: undefined, force: false });
  }

  #place(path: string): string {
    return join(this.#driver.root, path);
  }

  #write(path: string, text: string): void {
    const place = this.#place(path);
    const before = this.#things.get(path);
    if (before?.kind === 'link') rmSync(place);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text);
    this.#things.set(path, { kind: 'file', text, executable: before?.kind === 'file' && before.executable });
  }

  #remove(path: string): void {
    if (!this.#things.delete(path)) return;
    rmSync(this.#place(path));
  }

  edit(edit: Edit): void {
    this.#driver.note(JSON.stringify(edit));
    switch (edit.kind) {
      case 'write':
        return this.#write(edit.file, edit.text);
      case 'sneak': {
        const times = lstatSync(this.#place(edit.file), { throwIfNoEntry: false });
        this.#write(edit.file, edit.text);
        if (times !== undefined) utimesSync(this.#place(edit.file), times.atime, times.mtime);
        return;
      }
      case 'delete':
        return this.#remove(edit.file);
      case 'touch':
        if (this.#things.get(edit.file)?.kind === 'file') utimesSync(this.#place(edit.file), new Date(), new Date());
        return;
      case 'chmod': {
        const thing = this.#things.get(edit.file);
        if (thing?.kind !== 'file') return;
        chmodSync(this.#place(edit.file), thing.executable ? 0o644 : 0o755);
        this.#things.set(edit.file, { ...thing, executable: !thing.executable });
        return;
      }
      case 'rename': {
        const thing = this.#things.get(edit.file);
        if (thing?.kind !== 'file' || edit.file === edit.other) return;
        mkdirSync(dirname(this.#place(edit.other)), { recursive: true });
        renameSync(this.#place(edit.file), this.#place(edit.other));
        this.#things.delete(edit.file);
        this.#things.set(edit.other, thing);
        return;
      }
      case 'link': {
        if (dirname(edit.file) !== dirname(edit.other) || edit.file === edit.other) return;
        this.#remove(edit.file);
        mkdirSync(dirname(this.#place(edit.file)), { recursive: true });
        const target = edit.other.slice(edit.other.lastIndexOf('/') + 1);
        symlinkSync(target, this.#place(edit.file));
        this.#things.set(edit.file, { kind: 'link', target });
        return;
      }
      case 'level':
        this.#level = edit.level;
        return;
      case 'noise':
        return this.#replan(edit.task, (plan) => ({ ...plan, noise: plan.noise + 1 }));
      case 'place':
        this.#unsquat(edit.task);
        return this.#replan(edit.task, (plan) => ({ ...plan, place: plan.place === 0 ? 1 : 0 }));
      case 'view':
        return this.#replan(edit.task, (plan) => ({ ...plan, view: edit.view }));
      case 'form':
        this.#unsquat(edit.task);
        for (const path of [...this.#hand.keys()]) if (isAreaOf(this.#taskAt(edit.task), path)) this.#unhand(path);
        return this.#replan(edit.task, (plan) => ({ ...plan, form: edit.form }));
      case 'needs':
        return this.#replan(edit.task, (plan) => ({ ...plan, needs: edit.needs }));
      case 'edit-output':
        return this.#atOutput(edit.which, (place) => writeFileSync(place, 'edited\n'));
      case 'delete-output':
        return this.#atOutput(edit.which, (place) => rmSync(place));
      case 'chmod-output':
        return this.#atOutput(edit.which, (place) => chmodSync(place, 0o711));
      case 'folder-for-output':
        return this.#atOutput(edit.which, (place) => {
          rmSync(place);
          mkdirSync(place);
          writeFileSync(join(place, 'inside'), 'x');
        });
      case 'delete-outputs': {
        const at = this.#taskAt(edit.task);
        for (const path of [...this.#hand.keys()]) if (isAreaOf(at, path)) this.#unhand(path);
        for (const place of [`out/t${at}`, `alt/out/t${at}`])
          rmSync(this.#place(place), { recursive: true, force: true });
        return;
      }
      case 'squat': {
        const at = this.#taskAt(edit.task);
        const plan = this.#plans[at];
        const [path] = plan === undefined ? [] : outputsOf(plan, at);
        if (path === undefined || path.includes('*') || existsSync(this.#place(path))) return;
        mkdirSync(dirname(this.#place(path)), { recursive: true });
        if (lstatSync(this.#place(path), { throwIfNoEntry: false }) === undefined)
          writeFileSync(this.#place(path), SQUAT);
        return;
      }
      case 'hand': {
        const folder = this.#folder(edit.task);
        if (folder === undefined) return;
        const path = `${folder}/${edit.name}`;
        this.#write(path, edit.text);
        this.#hand.set(path, { kind: 'file', text: edit.text, executable: false });
        return;
      }
      case 'unhand': {
        const path = `${this.#folder(edit.task)}/${edit.name}`;
        if (this.#hand.has(path)) this.#unhand(path);
        return;
      }
      case 'empty-folder':
        mkdirSync(this.#place('src/d/empty'), { recursive: true });
        return;
    }
  }

  #configure(): void {
    writeFileSync(this.#place('fleche.config.toml'), this.#driver.configure(configOf(this.#plans)));
  }

  /** However tasks were disturbed: an edit makes each of them begin once. */
  #checkBeginnings(edits: number): void {
    for (const [name, count] of this.#log())
      assert.ok(count <= edits, `${name} began ${count} times for ${edits} edits`);
  }

  #taskAt(task: number): number {
    return task % this.#plans.length;
  }

  #replan(task: number, change: (plan: TaskPlan) => TaskPlan): void {
    const at = this.#taskAt(task);
    this.#plans = this.#plans.map((plan, index) => (index === at ? change(plan) : plan));
  }

  #folder(task: number): string | undefined {
    const at = this.#taskAt(task);
    const plan = this.#plans[at];
    const folder = plan === undefined ? undefined : folderOf(plan, at);
    // A file of a former form may stand there until the next run.
    const stats = folder === undefined ? undefined : lstatSync(this.#place(folder), { throwIfNoEntry: false });
    return stats === undefined || stats.isDirectory() ? folder : undefined;
  }

  /** What stands in the place of an output would be anybody's once the task has its outputs elsewhere. */
  #unsquat(task: number): void {
    const at = this.#taskAt(task);
    const plan = this.#plans[at];
    for (const path of plan === undefined ? [] : outputsOf(plan, at)) {
      const place = this.#place(path);
      const isFile = !path.includes('*') && lstatSync(place, { throwIfNoEntry: false })?.isFile() === true;
      if (isFile && readFileSync(place, 'utf8') === SQUAT) rmSync(place);
    }
  }

  #unhand(path: string): void {
    this.#hand.delete(path);
    this.#remove(path);
  }

  /** While tasks run, what was there a moment ago may be gone. */
  #atOutput(which: number, change: (place: string) => void): void {
    const isFree = (path: string): boolean =>
      !this.#plans.some((_, index) => isAreaOf(index, path) && this.#driver.isAtWork(nameOf(index)));
    const files = this.#outputs.filter((path) => isFree(path) && isFile(this.#place(path)));
    const path = files[which % Math.max(1, files.length)];
    try {
      if (path !== undefined) change(this.#place(path));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  async act(act: Act): Promise<void> {
    const level = this.#level;
    for (const [path, thing] of this.#orphans()) {
      this.#strays.add(path);
      this.#things.set(path, thing);
    }
    this.#configure();
    switch (act.kind) {
      case 'run':
        return this.#run(act);
      case 'wipe':
        rmSync(this.#place('.fleche'), { recursive: true, force: true });
        this.#filed.clear();
        this.#isForgetful = true;
        return;
      case 'halve': {
        await this.#driver.halve(
          this.#driver.root,
          (digest) => createHash('md5').update(`${act.salt}${digest}`).digest('hex') < '8',
        );
        this.#doubt();
        return;
      }
      case 'damage': {
        const path = this.#place('.fleche/db/data.mdb');
        if (!existsSync(path)) return;
        const bytes = readFileSync(path);
        bytes.fill(0x5a, act.at % bytes.length, (act.at % bytes.length) + 3000);
        writeFileSync(path, bytes);
        this.#doubt();
        this.#isForgetful = true;
        return;
      }
      case 'abort': {
        const end = await this.#driver.run({ jobs: act.jobs, level, abortAfter: act.after });
        this.#asked.clear();
        this.#takeIn(end);
        return this.#run({ kind: 'run', jobs: act.jobs, target: undefined, force: false });
      }
      case 'kill':
        await this.#driver.run({ jobs: act.jobs, level, killAfter: act.after });
        this.#isForgetful = true;
        this.#suspect();
        this.#checkHand(this.#snapshot(), evaluate(this.#plans, this.#things, this.#level));
        this.#suspect();
        this.#log();
        return this.#run({ kind: 'run', jobs: act.jobs, target: undefined, force: false });
      case 'disturb': {
        this.#suspect();
        const running = this.#driver.run({ jobs: act.jobs, level });
        running.catch(() => {});
        for (const { after, edit } of act.edits) {
          await new Promise((resume) => setTimeout(resume, after));
          this.edit(edit);
          if (this.#driver.isWatch) this.#configure();
          this.#suspect();
        }
        await running;
        // What was edited last may still be at work.
        if (this.#driver.isWatch) await this.#driver.run({ jobs: act.jobs, level });
        this.#asked.clear();
        this.#isLoose = true;
        this.#checkBeginnings(act.edits.length + 1);
        return this.#run({ kind: 'run', jobs: act.jobs, target: undefined, force: false });
      }
      case 'twice': {
        const first = this.#driver.run({ jobs: act.jobs, level });
        await new Promise((resume) => setTimeout(resume, act.after));
        const ends = await Promise.all([first, this.#driver.run({ jobs: act.jobs, level })]);
        this.#check(
          ends,
          this.#plans.map((_, index) => index),
          false,
        );
        return this.#run({ kind: 'run', jobs: act.jobs, target: undefined, force: false });
      }
    }
  }

  /** Where it may not be known who wrote what: what no task would write now is anybody's. */
  #orphans(): ReadonlyMap<string, Thing> {
    const isOutput = (path: string): boolean =>
      this.#plans.some((plan, index) =>
        outputsOf(plan, index).some((pattern) =>
          pattern.endsWith('**') ? path.startsWith(pattern.slice(0, -2)) : path === pattern,
        ),
      );
    const all = this.#isForgetful ? [...this.#snapshot()] : [];
    return new Map(all.filter(([path]) => !this.#things.has(path) && !isOutput(path)));
  }

  /** Of every answer it is no longer sure that it is whole. */
  #doubt(): void {
    for (const question of this.#filed.keys()) this.#filed.set(question, 'maybe');
  }

  /** An answer served is one that is whole only if it was so before: what stands in its place is not looked for. */
  #file(question: string, isNew: boolean): void {
    if (isNew || this.#filed.get(question) !== 'maybe') this.#filed.set(question, 'yes');
  }

  /** What the tasks would ask now may have been answered. */
  #suspect(): void {
    for (const made of evaluate(this.#plans, this.#things, this.#level)) {
      if (made !== undefined && !this.#filed.has(made.question)) this.#filed.set(made.question, 'maybe');
    }
  }

  /** What a run that was cut short got done. */
  #takeIn({ outcomes }: RunEnd): void {
    this.#checkHand(this.#snapshot(), evaluate(this.#plans, this.#things, this.#level));
    const made = evaluate(this.#plans, this.#things, this.#level);
    for (const [index, plan] of this.#plans.entries()) {
      const question = made[index]?.question;
      if (question === undefined || !plan.cache) continue;
      const outcome = outcomes[nameOf(index)];
      if (outcome === 'ran' || outcome === 'cached') this.#file(question, outcome === 'ran');
      else if (!this.#filed.has(question)) this.#filed.set(question, 'maybe');
    }
    this.#log();
  }

  /** How often each task was at work since the last look. */
  #log(): Map<string, number> {
    const text = readFileSync(this.#driver.logFile, 'utf8');
    const counts = new Map<string, number>();
    for (const name of text.slice(this.#logged).split('\n'))
      if (name !== '') counts.set(name, (counts.get(name) ?? 0) + 1);
    this.#logged = text.length;
    return counts;
  }

  async #run({ jobs, target, force }: Extract<Act, { kind: 'run' }>): Promise<void> {
    const at = target === undefined ? undefined : this.#taskAt(target);
    const wanted = at === undefined ? this.#plans.map((_, index) => index) : this.#closure(at);
    const end = await this.#driver.run({
      jobs,
      force,
      level: this.#level,
      target: at === undefined ? undefined : nameOf(at),
    });
    let last = end;
    while (!this.#isRight(last)) {
      const next = await this.#driver.later();
      if (next === undefined) break;
      last = next;
    }
    this.#check([last], wanted, force);
  }

  /** Whether this is what there has to be in the end, as far as it can be told without taking anything in. */
  #isRight({ outcomes }: RunEnd): boolean {
    const made = evaluate(this.#plans, this.#things, this.#level);
    const fine = new Set([...made.keys()].filter((index) => made[index]?.fails === false));
    const kinds = made.map((one) => (one === undefined ? 'skipped' : one.fails ? 'failed' : 'fine'));
    if (kinds.some((kind, index) => kindOf(outcomes[nameOf(index)]) !== kind)) return false;
    try {
      this.#checkFiles(this.#snapshot(), made, fine, '');
      return true;
    } catch {
      return false;
    }
  }

  #closure(at: number): readonly number[] {
    const found = new Set([at]);
    for (let index = at; index >= 0; index--) {
      const plan = this.#plans[index];
      if (found.has(index) && plan !== undefined) for (const need of needsOf(plan, index)) found.add(need);
    }
    return [...found];
  }

  /** Compares the model with what one or two runs of these tasks left behind. */
  #check(ends: readonly RunEnd[], wanted: readonly number[], force: boolean): void {
    const found = this.#snapshot();
    this.#checkHand(found, evaluate(this.#plans, this.#things, this.#level));
    const made = evaluate(this.#plans, this.#things, this.#level);
    const log = this.#log();
    const told = ends.map((end) => end.told).join('\n');
    const fine = new Set<number>();
    for (const [index, plan] of this.#plans.entries()) {
      const name = nameOf(index);
      const count = log.get(name) ?? 0;
      if (!wanted.includes(index)) {
        assert.is(count, 0, `${name} was not wanted\n${told}`);
        continue;
      }
      const one = made[index];
      for (const end of ends) {
        assert.is(
          kindOf(end.outcomes[name]),
          one === undefined ? 'skipped' : one.fails ? 'failed' : 'fine',
          `${name}\n${told}`,
        );
        if (one !== undefined && end.printed !== undefined)
          assert.is(end.printed[name] ?? '', one.printed, `${name} printed`);
      }
      if (one === undefined) assert.is(count, 0, `${name} was skipped\n${told}`);
      if (one === undefined) continue;
      if (one.fails) {
        if (this.#isAsked(name, one) && !force) assert.is(count, 0, `${name} fails as before\n${told}`);
        continue;
      }
      fine.add(index);
      this.#checkCount(name, plan, one, count, ends.length, force, told);
      if (plan.cache) this.#file(one.question, count > 0);
    }
    this.#checkFiles(found, made, fine, told);
    for (const [index, one] of made.entries()) if (one !== undefined) this.#asked.set(nameOf(index), one.question);
    if (fine.size === this.#plans.length) this.#isForgetful = false;
    this.#outputs = [...fine].flatMap((index) => [...(made[index]?.outputs.keys() ?? [])]);
  }

  #checkCount(
    name: string,
    plan: TaskPlan,
    made: Made,
    count: number,
    runs: number,
    force: boolean,
    told: string,
  ): void {
    const about = `${name} was at work ${count} times\n${made.question}\n${told}`;
    if (this.#driver.isWatch && force) return assert.ok(count >= 1 && count <= 2, about);
    // Of what is not cached nothing is kept, so what is damaged is made again.
    if (this.#driver.isWatch && !plan.cache) return assert.ok(count <= 1, about);
    if (!plan.cache || force) return assert.is(count, runs, about);
    const filed = this.#filed.get(made.question);
    if (filed === 'yes') assert.is(count, 0, `needlessly: ${about}`);
    else if (filed === 'maybe' || this.#isLoose) assert.ok(count <= 1, about);
    else assert.is(count, 1, about);
  }

  /** Whether a watch has the answer to this question of a task, filed or not. */
  #isAsked(name: string, { question }: Made): boolean {
    return this.#driver.isWatch && this.#asked.get(name) === question;
  }

  /** Files of people stay, unless nobody knows whose they are; then they are moved, not deleted. */
  #checkHand(found: ReadonlyMap<string, Thing>, made: readonly (Made | undefined)[]): void {
    for (const path of this.#strays) {
      const isHere = JSON.stringify(found.get(path)) === JSON.stringify(this.#things.get(path));
      if (isHere && !made.some((one) => one?.outputs.has(path))) continue;
      this.#strays.delete(path);
      this.#things.delete(path);
    }
    for (const [path, thing] of [...this.#hand]) {
      const now = found.get(path);
      if (now !== undefined && JSON.stringify(now) === JSON.stringify(thing)) continue;
      this.#hand.delete(path);
      this.#things.delete(path);
      if (made.some((one) => one?.outputs.has(path))) continue;
      assert.ok(this.#isForgetful, `the hand-made ${path} is gone`);
      assert.ok(thing.kind === 'link' || this.#isInTrash(path, thing.text), `the hand-made ${path} is nowhere`);
    }
  }

  #isInTrash(path: string, text: string): boolean {
    const trash = this.#place('.fleche/trash');
    if (!existsSync(trash)) return false;
    return readdirSync(trash).some((folder) => {
      const place = join(trash, folder, path);
      return existsSync(place) && readFileSync(place, 'utf8') === text;
    });
  }

  #checkFiles(
    found: ReadonlyMap<string, Thing>,
    made: readonly (Made | undefined)[],
    fine: ReadonlySet<number>,
    told: string,
  ): void {
    const wanted = new Map(this.#things);
    for (const index of fine) for (const [path, thing] of made[index]?.outputs ?? []) wanted.set(path, thing);
    const others = this.#plans.map((_, index) => index).filter((index) => !fine.has(index));
    const isOpen = (path: string): boolean => others.some((index) => isAreaOf(index, path)) && !this.#hand.has(path);
    const textOf = (things: ReadonlyMap<string, Thing>): string =>
      [...things]
        .filter(([path]) => !isOpen(path))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([path, thing]) => `${path}: ${JSON.stringify(thing)}`)
        .join('\n');
    const [is, should] = [textOf(found), textOf(wanted)];
    assert.ok(is === should, `the workspace is\n${is}\nand should be\n${should}\n${told}`);
  }

  #snapshot(): ReadonlyMap<string, Thing> {
    const found = new Map<string, Thing>();
    for (const entry of readdirSync(this.#driver.root, { recursive: true, withFileTypes: true })) {
      const place = join(entry.parentPath ?? entry.path, entry.name);
      const path = place.slice(this.#driver.root.length + 1);
      if (path.startsWith('.fleche/') || path === 'fleche.config.toml' || entry.isDirectory()) continue;
      if (entry.isSymbolicLink()) found.set(path, { kind: 'link', target: readlinkSync(place) });
      else {
        const executable = (lstatSync(place).mode & 0o100) !== 0;
        found.set(path, { kind: 'file', text: readFileSync(place, 'utf8'), executable });
      }
    }
    return found;
  }
}

function kindOf(outcome: OutcomeKind | undefined): string {
  return outcome === 'ran' || outcome === 'cached' ? 'fine' : String(outcome);
}

function isFile(place: string): boolean {
  try {
    return lstatSync(place).isFile();
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
