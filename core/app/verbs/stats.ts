/** `fleche stats`: what the cache holds, and what it was good for. */
import { formatDuration } from '../../base/duration.ts';
import { formatSize } from '../../base/size.ts';
import { LISTED } from '../../call/listed.ts';
import type { CallRecord } from '../../store/record.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import type { Project } from '../project.ts';
import { counted } from '../reporters/task-line.ts';
import { type PastRun, readRuns } from '../run-history.ts';
import { columnsText } from '../terminal/columns.ts';
import { type Style, styleFor } from '../terminal/style.ts';

/** So many functions and tasks are shown one by one. */
const SHOWN = 20;

interface Named {
  readonly kind: CallRecord['kind'];
  readonly name: string;
  readonly module: string | null;
  /** Records on file, those of failures among them. */
  readonly records: number;
  readonly failures: number;
  /** When the newest was filed, ms since the epoch. */
  readonly newest: number;
  /** Mean time that a call takes, ms; null if it was never noted. */
  readonly ms: number | null;
}

interface Stats {
  readonly type: 'stats';
  readonly runs: { readonly count: number; readonly since: number | null } & Omit<PastRun, 'at'>;
  readonly records: number;
  readonly values: { readonly count: number; readonly bytes: number };
  readonly names: readonly Named[];
}

export async function stats(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const project = await context.open();
  try {
    const found = statsOf(project);
    machine.stdout.write(
      invocation.flag('json')
        ? `${JSON.stringify(found)}\n`
        : statsText(found, styleFor(machine.stdout), project.now(), invocation.flag('all')),
    );
    return EXIT.done;
  } finally {
    await project.close();
  }
}

function statsOf(project: Project): Stats {
  const { values, calls, runsFile } = project.stores();
  let count = 0;
  let bytes = 0;
  for (const { size } of values.list()) {
    count++;
    bytes += size;
  }
  const names = namesOf(calls.find({}));
  return {
    type: 'stats',
    runs: sumOf(runsFile === undefined ? [] : readRuns(runsFile)),
    records: names.reduce((sum, { records }) => sum + records, 0),
    values: { count, bytes },
    names,
  };
}

function sumOf(runs: readonly PastRun[]): Stats['runs'] {
  const sum = (key: keyof PastRun): number => runs.reduce((total, run) => total + run[key], 0);
  return {
    count: runs.length,
    since: runs[0]?.at ?? null,
    ran: sum('ran'),
    cached: sum('cached'),
    failed: sum('failed'),
    ms: sum('ms'),
    saved: sum('saved'),
  };
}

/** By what takes the most time each, then in the order of the records. */
function namesOf(records: Iterable<CallRecord>): readonly Named[] {
  const found = new Map<string, CallRecord[]>();
  for (const record of records) {
    if (record.name.endsWith(LISTED)) continue;
    const id = JSON.stringify([record.kind, record.module, record.name]);
    const others = found.get(id);
    if (others === undefined) found.set(id, [record]);
    else others.push(record);
  }
  const names = [...found.values()].flatMap((all): Named[] => {
    const [first] = all;
    if (first === undefined) return [];
    const { kind, name, module, filed } = first;
    const times = all.map(({ metadata }) => Number(metadata['runtime']?.['walltime'] ?? Number.NaN));
    const known = times.filter((ms) => Number.isFinite(ms) && ms >= 0);
    const ms = known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0) / known.length;
    const failures = all.filter(({ failure }) => failure !== null).length;
    return [{ kind, name, module, records: all.length, failures, newest: filed, ms }];
  });
  return names.sort((a, b) => (b.ms ?? -1) - (a.ms ?? -1));
}

function statsText({ runs, records, values, names }: Stats, style: Style, now: number, all: boolean): string {
  const ago = (at: number): string => `${formatDuration(Math.max(0, now - at))} ago`;
  const answered = runs.ran + runs.cached;
  const share = answered === 0 ? '' : ` (${Math.round((100 * runs.cached) / answered)} %)`;
  const lines = [
    runs.since === null
      ? 'no run is on record yet'
      : `${counted(runs.count, 'run')}, the first ${ago(runs.since)}: ${runs.cached} cached${share}, ${runs.ran} ran, ${runs.failed} failed`,
    ...(runs.since === null ? [] : [`saved ${formatDuration(runs.saved)}, took ${formatDuration(runs.ms)}`]),
    `${counted(records, 'record')} on file, ${counted(values.count, 'value')} of ${formatSize(values.bytes)}`,
  ];
  if (names.length === 0) return `${lines.join('\n')}\n`;
  const shown = all ? names : names.slice(0, SHOWN);
  const columns = [
    { title: 'name', most: 40 },
    { title: 'kind' },
    { title: 'records', right: true },
    { title: 'failed', right: true },
    { title: 'takes', right: true },
    { title: 'newest', right: true },
  ] as const;
  const rows = shown.map((one) => [
    one.name,
    one.kind,
    String(one.records),
    one.failures === 0 ? '' : String(one.failures),
    one.ms === null ? '' : formatDuration(one.ms),
    ago(one.newest),
  ]);
  const more = shown.length === names.length ? '' : `${style.dim(`and ${names.length - shown.length} more; --all`)}\n`;
  return `${lines.join('\n')}\n\n${columnsText(columns, rows, style)}${more}`;
}
