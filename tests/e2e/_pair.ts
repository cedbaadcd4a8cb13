/**
 * Two checkouts of one project that share a cache: each lives through a history of its own, and what one has answered the
 * other need not answer again. What lies in the shared cache may be spoilt, which costs work and nothing else.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { Answers } from './_answers.ts';
import type { Driver } from './_driver.ts';
import { History } from './_history.ts';
import { type Chapter, chapter, type World } from './_story.ts';

const HARMS = ['flip', 'cut', 'swap', 'drop'] as const;

type PairChapter =
  | { readonly kind: 'one'; readonly at: 0 | 1; readonly chapter: Chapter }
  | { readonly kind: 'both'; readonly jobs: number }
  | { readonly kind: 'spoil'; readonly harm: (typeof HARMS)[number]; readonly which: number };

interface PairStory<P> {
  readonly plan: P;
  readonly chapters: readonly PairChapter[];
}

export function pairStory<P>(world: World<P>): fc.Arbitrary<PairStory<P>> {
  const one = fc.record({
    kind: fc.constant('one' as const),
    at: fc.constantFrom(0 as const, 1 as const),
    chapter: chapter('inside', world),
  });
  const both = fc.record({ kind: fc.constant('both' as const), jobs: fc.integer({ min: 1, max: 3 }) });
  const spoil = fc.record({
    kind: fc.constant('spoil' as const),
    harm: fc.constantFrom(...HARMS),
    which: fc.nat(1_000_000),
  });
  const chapters = fc.oneof(
    { weight: 12, arbitrary: one },
    { weight: 2, arbitrary: both },
    { weight: 1, arbitrary: spoil },
  );
  return fc.record({ plan: world.plan('inside'), chapters: fc.array(chapters, { minLength: 1, maxLength: 10 }) });
}

/** `tier` is the folder of the shared cache. Throws at the first thing that is not as it should be. */
export async function liveTogether<P>(
  { plan, chapters }: PairStory<P>,
  world: World<P>,
  drivers: readonly [Driver, Driver],
  tier: string,
): Promise<void> {
  const shared = new Answers();
  const here = new History(world.draw(plan), drivers[0], new Answers(shared));
  const there = new History(world.draw(plan), drivers[1], new Answers(shared));
  await here.begin(world.begin);
  await there.begin(world.begin);
  for (const one of chapters) {
    switch (one.kind) {
      case 'one': {
        const history = one.at === 0 ? here : there;
        for (const edit of one.chapter.edits) history.edit(edit);
        await history.act(one.chapter.act);
        break;
      }
      case 'both': {
        for (const history of [here, there]) history.suspect();
        const run = { kind: 'run', jobs: one.jobs, target: undefined, force: false } as const;
        await Promise.all([here.act(run), there.act(run)]);
        break;
      }
      case 'spoil':
        spoil(tier, one.harm, one.which);
        shared.spoil();
        break;
    }
  }
  for (const history of [here, there]) await history.act({ kind: 'run', jobs: 2, target: undefined, force: false });
}

/** Harms one file of a folder, or exchanges it for another. */
function spoil(folder: string, harm: (typeof HARMS)[number], which: number): void {
  const entries = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const place = files.sort()[which % Math.max(1, files.length)];
  if (place === undefined) return;
  const bytes = readFileSync(place);
  switch (harm) {
    case 'flip':
      bytes[which % Math.max(1, bytes.length)] = 0xff ^ (bytes[which % Math.max(1, bytes.length)] ?? 0);
      return writeFileSync(place, bytes);
    case 'cut':
      return truncateSync(place, bytes.length >> 1);
    case 'drop':
      return rmSync(place);
    case 'swap': {
      const other = files[(which + 1) % files.length] ?? place;
      if (other === place) return;
      writeFileSync(`${place}.swap`, readFileSync(other));
      writeFileSync(other, bytes);
      return renameSync(`${place}.swap`, place);
    }
  }
}
