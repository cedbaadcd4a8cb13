/**
 * One run of a task that tells what it read. Begun before the run, finished after it: reads the report, and completes the
 * question with what the files were for the task, as far as that can be told; they must not have changed since it began.
 */
import { FlecheError } from '../../base/errors.ts';
import { byCodeUnit } from '../../base/order.ts';
import { folderOf, type RelPath, toAbs } from '../../base/paths.ts';
import { MentionedPlaces } from '../../files/code/mentioned.ts';
import { searchedNames } from '../../files/code/searched-names.ts';
import { steeringFiles } from '../../files/code/steering.ts';
import type { MadeFolders } from '../../files/inputs/made-folders.ts';
import { ReportFile, textAt } from '../../files/inputs/report-file.ts';
import type { Moments } from '../../files/inputs/stamped-moment.ts';
import { Ways } from '../../files/inputs/ways.ts';
import type { Tree } from '../../files/trees/tree.ts';
import type { Products } from '../tasks/products.ts';
import type { Discovered, Task } from '../tasks/task.ts';
import type { TaskCall } from '../tasks/task-call.ts';
import { readDepfile } from './depfile.ts';
import { readList, readTsc } from './file-list.ts';
import { type Found, found } from './found.ts';
import type { ListDesk } from './lists.ts';
import { mappedPaths } from './mapped.ts';
import type { Mentions } from './mention.ts';
import { readMetafile } from './metafile.ts';
import { Reading } from './reading.ts';
import { Sight } from './sight.ts';

const FORMS: Readonly<Record<Discovered['form'], (text: string) => Mentions>> = {
  depfile: readDepfile,
  metafile: readMetafile,
  list: readList,
  tsc: readTsc,
};
/** Forms that name sources and leave out what steers how they are read. */
const STEERED: ReadonlySet<Discovered['form']> = new Set(['metafile', 'tsc']);

type Told = Extract<Mentions, { readonly kind: 'read' }>;

export class Discovery {
  readonly #call: TaskCall;
  /** Whose outputs and needs count. */
  readonly #task: Task;
  readonly #discovered: Discovered;
  readonly #products: Products;
  readonly #desk: ListDesk;
  readonly #report: ReportFile | undefined;
  readonly #moment: number;

  private constructor(call: TaskCall, discovered: Discovered, moment: number, products: Products, desk: ListDesk) {
    const { root } = desk.around;
    this.#call = call.declared ?? call;
    this.#task = call.whole?.task ?? call.task;
    this.#discovered = discovered;
    this.#products = products;
    this.#desk = desk;
    this.#moment = moment;
    this.#report = discovered.file === null ? undefined : new ReportFile(toAbs(root, discovered.file));
  }

  /**
   * Undefined for a task that tells nothing. `moments` are those of runs that begin one after the other, `folders` are made
   * for the reports of items.
   */
  static async begin(
    call: TaskCall,
    products: Products,
    desk: ListDesk,
    { moments, folders }: { readonly moments: Moments; readonly folders: MadeFolders },
  ): Promise<Discovery | undefined> {
    const { discovered } = call.task;
    const file = discovered?.file ?? null;
    if (call.whole !== undefined && file !== null) folders.makeFor(toAbs(desk.around.root, file));
    return discovered && new Discovery(call, discovered, await moments.latest(), products, desk);
  }

  /** The same after a failure, if it can be told then: it says where to look, and what is told of it twice is left out. */
  afterFailure(logFile: string): Found | undefined {
    try {
      return this.finish(null, logFile);
    } catch (error) {
      if (error instanceof FlecheError && error.code !== 'BUG') return undefined;
      throw error;
    }
  }

  /** `outputs` is what the task wrote, which it may read again at will; `logFile` has what it printed. */
  finish(outputs: Tree | null, logFile: string): Found {
    const { form, file } = this.#discovered;
    const name = file ?? 'what it printed';
    const report = this.#report?.read() ?? textAt(logFile) ?? { why: 'is gone' };
    if ('why' in report) return { kind: 'unknown', why: `${name} ${report.why}` };
    const read = FORMS[form](report.text);
    if (read.kind === 'broken') return { kind: 'unknown', why: `${name} ${read.why}` };
    return this.#complete(read, name, new Set(outputs?.entries.map(({ path }) => path)));
  }

  #complete({ mentions, imports = [] }: Told, name: string, own: ReadonlySet<RelPath>): Found {
    const { around } = this.#desk;
    const places = new MentionedPlaces(around.root, this.#call.task.dir);
    const isSteered = STEERED.has(this.#discovered.form);
    const sight = new Sight(this.#task, this.#products, around);
    const paths = new Set<RelPath>();
    const needed = new Set<RelPath>();
    for (const { path, isRead } of mentions) {
      const place = places.of(path);
      if (place === 'elsewhere') return { kind: 'unknown', why: `${name} names ${path}, which is on another drive` };
      if (place === undefined || place === '.' || own.has(place)) continue;
      paths.add(place);
      if (isRead) needed.add(place);
    }
    const inside = imports.flatMap(({ from, specifier, found }) => {
      const [importer, end] = [places.of(from), places.of(found)];
      return isPlace(importer) && isPlace(end) ? [{ from: importer, specifier, found: end }] : [];
    });
    for (const path of mappedPaths(around.root, inside)) if (!own.has(path)) paths.add(path);
    // What was found behind a link is told by where it is: that the link leads there counts, too.
    const led = isSteered ? [...paths].filter((path) => !needed.has(path)).map(folderOf) : [];
    for (const link of new Ways(around.root, [...led, ...places.left]).links) paths.add(link);
    if (isSteered) for (const path of steeringFiles(around.root, paths)) paths.add(path);
    if (this.#discovered.form === 'tsc') {
      for (const names of searchedNames(around.root, needed, (path) => sight.isMade(path))) paths.add(names);
    }
    const list = [...paths].sort(byCodeUnit);
    const reading = new Reading(list, sight);
    const gone = reading.tree.entries.find(({ kind, path }) => kind === 'absent' && needed.has(path));
    if (gone !== undefined) return { kind: 'unknown', why: `${name} names ${gone.path}, which is not there` };
    const ways = new Ways(around.root, list);
    const changed = [...ways.since(this.#moment), ...reading.since(this.#moment), ...this.#disturbed(reading)];
    return found(reading.complete(this.#call), list, changed, this.#desk);
  }

  /** Removes the report of an item, which would tell nobody anything any more. */
  discard(): void {
    this.#report?.remove();
  }

  /** What upstream tasks wrote and does not stand there, or was written since. */
  #disturbed(reading: Reading): readonly RelPath[] {
    const { outputs, workspace } = this.#desk.around;
    return [...reading.made].flatMap(([task, entries]) => {
      const paths = entries.flatMap(({ kind, path }) => (kind === 'file' ? [path] : []));
      const later = paths.flatMap((path) => workspace.named.look(this.#task.name, path).since(this.#moment));
      return [...outputs.look(task, entries).wrong, ...later];
    });
  }
}

function isPlace(place: ReturnType<MentionedPlaces['of']>): place is RelPath {
  return place !== undefined && place !== 'elsewhere';
}
