/** Planning, explaining and running agree, whatever was edited before. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onSite, type Site } from './_site.ts';

/** `strip` takes comments out, so that some edits end there. */
const TASKS = {
  strip: { run: "say strip; grep -v '^#' a.txt > a.out || :", inputs: ['a.txt'], outputs: ['a.out'] },
  count: { run: 'say count; wc -l < b.txt > b.out', inputs: ['b.txt'], outputs: ['b.out'] },
  join: {
    run: 'say join; cat a.out b.out > all.out; echo "$LEVEL" >> all.out',
    needs: ['strip', 'count'],
    inputs: ['a.out', 'b.out'],
    outputs: ['all.out'],
    env: ['LEVEL'],
  },
  show: { run: 'say show; cat all.out', needs: ['join'], inputs: ['all.out'] },
};

type Edit = (site: Site) => void;

const text = fc.constantFrom('', 'a\n', '# x\na\n', '# y\na\n', 'a\nb\n');
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(fc.constantFrom('a.txt', 'b.txt'), text).map(
    ([path, text]): Edit =>
      (site) =>
        site.write({ [path]: text }),
  ),
  fc.constantFrom('a.out', 'b.out', 'all.out').map(
    (path): Edit =>
      (site) => {
        if (site.exists(path)) site.remove(path);
      },
  ),
  fc.constantFrom('a.out', 'all.out').map(
    (path): Edit =>
      (site) =>
        site.write({ [path]: 'by hand\n' }),
  ),
  fc.constantFrom('high', 'low', undefined).map(
    (level): Edit =>
      (site) => {
        site.env['LEVEL'] = level;
      },
  ),
);

test('what is planned is what happens, and it is explained in the same words', async () => {
  const history = fc.array(fc.array(edit, { maxLength: 2 }), { minLength: 1, maxLength: 3 });
  const agree = fc.asyncProperty(history, async (rounds) => {
    await onSite(TASKS, { 'a.txt': 'a\n', 'b.txt': 'b\n' }, async (site) => {
      for (const edits of [[], ...rounds]) {
        for (const edit of edits) edit(site);
        const before = site.files();
        const plan = await site.plan();
        const why = await Promise.all(Object.keys(TASKS).map((name) => site.engine().why(name)));
        assert.equal(site.files(), before, 'nothing is written');
        assert.equal(site.log(), [], 'nothing runs');
        const run = await site.run();
        for (const { task, verdict, key, reasons } of why) {
          const planned = plan.tasks[task];
          const ran = run.tasks[task];
          assert.is(verdict === 'cached', planned?.outcome === 'cached', task);
          assert.is(key, planned?.key, task);
          assert.equal(reasons, planned?.reasons, task);
          if (planned?.outcome === 'cached')
            assert.is(ran?.outcome, 'cached', `${task} is not run although planned so`);
          if (planned === undefined || planned.key === null) continue;
          assert.is(ran?.key, planned.key, task);
          assert.is(ran?.outcome, planned.outcome, task);
          assert.equal(ran?.reasons, planned.reasons, task);
        }
      }
    });
  });
  await fc.assert(agree, { numRuns: 8 });
});

test.run();
