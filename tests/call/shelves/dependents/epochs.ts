/** Invalidations last: whoever made one, whoever was there, nothing from before it is found after it. */
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Manager } from '../../../../core/call/shelves/manager.ts';
import type { Shelf } from '../../../../core/call/shelves/shelf.ts';
import { check } from '../_desk.ts';

const RUNS = process.env['FLECHE_TEST_PROFILE'] === 'nightly' ? 1_000 : 40;
const NAMES = ['a', 'b', 'c', 'd'] as const;

/** Each shelf's parents are among those before it. */
const edges = fc.tuple(...NAMES.map((_, at) => fc.subarray(NAMES.slice(0, at))));
const step = fc.record({
  /** Two processes that know every edge, and one for each step that knows nothing but the shelf. */
  who: fc.nat(2),
  name: fc.nat(NAMES.length - 1),
  do: fc.constantFrom('write', 'write', 'ready', 'invalidate', 'rebuild', 'read'),
});

check('no shelf ever holds what was made before something it is made from was invalidated', async (desk) => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      edges,
      fc.subarray([...NAMES]),
      fc.array(step, { maxLength: 25 }),
      async (edges, absent, steps) => {
        const dir = join(desk.root, String(runs++));
        const start = (): Manager => desk.start({ dir });
        const ancestors = NAMES.map((_, at) => {
          const all = new Set<string>();
          const visit = (index: number): void => {
            for (const parent of edges[index] ?? []) {
              all.add(parent);
              visit(NAMES.indexOf(parent));
            }
          };
          visit(at);
          return all;
        });
        const define = (manager: Manager): readonly Shelf<string, number>[] => {
          const shelves: Shelf<string, number>[] = [];
          for (const [at, name] of NAMES.entries()) {
            const dependsOn = (edges[at] ?? []).flatMap((parent) => shelves[NAMES.indexOf(parent)] ?? []);
            shelves.push(manager.shelf<string, number>(name, { dependsOn, persist: !absent.includes(name) }));
          }
          return shelves;
        };
        let time = 1;
        const invalidated = NAMES.map(() => 0);
        /** When something that a shelf is made from, or the shelf, was invalidated last. */
        const since = (at: number): number =>
          Math.max(
            ...NAMES.map((name, other) => (other === at || ancestors[at]?.has(name) ? (invalidated[other] ?? 0) : 0)),
          );
        const judge = (at: number, shelf: Shelf<string, number>): void => {
          for (const [, made] of shelf) assert.ok(made > since(at), `${NAMES[at]}: ${made} after ${since(at)}`);
        };
        // Without a store there is nothing by which processes could hear of each other.
        const first = start();
        await first.shelf('first').set('k', 0).save();
        await first.close();
        const managers = [start(), start()];
        const processes = managers.map(define);
        for (const { who, name: at, do: act } of steps) {
          const stranger = start();
          const name = NAMES[at] ?? 'a';
          const shelf = processes[who]?.[at] ?? stranger.shelf<string, number>(name);
          switch (act) {
            case 'write':
              // What is made by somebody who knows no edge is made from nothing.
              if (who === 2) break;
              shelf.set('k', time++);
              await shelf.save();
              judge(at, shelf);
              break;
            case 'ready':
              await shelf.ready();
              judge(at, shelf);
              break;
            case 'rebuild':
            case 'invalidate':
              invalidated[at] = time++;
              if (act === 'rebuild') await shelf.rebuild();
              else await shelf.invalidate();
              break;
            case 'read':
              break;
          }
          // Whoever made the shelf, and those made from it in the same process, never hold anything old.
          if (who < 2 && (act === 'invalidate' || act === 'rebuild')) {
            for (const [other, each] of (processes[who] ?? []).entries()) {
              if (other === at || ancestors[other]?.has(name)) judge(other, each);
            }
          }
          await stranger.close({ discard: true });
          const reader = start();
          for (const [index, each] of NAMES.entries()) judge(index, reader.shelf<string, number>(each));
          await reader.close({ discard: true });
        }
        // Nothing is invalidated for ever.
        for (const [at, shelf] of (processes[0] ?? []).entries()) {
          await shelf.ready();
          await shelf.set('last', time++).save();
          if (!absent.includes(NAMES[at] ?? 'a')) {
            const reader = start();
            assert.is(reader.shelf<string, number>(shelf.name).get('last'), time - 1);
            await reader.close({ discard: true });
          }
        }
        for (const manager of managers) await manager.close({ discard: true });
      },
    ),
    { numRuns: RUNS, includeErrorInReport: true },
  );
});

test.run();
