import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AUTOSYNC, type Band, checkBands, EditAges } from '../../../../core/call/shelves/saving/edit-ages.ts';
import { codeOf } from '../../../_thrown.ts';

const S = 1000;
const NEVER = Number.POSITIVE_INFINITY;

/** Edits as [seconds, count]; when they are due, in seconds. */
function dueAfter(edits: readonly (readonly [number, number])[], bands: readonly Band[] = AUTOSYNC): number {
  const ages = new EditAges(bands);
  for (const [at, count] of edits) ages.add(at * S, count);
  return ages.due() / S;
}

test('one edit is due when it is five minutes old', () => {
  assert.is(dueAfter([[7, 1]]), 307);
});

test('ten edits are due when they are a minute old', () => {
  assert.is(dueAfter([[0, 10]]), 60);
  assert.is(dueAfter([[0, 9]]), 300);
});

test('recent edits do not count towards those that are a minute old', () => {
  assert.is(
    dueAfter([
      [0, 9],
      [100, 50],
    ]),
    160,
  );
  assert.is(
    dueAfter([
      [0, 9],
      [100, 1],
    ]),
    160,
  );
  assert.is(
    dueAfter([
      [0, 9],
      [250, 1],
    ]),
    300,
  );
});

test('ten thousand edits are due at once, if they were made within a minute', () => {
  assert.is(dueAfter([[0, 9_999]]), 60);
  assert.is(
    dueAfter([
      [0, 9_999],
      [59, 1],
    ]),
    59,
  );
  assert.is(
    dueAfter([
      [0, 9_999],
      [60, 1],
    ]),
    60,
  );
});

test('edits far apart are each due in their time', () => {
  assert.is(
    dueAfter([
      [0, 1],
      [1_200, 1],
    ]),
    300,
  );
});

test('without edits nothing is due, and none are left when they are forgotten', () => {
  const ages = new EditAges(AUTOSYNC);
  assert.is(ages.due(), NEVER);
  ages.add(0, 1);
  ages.clear();
  assert.is(ages.due(), NEVER);
});

test('what is older than the longest band is due whatever its number', () => {
  assert.is(dueAfter([[0, 3]], [{ edits: 10, within: '5m' }]), 300);
});

const someBands = fc
  .array(fc.record({ edits: fc.integer({ min: 1, max: 30 }), span: fc.integer({ min: 1, max: 500 }) }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((bands) => {
    let within = 0;
    return bands.map(({ edits, span }) => {
      within += span;
      return { edits, within: within * S };
    });
  });
const someEdits = fc.array(
  fc.record({ gap: fc.integer({ min: 0, max: 300 }), count: fc.integer({ min: 1, max: 20 }) }),
  {
    minLength: 1,
    maxLength: 30,
  },
);

test('no edit waits longer than the longest band, and no band that is full is overlooked', () => {
  fc.assert(
    fc.property(someBands, someEdits, (bands, gaps) => {
      const ages = new EditAges(bands);
      const edits: { readonly at: number; readonly count: number }[] = [];
      let now = 0;
      for (const { gap, count } of gaps) {
        now += gap * S;
        edits.push({ at: now, count });
        ages.add(now, count);
      }
      const longest = bands.at(-1)?.within ?? 0;
      const due = ages.due();
      assert.ok(due <= (edits[0]?.at ?? 0) + longest);
      // As the rule says it, edit by edit: an edit may count as up to one bucket older than it is.
      let from = 0;
      for (const { edits: enough, within } of bands) {
        for (const { at } of edits) {
          const time = at + from;
          if (time >= due) continue;
          const aged = edits.filter((edit) => time - edit.at >= from && time - edit.at < within - longest / 60);
          assert.ok(aged.reduce((sum, edit) => sum + edit.count, 0) < enough);
        }
        from = within;
      }
    }),
  );
});

test('bands that make no sense are refused', () => {
  const bad: readonly (readonly Band[])[] = [
    [],
    [{ edits: 0, within: '1s' }],
    [{ edits: 1.5, within: '1s' }],
    [{ edits: 1, within: 0 }],
    [
      { edits: 10, within: '60s' },
      { edits: 1, within: '1m' },
    ],
  ];
  for (const bands of bad)
    assert.is(
      codeOf(() => checkBands(bands)),
      'USAGE',
    );
  assert.is(
    codeOf(() => checkBands([{ edits: 1, within: 'soon' }])),
    'INVALID_DURATION',
  );
});

test.run();
