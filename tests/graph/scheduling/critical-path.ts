/** Longest paths, and what running tasks in their order gains. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { criticalPath, median, type Needs, remainingTimes } from '../../../core/graph/scheduling/critical-path.ts';
import { Durations } from '../../../core/graph/scheduling/durations.ts';
import { Slots } from '../../../core/graph/scheduling/slots.ts';
import { onSite } from '../_site.ts';

interface Plan {
  readonly needs: Needs;
  readonly times: ReadonlyMap<string, number>;
}

/** Tasks `t0`, `t1`, … that need some of those before them, with whole numbers of ms. */
const plan: fc.Arbitrary<Plan> = fc
  .array(fc.record({ needs: fc.nat(255), ms: fc.integer({ min: 1, max: 9 }) }), { minLength: 1, maxLength: 7 })
  .map((tasks) => ({
    needs: new Map(
      tasks.map(({ needs }, at) => [
        `t${at}`,
        tasks.flatMap((_, other) => (other < at && (needs >> other) & 1 ? [`t${other}`] : [])),
      ]),
    ),
    times: new Map(tasks.map(({ ms }, at) => [`t${at}`, ms])),
  }));

/** All ways through the tasks, each from a task to one that nobody needs: slow and plain. */
function ways(task: string, { needs }: Plan): readonly (readonly string[])[] {
  const next = [...needs].filter(([, needed]) => needed.includes(task)).map(([name]) => name);
  return next.length === 0 ? [[task]] : next.flatMap((name) => ways(name, { needs } as Plan).map((w) => [task, ...w]));
}

function lengthOf(way: readonly string[], { times }: Plan): number {
  return way.reduce((sum, task) => sum + (times.get(task) ?? 0), 0);
}

function longestFrom(task: string, plan: Plan): number {
  return Math.max(...ways(task, plan).map((way) => lengthOf(way, plan)));
}

test('the time that remains is that of the longest way', () => {
  fc.assert(
    fc.property(plan, (plan) => {
      const remaining = remainingTimes(plan.needs, (task) => plan.times.get(task) ?? 0);
      for (const task of plan.needs.keys()) assert.is(remaining.get(task), longestFrom(task, plan));
    }),
  );
});

test('the critical path is a way of the greatest length', () => {
  fc.assert(
    fc.property(plan, (plan) => {
      const path = criticalPath(plan.needs, (task) => plan.times.get(task) ?? 0);
      const longest = Math.max(...[...plan.needs.keys()].map((task) => longestFrom(task, plan)));
      assert.is(lengthOf(path, plan), longest);
      for (const [at, task] of path.entries()) {
        const before = path[at - 1];
        if (before !== undefined) assert.ok(plan.needs.get(task)?.includes(before));
      }
    }),
  );
});

test('the median of an even number is the lower one, and of nothing there is none', () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 3, 2]), 2);
  assert.is(median([]), undefined);
});

test('one after the other, tasks run in the order of the longest path of recorded durations', async () => {
  const seen = fc.asyncProperty(plan, async (plan) => {
    const tasks = Object.fromEntries([...plan.needs].map(([name, needs]) => [name, { run: `say ${name}`, needs }]));
    await onSite(tasks, {}, async (site) => {
      const durations = new Durations(site.state, site.calls);
      for (const [name, ms] of plan.times) durations.note(name, ms);
      const { log } = await site.run({ jobs: 1 });
      const done = new Set<string>();
      for (const name of log) {
        const ready = [...plan.needs].filter(([other, needed]) => !done.has(other) && needed.every((n) => done.has(n)));
        const longest = Math.max(...ready.map(([other]) => longestFrom(other, plan)));
        assert.is(longestFrom(name, plan), longest, `${name} in ${log.join(' ')}`);
        done.add(name);
      }
      assert.is(log.length, plan.needs.size);
    });
  });
  await fc.assert(seen, { numRuns: 15 });
});

test('who waits begins before what another made is taken in, unless what needs that is more urgent', async () => {
  const told = (tasks: Parameters<typeof onSite>[0], times: Readonly<Record<string, number>>): Promise<string> =>
    new Promise((resolve, reject) => {
      const run = onSite(tasks, {}, async (site) => {
        for (const [name, ms] of Object.entries(times)) new Durations(site.state, site.calls).note(name, ms);
        const { events } = await site.run({ jobs: 1 });
        const words = events.flatMap((event) => {
          if (event.type === 'start') return `${event.name} begins`;
          return event.type === 'done' ? `${event.outcome.name} ends` : [];
        });
        resolve(words.join(', '));
      });
      run.catch(reject);
    });
  const both = { a: { run: 'say a' }, b: { run: 'say b' } };
  assert.is(await told(both, {}), 'a begins, b begins, a ends, b ends');
  const chain = { ...both, c: { run: 'say c', needs: ['a'] } };
  assert.is(await told(chain, { a: 1, b: 1, c: 60_000 }), 'a begins, a ends, c begins, b begins, c ends, b ends');
});

test('what a task took is remembered, and found with its answer where it is not', async () => {
  await onSite({ slow: { run: 'say slow; while [ ! -e go ]; do :; done' } }, { go: '' }, async (site) => {
    const durations = (): Durations => new Durations(site.state, site.calls);
    assert.is(durations().of('slow'), undefined);
    await site.run();
    const ms = durations().of('slow');
    assert.ok(ms !== undefined && ms >= 0 && ms < 10_000);
    site.forget();
    assert.type(durations().of('slow'), 'number');
  });
});

/** Runs tasks on some places in a time that is only counted; how long it takes all in all. */
async function makespan({ needs, times }: Plan, places: number, rankOf: (task: string) => number): Promise<number> {
  const slots = new Slots(places);
  const ends: { readonly at: number; readonly end: () => void }[] = [];
  let now = 0;
  const settled = new Map<string, Promise<void>>();
  for (const [task, needed] of needs) {
    const run = async (): Promise<void> => {
      await Promise.all(needed.map((need) => settled.get(need)));
      const place = await slots.take({ weight: 1, rank: () => rankOf(task) }, new AbortController().signal);
      await new Promise<void>((end) => ends.push({ at: now + (times.get(task) ?? 0), end }));
      place?.release();
    };
    settled.set(task, run());
  }
  const all = Promise.all(settled.values()).then(() => true);
  const idle = (): Promise<boolean> => new Promise((resolve) => setImmediate(() => setImmediate(() => resolve(false))));
  while (!(await Promise.race([all, idle()]))) {
    ends.sort((a, b) => a.at - b.at);
    const next = ends.shift();
    if (next === undefined) continue;
    now = next.at;
    next.end();
  }
  return now;
}

test('a long chain that comes last in the configuration makes a run no longer than it is', async () => {
  const small = Array.from({ length: 12 }, (_, at) => `small${at}`);
  const chain = ['c0', 'c1', 'c2', 'c3'];
  const needs = new Map<string, readonly string[]>([
    ...small.map((name): [string, string[]] => [name, []]),
    ...chain.map((name, at): [string, string[]] => [name, at === 0 ? [] : [`c${at - 1}`]]),
  ]);
  const times = new Map([...needs.keys()].map((name) => [name, name.startsWith('c') ? 30 : 10]));
  const skewed = { needs, times };
  const remaining = remainingTimes(needs, (task) => times.get(task) ?? 0);
  assert.is(await makespan(skewed, 2, () => 0), 180, 'first come, first served');
  assert.is(await makespan(skewed, 2, (task) => remaining.get(task) ?? 0), 120, 'the length of the chain');
});

test.run();
