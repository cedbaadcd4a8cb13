/** A shelf does what a map does, whatever happens between its steps. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { check } from './_desk.ts';

const RUNS = process.env['FLECHE_TEST_PROFILE'] === 'nightly' ? 2_000 : 60;

const key = fc.constantFrom<unknown>('a', 'b', 'c', 1, '1', { k: [1] }, 'd');
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), key, value: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('clear', 'save', 'revert', 'reload', 'reopen', 'crash', 'wait', 'erase', 'invalidate'),
    }),
  },
);

check('random edits, saves, crashes and restarts leave what a map would hold', async ({ start, host }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, isSlow) => {
      const transform = isSlow
        ? { encode: async (value: number) => [value], decode: async ([value = 0]: number[]) => value }
        : { encode: (value: number) => [value], decode: ([value = 0]: number[]) => value };
      let manager = start();
      const open = () => manager.shelf<unknown, number, number[]>('a', { transform }).ready();
      let shelf = await open();
      await shelf.invalidate();
      await shelf.ready();
      const map = new Map<unknown, number>();
      /** What is at rest. */
      let rest: readonly (readonly [unknown, number])[] = [];
      // Objects are keys by value, so one object stands for all that are equal.
      const objects = new Map<string, unknown>();
      const own = (key: unknown): unknown => {
        if (typeof key !== 'object') return key;
        const text = JSON.stringify(key);
        objects.set(text, objects.get(text) ?? key);
        return objects.get(text);
      };
      const reset = (): void => {
        map.clear();
        for (const [key, value] of rest) map.set(key, value);
      };
      for (const each of steps) {
        switch (each.do) {
          case 'set':
            map.set(own(each.key), each.value);
            shelf.set(structuredClone(each.key), each.value);
            break;
          case 'delete':
            assert.is(shelf.delete(structuredClone(each.key)), map.delete(own(each.key)));
            break;
          case 'clear':
            map.clear();
            shelf.clear();
            break;
          case 'save':
            await shelf.save();
            rest = [...map];
            break;
          case 'reload':
            await shelf.reload();
            break;
          case 'revert':
            await shelf.revert();
            reset();
            break;
          case 'reopen':
            await manager.close();
            rest = [...map];
            manager = start();
            shelf = await open();
            break;
          case 'crash':
            await manager.close({ discard: true });
            reset();
            manager = start();
            shelf = await open();
            break;
          case 'wait':
            host.pass(900_000);
            // Where transforms take their time, so does what the timer began.
            await shelf.save();
            rest = [...map];
            break;
          case 'erase':
            await shelf.save();
            await shelf.deletePersisted();
            // The next save writes everything, and so this is as if nothing had ever been saved.
            await shelf.save();
            rest = [...map];
            break;
          case 'invalidate':
            await shelf.invalidate();
            await shelf.ready();
            map.clear();
            rest = [];
            break;
        }
        assert.equal([...shelf], [...map]);
        assert.is(shelf.size, map.size);
      }
      await manager.close({ discard: true });
      manager = start();
      assert.equal([...(await open())], rest);
      await manager.close();
    }),
    { numRuns: RUNS },
  );
});

check('processes at one shelf, reloading as they like, agree in the end on what was saved last', async ({ start }) => {
  const act = fc.record({
    who: fc.nat(1),
    key: fc.constantFrom('a', 'b', 'c'),
    value: fc.option(fc.nat(9), { nil: undefined }),
    after: fc.constantFrom('save', 'reload', 'nothing'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
      const managers = [start(), start()];
      const shelves = managers.map((manager) => manager.shelf<string, number>('a'));
      await shelves[0]?.invalidate();
      for (const shelf of shelves) await shelf.ready();
      /** What each has not saved, and what is at rest. */
      const pending = [new Map<string, number | undefined>(), new Map<string, number | undefined>()];
      const rest = new Map<string, number>();
      /** Keys that each has seen at rest: only those can it remove there. */
      const known = [new Set<string>(), new Set<string>()];
      const save = async (who: number): Promise<void> => {
        await shelves[who]?.save();
        for (const [key, value] of pending[who] ?? []) {
          if (value === undefined) rest.delete(key);
          else rest.set(key, value);
          if (value === undefined) known[who]?.delete(key);
          else known[who]?.add(key);
        }
        pending[who]?.clear();
      };
      for (const { who, key, value, after } of acts) {
        const shelf = shelves[who];
        if (value === undefined) {
          if (!shelf?.delete(key)) continue;
          if (known[who]?.has(key)) pending[who]?.set(key, undefined);
          else pending[who]?.delete(key);
        } else {
          shelf?.set(key, value);
          pending[who]?.set(key, value);
        }
        if (after === 'save') await save(who);
        if (after !== 'reload') continue;
        await shelf?.reload();
        known[who] = new Set(rest.keys());
      }
      await save(0);
      await save(1);
      for (const shelf of shelves) await shelf.reload();
      for (const shelf of shelves) assert.equal(new Map([...shelf].sort()), new Map([...rest].sort()));
      for (const manager of managers) await manager.close();
    }),
    { numRuns: RUNS },
  );
});

test.run();
