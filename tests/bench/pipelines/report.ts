/** The figures of a benchmark, as a Markdown table for people or as lines of JSON for programs. */
import { median } from './timing.ts';

const OURS = 'fleche';

/** One runner in one scenario. */
export interface Result {
  readonly size: string;
  readonly scenario: string;
  readonly runner: string;
  /** ms, one for each run. */
  readonly wall: readonly number[];
  readonly cpu: readonly number[];
  /** Tasks that ran in the last run. */
  readonly ran: number;
  /** What was wrong with it, in words. */
  readonly faults: readonly string[];
}

/** How much more we take than a peer, or than ourselves in another scenario. */
interface Comparison {
  readonly peerName: string;
  readonly ours: Result;
  readonly peer: Result;
}

function comparisons(results: readonly Result[]): readonly Comparison[] {
  return results
    .filter(({ runner }) => runner === OURS)
    .flatMap((ours) =>
      results.flatMap((peer) => {
        if (peer === ours || peer.size !== ours.size) return [];
        const same = peer.scenario === ours.scenario;
        const isFloor = peer.scenario === 'no-op' && (peer.runner === OURS || peer.runner.startsWith('floor'));
        if (!same && !isFloor) return [];
        return [{ peerName: same ? peer.runner : `${peer.runner}, ${peer.scenario}`, ours, peer }];
      }),
    );
}

/** One line a comparison and unit. `ratio` is ours over the peer's: less than 1 is better. */
export function jsonLines(results: readonly Result[]): string {
  return comparisons(results)
    .flatMap(({ peerName, ours, peer }) =>
      (['wall', 'cpu'] as const).map((of) => {
        const [mine, theirs] = [median(ours[of]), median(peer[of])];
        const unit = of === 'wall' ? 'ms' : 'ms cpu';
        return {
          bench: ours.scenario,
          size: ours.size,
          ours: mine,
          peer: theirs,
          peerName,
          unit,
          ratio: mine / theirs,
        };
      }),
    )
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

/** A table of one size. */
export function markdown(results: readonly Result[]): string {
  const head = ['scenario', 'runner', 'wall ms', 'CPU ms', 'tasks run', `${OURS} / it, wall`, 'CPU', 'faults'];
  const rows = results.map((result) => {
    const ours = results.find(({ runner, scenario }) => runner === OURS && scenario === result.scenario);
    const ratio = (of: 'wall' | 'cpu'): string =>
      ours === undefined || ours === result ? '' : (median(ours[of]) / median(result[of])).toFixed(2);
    return [
      result.scenario,
      result.runner,
      median(result.wall).toFixed(0),
      median(result.cpu).toFixed(0),
      result.runner.startsWith('floor') ? '' : String(result.ran),
      ratio('wall'),
      ratio('cpu'),
      result.faults.join('; '),
    ];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return line(head) + line(['---', '---', '---:', '---:', '---:', '---:', '---:', '---']) + rows.map(line).join('');
}

/** What was measured at one size. */
export interface Growth {
  readonly size: string;
  readonly tasks: number;
  /** Source files. */
  readonly files: number;
  readonly results: readonly Result[];
}

const FLOOR = 'floor: lstat';
const IDLE = 'no-op';

/** Our run with nothing to do at each size, and the floor beside it. */
function idleRuns(growth: readonly Growth[]): readonly (Growth & { readonly ours: Result; readonly floor?: Result })[] {
  return growth.flatMap((one) => {
    const of = (name: string): Result | undefined =>
      one.results.find(({ runner, scenario }) => runner === name && scenario === IDLE);
    const ours = of(OURS);
    const floor = of(FLOOR);
    return ours === undefined ? [] : [{ ...one, ours, ...(floor === undefined ? {} : { floor }) }];
  });
}

/** How a run with nothing to do grows, as a table; empty for less than two sizes. */
export function growthTable(growth: readonly Growth[]): string {
  const runs = idleRuns(growth);
  if (runs.length < 2) return '';
  const head = `| size | tasks | files | ${IDLE}, CPU ms | a task, ms | a file, µs | ${OURS} / ${FLOOR}, wall | CPU |\n`;
  const rows = runs.map(({ size, tasks, files, ours, floor }) => {
    const cpu = median(ours.cpu);
    const ratio = (of: 'wall' | 'cpu'): string =>
      floor === undefined ? '' : (median(ours[of]) / median(floor[of])).toFixed(2);
    const cells = [size, tasks, files, cpu.toFixed(0), (cpu / tasks).toFixed(2), ((cpu / files) * 1000).toFixed(1)];
    return `| ${[...cells, ratio('wall'), ratio('cpu')].join(' | ')} |\n`;
  });
  return `## growth\n\n${head}|---|---:|---:|---:|---:|---:|---:|---:|\n${rows.join('')}\n`;
}

/** The same as lines of JSON: what a file costs, beside what it costs at the first size. */
export function growthLines(growth: readonly Growth[]): string {
  const [first, ...others] = idleRuns(growth);
  if (first === undefined) return '';
  const perFile = ({ files, ours }: { files: number; ours: Result }): number => (median(ours.cpu) / files) * 1000;
  return others
    .map((run) => {
      const [mine, theirs] = [perFile(run), perFile(first)];
      const peerName = `${OURS}, ${first.size}`;
      const line = { bench: `${IDLE}, a file`, size: run.size, ours: mine, peer: theirs, peerName, unit: 'µs cpu' };
      return `${JSON.stringify({ ...line, ratio: mine / theirs })}\n`;
    })
    .join('');
}
