/**
 * Random histories of a workspace: edits of every kind, and runs of which some are cut short, doubled or disturbed. Beside
 * the real workspace a model is kept of what stands there and of which questions were answered. After every run the two
 * are compared: nothing may be stale, and nothing may have been run that did not have to be.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import type { OutcomeKind } from '../../core/graph/tasks/outcome.ts';
import { Answers } from './_answers.ts';
import {
  type Blueprint,
  isAreaOf,
  isOutputOf,
  type Made,
  type MadeItem,
  type Planned,
  partsOf,
  upTo,
} from './_blueprint.ts';
import { Checkout } from './_checkout.ts';
import type { Driver, RunEnd } from './_driver.ts';
import type { Edit } from './_edits.ts';
import type { Act, Story, World } from './_story.ts';
import type { Thing, Things } from './_things.ts';

/** The text of a file that stands where an output should. */
const SQUAT = 'squat';
const CONFIG = 'fleche.config.toml';

/** Lives through a story, and throws at the first thing that is not as it should be. */
export async function live<P>(story: Story<P>, world: World<P>, driver: Driver): Promise<void> {
  const history = new History(world.draw(story.plan), driver);
  await history.begin(world.begin);
  for (const { edits, act } of story.chapters) {
    for (const one of edits) history.edit(one);
    await history.act(act);
  }
  await history.act({ kind: 'run', jobs: 2, target: undefined, force: false });
}

export class History {
  #blueprint: Blueprint;
  readonly #driver: Driver;
  readonly #checkout: Checkout;
  readonly #hand = new Map<string, Thing>();
  #level: string | undefined;
  readonly #answers: Answers;
  /** Files that may be nobody's: they may stay, and they may go. */
  readonly #strays = new Set<string>();
  /** Outputs that were right when the last run was over. */
  #outputs: readonly string[] = [];
  /** Whether it may be unknown to the program what tasks wrote here. */
  #isForgetful = true;
  /** The last question of each task that a watch knows the end of. */
  readonly #asked = new Map<string, string>();
  #configured: readonly string[] = [];
  #logged = 0;

  constructor(blueprint: Blueprint, driver: Driver, answers: Answers = new Answers()) {
    this.#answers = answers;
    this.#blueprint = blueprint;
    this.#driver = driver;
    this.#checkout = new Checkout(driver.root);
  }

  async begin(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) this.#checkout.write(path, text);
    await this.act({ kind: 'run', jobs: 2, target: undefined, force: false });
  }

  get #tasks(): readonly Planned[] {
    return this.#blueprint.tasks;
  }

  #made(): readonly (Made | undefined)[] {
    return this.#blueprint.evaluate(this.#checkout.things, this.#level);
  }

  edit(edit: Edit): void {
    this.#driver.note(JSON.stringify(edit));
    const checkout = this.#checkout;
    switch (edit.kind) {
      case 'plan':
        return this.#redraw(this.#blueprint.edited(edit));
      case 'level':
        this.#level = edit.level;
        return;
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
        const task = this.#taskAt(edit.task);
        this.#unhandAll(task);
        for (const area of task.areas) rmSync(checkout.place(area), { recursive: true, force: true });
        return;
      }
      case 'squat': {
        const [path] = this.#taskAt(edit.task).outputs;
        if (path === undefined || path.includes('*') || existsSync(checkout.place(path))) return;
        mkdirSync(dirname(checkout.place(path)), { recursive: true });
        if (lstatSync(checkout.place(path), { throwIfNoEntry: false }) === undefined)
          writeFileSync(checkout.place(path), SQUAT);
        return;
      }
      case 'hand': {
        const folder = this.#folder(edit.task);
        if (folder === undefined) return;
        const path = `${folder}/${edit.name}`;
        checkout.write(path, edit.text);
        this.#hand.set(path, { kind: 'file', text: edit.text, executable: false });
        return;
      }
      case 'unhand': {
        const path = `${this.#folder(edit.task)}/${edit.name}`;
        if (this.#hand.has(path)) this.#unhand(path);
        return;
      }
      case 'empty-folder':
        mkdirSync(checkout.place('src/d/empty'), { recursive: true });
        return;
      default:
        return checkout.edit(edit);
    }
  }

  #redraw(next: Blueprint): void {
    for (const task of this.#tasks) {
      const then = next.tasks.find(({ name }) => name === task.name);
      if (String(then?.outputs) !== String(task.outputs)) this.#unsquat(task);
      if (then?.folder === undefined) this.#unhandAll(task);
      // What a task wrote that declared nothing is not known, so what stands where it writes from now on may be anybody's.
      if (task.outputs.length === 0 && then !== undefined && then.outputs.length > 0) this.#isForgetful = true;
    }
    this.#blueprint = next;
  }

  /** Puts in place what configures the workspace; what else than the configuration itself does so is a source like others. */
  #configure(): void {
    const { files, absent } = this.#blueprint;
    for (const folder of absent) {
      for (const path of this.#hand.keys()) if (path.startsWith(`${folder}/`)) this.#hand.delete(path);
      this.#checkout.removeAll(folder);
    }
    for (const path of this.#configured) if (!files.has(path)) this.#checkout.remove(path);
    for (const [path, text] of files) {
      const thing = this.#checkout.things.get(path);
      if (path === CONFIG) this.#writeConfig(this.#checkout.place(path), this.#driver.configure(text));
      else if (thing?.kind !== 'file' || thing.text !== text) this.#checkout.write(path, text);
    }
    this.#configured = [...files.keys()];
  }

  /** What is the same already stays as it is: a run that has nothing to do may tell by that. */
  #writeConfig(place: string, text: string): void {
    if (!existsSync(place) || readFileSync(place, 'utf8') !== text) writeFileSync(place, text);
  }

  /** However tasks were disturbed: an edit makes each of them begin once. */
  #checkBeginnings(edits: number): void {
    for (const [name, count] of this.#log())
      assert.ok(count <= edits, `${name} began ${count} times for ${edits} edits`);
  }

  #taskAt(number: number): Planned {
    const task = this.#tasks[number % this.#tasks.length];
    if (task === undefined) throw new RangeError('a blueprint without tasks');
    return task;
  }

  #folder(number: number): string | undefined {
    const { folder } = this.#taskAt(number);
    // A file of a former form may stand there until the next run.
    const stats = folder === undefined ? undefined : lstatSync(this.#checkout.place(folder), { throwIfNoEntry: false });
    return stats === undefined || stats.isDirectory() ? folder : undefined;
  }

  /** What stands in the place of an output would be anybody's once the task has its outputs elsewhere. */
  #unsquat({ outputs }: Planned): void {
    for (const path of outputs) {
      const place = this.#checkout.place(path);
      if (!path.includes('*') && this.#checkout.isFile(path) && readFileSync(place, 'utf8') === SQUAT) rmSync(place);
    }
  }

  #unhandAll(task: Planned): void {
    for (const path of [...this.#hand.keys()]) if (isAreaOf(task, path)) this.#unhand(path);
  }

  #unhand(path: string): void {
    this.#hand.delete(path);
    this.#checkout.remove(path);
  }

  /** While tasks run, what was there a moment ago may be gone. */
  #atOutput(which: number, change: (place: string) => void): void {
    const isFree = (path: string): boolean =>
      !this.#tasks.some((task) => isAreaOf(task, path) && this.#driver.isAtWork(task.name));
    const files = this.#outputs.filter((path) => isFree(path) && this.#checkout.isFile(path));
    const path = files[which % Math.max(1, files.length)];
    if (path !== undefined) this.#checkout.meddle(path, change);
  }

  async act(act: Act): Promise<void> {
    const level = this.#level;
    for (const [path, thing] of this.#orphans()) {
      this.#strays.add(path);
      this.#checkout.things.set(path, thing);
    }
    this.#configure();
    switch (act.kind) {
      case 'run':
        return this.#run(act);
      case 'wipe':
        rmSync(this.#checkout.place('.fleche'), { recursive: true, force: true });
        this.#answers.clear();
        this.#isForgetful = true;
        return;
      case 'halve': {
        await this.#driver.halve(
          this.#driver.root,
          (digest) => createHash('md5').update(`${act.salt}${digest}`).digest('hex') < '8',
        );
        this.#answers.doubt();
        return;
      }
      case 'damage': {
        const path = this.#checkout.place('.fleche/db-1/data.mdb');
        if (!existsSync(path)) return;
        const bytes = readFileSync(path);
        const begin = act.at % bytes.length;
        bytes.fill(0x5a, begin, Math.min(bytes.length, begin + 3000));
        writeFileSync(path, bytes);
        this.#answers.doubt();
        // Damage deep inside may cost a process, and no more than one.
        return this.#unchecked(() => this.#driver.run({ jobs: 2, level }));
      }
      case 'abort': {
        const end = await this.#driver.run({ jobs: act.jobs, level, abortAfter: act.after });
        this.#asked.clear();
        this.#takeIn(end);
        return this.#run({ kind: 'run', jobs: act.jobs, target: undefined, force: false });
      }
      case 'kill':
        await this.#unchecked(() => this.#driver.run({ jobs: act.jobs, level, killAfter: act.after }));
        return this.#run({ kind: 'run', jobs: act.jobs, target: undefined, force: false });
      case 'disturb': {
        this.suspect();
        const running = this.#driver.run({ jobs: act.jobs, level });
        running.catch(() => {});
        for (const { after, edit } of act.edits) {
          await new Promise((resume) => setTimeout(resume, after));
          this.edit(edit);
          if (this.#driver.isWatch) this.#configure();
          this.suspect();
        }
        await running;
        // What was edited last may still be at work.
        if (this.#driver.isWatch) await this.#driver.run({ jobs: act.jobs, level });
        this.#asked.clear();
        this.#answers.loosen();
        this.#checkBeginnings(act.edits.length + 1);
        return this.#run({ kind: 'run', jobs: act.jobs, target: undefined, force: false });
      }
      case 'twice': {
        const first = this.#driver.run({ jobs: act.jobs, level });
        await new Promise((resume) => setTimeout(resume, act.after));
        const ends = await Promise.all([first, this.#driver.run({ jobs: act.jobs, level })]);
        this.#check(ends, [...this.#tasks.keys()], false);
        return this.#run({ kind: 'run', jobs: act.jobs, target: undefined, force: false });
      }
    }
  }

  /** What happens in it may be cut short at any moment. */
  async #unchecked(run: () => Promise<unknown>): Promise<void> {
    await run();
    this.#isForgetful = true;
    this.suspect();
    this.#checkHand(this.#checkout.snapshot(), this.#made());
    this.suspect();
    this.#log();
  }

  /** Where it may not be known who wrote what: what no task would write now is anybody's. */
  #orphans(): Things {
    const isOutput = (path: string): boolean => this.#tasks.some((task) => isOutputOf(task, path));
    const all = this.#isForgetful ? [...this.#checkout.snapshot()] : [];
    return new Map(all.filter(([path]) => !this.#checkout.things.has(path) && !isOutput(path)));
  }

  /** What the tasks would ask now may have been answered. */
  suspect(): void {
    for (const made of this.#made()) {
      if (made !== undefined) for (const { question } of partsOf('', made)) this.#answers.suspect(question);
    }
  }

  /** What a run that was cut short got done. */
  #takeIn({ outcomes }: RunEnd): void {
    this.#checkHand(this.#checkout.snapshot(), this.#made());
    const made = this.#made();
    for (const [index, { name, cache }] of this.#tasks.entries()) {
      const one = made[index];
      if (one === undefined || !cache) continue;
      const outcome = outcomes[name];
      for (const { question } of partsOf(name, one)) {
        if (outcome === 'ran' || outcome === 'cached')
          this.#answers.file(question, outcome === 'ran' && !one.items, 'cut short');
        else this.#answers.suspect(question);
      }
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
    const at = target === undefined ? undefined : target % this.#tasks.length;
    const wanted = at === undefined ? [...this.#tasks.keys()] : upTo(this.#tasks, at);
    const name = at === undefined ? undefined : this.#tasks[at]?.name;
    const end = await this.#driver.run({ jobs, force, level: this.#level, target: name });
    let last = end;
    while (!this.#isRight(last)) {
      const next = await this.#driver.later();
      if (next === undefined) break;
      last = next;
    }
    this.#check([last], wanted, force);
    if (at === undefined && this.#isSettled) await this.#driver.rest?.(this.#level);
    this.#log();
  }

  /** Whether nothing is left to do for the same again. */
  get #isSettled(): boolean {
    return this.#tasks.every(({ cache }) => cache) && this.#made().every((one) => one?.fails === false);
  }

  /** Whether this is what there has to be in the end, as far as it can be told without taking anything in. */
  #isRight({ outcomes }: RunEnd): boolean {
    const made = this.#made();
    const fine = new Set([...made.keys()].filter((index) => made[index]?.fails === false));
    const kinds = made.map((one) => (one === undefined ? 'skipped' : one.fails ? 'failed' : 'fine'));
    if (kinds.some((kind, index) => kindOf(outcomes[this.#tasks[index]?.name ?? '']) !== kind)) return false;
    try {
      this.#checkFiles(this.#checkout.snapshot(), made, fine, '');
      return true;
    } catch {
      return false;
    }
  }

  /** Compares the model with what one or two runs of these tasks left behind. */
  #check(ends: readonly RunEnd[], wanted: readonly number[], force: boolean): void {
    const found = this.#checkout.snapshot();
    this.#checkHand(found, this.#made());
    const made = this.#made();
    const log = this.#log();
    const told = ends.map((end) => end.told).join('\n');
    const fine = new Set<number>();
    for (const [index, task] of this.#tasks.entries()) {
      const { name } = task;
      const isOwn = (line: string): boolean => line === name || line.startsWith(`${name}[`);
      const count = [...log].reduce((sum, [line, times]) => (isOwn(line) ? sum + times : sum), 0);
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
      if (!one.fails) fine.add(index);
      for (const part of partsOf(name, one)) {
        const times = log.get(part.name) ?? 0;
        if (part.fails) {
          if (this.#isAsked(name, one) && !force) assert.is(times, 0, `${part.name} fails as before\n${told}`);
          continue;
        }
        this.#checkCount(task, part, times, ends.length, force, told);
        if (task.cache) this.#answers.file(part.question, times > 0);
      }
    }
    this.#checkFiles(found, made, fine, told);
    for (const [index, one] of made.entries())
      if (one !== undefined) this.#asked.set(this.#tasks[index]?.name ?? '', one.question);
    if (fine.size === this.#tasks.length) this.#isForgetful = false;
    this.#outputs = [...fine].flatMap((index) => [...(made[index]?.outputs.keys() ?? [])]);
  }

  #checkCount({ cache }: Planned, part: MadeItem, count: number, runs: number, force: boolean, told: string): void {
    const about = `${part.name} was at work ${count} times\n${part.question}\n${told}`;
    if (this.#driver.isWatch && force) return assert.ok(count >= 1 && count <= 2, about);
    // Of what is not cached nothing is kept, so what is damaged is made again.
    if (this.#driver.isWatch && !cache) return assert.ok(count <= 1, about);
    if (!cache || force) return assert.is(count, runs, about);
    const filed = this.#answers.of(part.question);
    if (filed === 'yes') assert.is(count, 0, `needlessly: ${about}`);
    else if (filed === 'maybe') assert.ok(count <= 1, about);
    else assert.is(count, 1, about);
  }

  /** Whether a watch has the answer to this question of a task, filed or not. */
  #isAsked(name: string, { question }: Made): boolean {
    return this.#driver.isWatch && this.#asked.get(name) === question;
  }

  /** Files of people stay, unless nobody knows whose they are; then they are moved, not deleted. */
  #checkHand(found: Things, made: readonly (Made | undefined)[]): void {
    for (const path of this.#strays) {
      const isHere = JSON.stringify(found.get(path)) === JSON.stringify(this.#checkout.things.get(path));
      if (isHere && !made.some((one) => one?.outputs.has(path))) continue;
      this.#strays.delete(path);
      this.#checkout.things.delete(path);
    }
    for (const [path, thing] of [...this.#hand]) {
      const now = found.get(path);
      if (now !== undefined && JSON.stringify(now) === JSON.stringify(thing)) continue;
      this.#hand.delete(path);
      this.#checkout.things.delete(path);
      if (made.some((one) => one?.outputs.has(path))) continue;
      assert.ok(this.#isForgetful, `the hand-made ${path} is gone`);
      assert.ok(
        thing.kind === 'link' || this.#checkout.isInTrash(path, thing.text),
        `the hand-made ${path} is nowhere`,
      );
    }
  }

  #checkFiles(found: Things, made: readonly (Made | undefined)[], fine: ReadonlySet<number>, told: string): void {
    const wanted = new Map(this.#checkout.things);
    for (const index of fine) for (const [path, thing] of made[index]?.outputs ?? []) wanted.set(path, thing);
    const others = this.#tasks.filter((_, index) => !fine.has(index));
    const isOpen = (path: string): boolean => others.some((task) => isAreaOf(task, path)) && !this.#hand.has(path);
    const textOf = (things: Things): string =>
      [...things]
        .filter(([path]) => !isOpen(path))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([path, thing]) => `${path}: ${JSON.stringify(thing)}`)
        .join('\n');
    const [is, should] = [textOf(found), textOf(wanted)];
    assert.ok(is === should, `the workspace is\n${is}\nand should be\n${should}\n${told}`);
  }
}

function kindOf(outcome: OutcomeKind | undefined): string {
  return outcome === 'ran' || outcome === 'cached' ? 'fine' : String(outcome);
}
