/**
 * One run of a task that tells what it read. Begun before the run, finished after it: reads the report, and completes the
 * question with what the files were for the task, as far as that can be told; they must not have changed since it began.
 */
import { join } from 'node:path';
import { FlecheError } from '../../base/errors.ts';
import { byCodeUnit } from '../../base/order.ts';
import { type AbsPath, escapes, type RelPath, toAbs } from '../../base/paths.ts';
import { MentionedPlaces } from '../../files/code/mentioned.ts';
import { steeringFiles } from '../../files/code/steering.ts';
import { folderOf } from '../../files/folders.ts';
import { namesOf } from '../../files/inputs/folder-names.ts';
import { ReportFile, stampedMoment, textAt } from '../../files/inputs/report-file.ts';
import type { Tree } from '../../files/trees/tree.ts';
import type { Products } from '../products.ts';
import type { Discovered } from '../task.ts';
import type { TaskCall } from '../task-call.ts';
import { readDepfile } from './depfile.ts';
import { readList, readTsc } from './file-list.ts';
import { fileList, type ListDesk } from './lists.ts';
import type { Mention, Mentions } from './mention.ts';
import { readMetafile } from './metafile.ts';
import { Reading } from './reading.ts';
import { shareList } from './shared-lists.ts';

const FORMS: Readonly<Record<Discovered['form'], (text: string) => Mentions>> = {
  depfile: readDepfile,
  metafile: readMetafile,
  list: readList,
  tsc: readTsc,
};
/** Forms that name sources and leave out what steers how they are read. */
const STEERED: ReadonlySet<Discovered['form']> = new Set(['metafile', 'tsc']);

/** Where a compiler that is told folders would find another source: the names in the folders of its sources, and above. */
function namesAround(sources: Iterable<RelPath>): ReadonlySet<RelPath> {
  const found = new Set<RelPath>();
  for (const path of sources) {
    if (escapes(path) || /(?:^|\/)node_modules\//.test(path)) continue;
    for (let at = folderOf(path); ; at = folderOf(at)) {
      if (found.size === found.add(namesOf(at)).size || at === '.') break;
    }
  }
  return found;
}

/** `unknown`: it cannot be told what the task read; why, as a sentence without a full stop. */
export type Found =
  | {
      readonly kind: 'found';
      /** The question as it is to be filed. */
      readonly call: TaskCall;
      /** Paths that were not what they are now all the time. */
      readonly changed: readonly RelPath[];
      /** To be called when the answer is filed. */
      readonly file: () => void;
      /** To be called when the answer is shared. */
      readonly share: () => void;
    }
  | { readonly kind: 'unknown'; readonly why: string };

export class Discovery {
  readonly #call: TaskCall;
  readonly #discovered: Discovered;
  readonly #products: Products;
  readonly #desk: ListDesk;
  readonly #report: ReportFile | undefined;
  readonly #moment: number;

  private constructor(call: TaskCall, discovered: Discovered, moment: number, products: Products, desk: ListDesk) {
    const { root } = desk.around;
    this.#call = call.declared ?? call;
    this.#discovered = discovered;
    this.#products = products;
    this.#desk = desk;
    this.#moment = moment;
    this.#report = discovered.file === null ? undefined : new ReportFile(toAbs(root, discovered.file));
  }

  /** Undefined for a task that tells nothing. */
  static async begin(
    call: TaskCall,
    products: Products,
    desk: ListDesk & { readonly tempDir: AbsPath },
  ): Promise<Discovery | undefined> {
    const { discovered } = call.task;
    if (discovered === undefined) return undefined;
    const moment = await stampedMoment(join(desk.tempDir, `moment-${process.pid}`));
    return new Discovery(call, discovered, moment, products, desk);
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
    return this.#complete(read.mentions, name, new Set(outputs?.entries.map(({ path }) => path)));
  }

  #complete(mentions: readonly Mention[], name: string, own: ReadonlySet<RelPath>): Found {
    const { around } = this.#desk;
    const places = new MentionedPlaces(around.root, this.#call.task.dir);
    const paths = new Set<RelPath>();
    const needed = new Set<RelPath>();
    for (const { path, isRead } of mentions) {
      const place = places.of(path);
      if (place === 'elsewhere') return { kind: 'unknown', why: `${name} names ${path}, which is on another drive` };
      if (place === undefined || place === '.' || own.has(place)) continue;
      paths.add(place);
      if (isRead) needed.add(place);
    }
    if (STEERED.has(this.#discovered.form)) for (const path of steeringFiles(around.root, paths)) paths.add(path);
    if (this.#discovered.form === 'tsc') for (const path of namesAround(needed)) paths.add(path);
    const list = [...paths].sort(byCodeUnit);
    const reading = new Reading(this.#call, list, this.#products, around);
    const gone = reading.tree.entries.find(({ kind, path }) => kind === 'absent' && needed.has(path));
    if (gone !== undefined) return { kind: 'unknown', why: `${name} names ${gone.path}, which is not there` };
    return {
      kind: 'found',
      call: reading.complete(this.#call),
      changed: [...reading.seen.since(this.#moment), ...this.#disturbed(reading)],
      file: () => {
        around.workspace.named.retain(this.#call.task.name, list);
        fileList(this.#call, list, this.#desk);
      },
      share: () => {
        const { shared } = this.#desk;
        if (shared !== undefined) shareList(this.#call, list, this.#desk, shared);
      },
    };
  }

  /** What upstream tasks wrote and does not stand there, or was written since. */
  #disturbed(reading: Reading): readonly RelPath[] {
    const { outputs, workspace } = this.#desk.around;
    return [...reading.made].flatMap(([task, entries]) => {
      const paths = entries.flatMap(({ kind, path }) => (kind === 'file' ? [path] : []));
      const later = workspace.named.look(this.#call.task.name, paths).since(this.#moment);
      return [...outputs.look(task, entries).wrong, ...later];
    });
  }
}
