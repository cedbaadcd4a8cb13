/** The figures of a benchmark, as a Markdown table for people or as lines of JSON for programs. */
import { median } from './timing.ts';

export const OURS = 'fleche';

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
