/**
 * The histories of the oracle in two checkouts of one project that share a cache, which may be spoilt: an answer of one is
 * used in the other, and one that is not right never is. See `_pair.ts` and `_history.ts`.
 */
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import { Inside } from './_inside.ts';
import { EXTENTS, type Extent, hold, withBase } from './_oracle.ts';
import { liveTogether, pairStory } from './_pair.ts';
import { PIPELINES } from './_pipeline.ts';
import { REPOSITORIES } from './_repository.ts';
import type { World } from './_story.ts';

const CACHES = `[caches.local]
type = "Lmdb"

[caches.shared]
type = "Directory"
root = "../tier"
mode = "read-write"
unsigned = true

[caches.team]
stack = ["local", "shared"]
`;

function configure(text: string): string {
  return `${text.replace('[default]\n', '[default]\ncache = "team"\n')}\n${CACHES}`;
}

function holdFor<P>(world: World<P>, extent: Extent): Promise<void> {
  const property = fc.asyncProperty(pairStory(world), (story) =>
    withBase((base) => {
      const drivers = [new Inside(base, 'here', configure), new Inside(base, 'there', configure)] as const;
      return liveTogether(story, world, drivers, join(base, 'tier'));
    }),
  );
  return hold(property, extent);
}

test('two checkouts that share a cache both end right, whatever lies there, and none does again what the other did', () =>
  holdFor(PIPELINES, EXTENTS.shared));

test('the same of repositories of packages', () => holdFor(REPOSITORIES, EXTENTS.sharedRepositories));

test.run();
