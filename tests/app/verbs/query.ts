/** `query`: the calls that match, as a table and as JSON. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { query } from '../../../core/app/verbs/query.ts';
import { Cache } from '../../../core/call/caches/cache.ts';
import { cache, tags } from '../../../core/call/context.ts';
import { fleche } from '../../../core/call/memo/fleche.ts';

import { MemoryCallStore, MemoryValueStore } from '../../../core/store/memory.ts';
import { call } from '../_machine.ts';
import { COPY, outcomes, withScratch } from '../_scratch.ts';
import { fault, told } from './_called.ts';

const add = fleche((x: number, y: unknown) => [x, y], { name: 'add', module: null, code: 'manual', args: ['x', 'y'] });
const fails = fleche(
  (): number => {
    throw new Error('no');
  },
  { name: 'fails', module: null, code: 'manual' },
);

/** What the verb tells of a cache with some calls of functions. */
async function ofFunctions(...argv: readonly string[]): Promise<string> {
  const values = new MemoryValueStore();
  const calls = new MemoryCallStore();
  const store = new Cache(values, calls);
  cache(store, () => {
    add(1, 'a');
    tags({ run: 'second', n: 2 }, () => add(2, { deep: [1] }));
    try {
      fails();
    } catch {
      // It is recorded, which is what it is for.
    }
  });
  const { stdout } = await call(
    query,
    ['query', ...argv],
    {},
    {},
    {
      stores: () => ({ values, calls }) as never,
      now: () => Date.now() + 5000,
    },
  );
  return stdout;
}

const names = (stdout: string): readonly string[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).name);

test('calls are listed newest first, with what they were made of', async () => {
  const [head = '', first = '', second = '', third = ''] = (await ofFunctions()).split('\n');
  assert.match(head, /^call +kind +key +ago +took +made of +tags$/);
  assert.match(first, /^fails \(failed\) +function +[0-9a-f]{12} +\S+s/);
  assert.match(second, /^add .* x=2, y=\{ deep: \[ 1 \] \} +run=second n=2$/);
  assert.match(third, /^add .* x=1, y='a'$/);
});

test('terms narrow them down', async () => {
  assert.equal(names(await ofFunctions('--json')), ['fails', 'add', 'add']);
  assert.equal(names(await ofFunctions('add', '--json')), ['add', 'add']);
  assert.equal(names(await ofFunctions('--json', '--failed')), ['fails']);
  assert.equal(names(await ofFunctions('--json', '--kind', 'task')), []);
  assert.equal(names(await ofFunctions('--json', '--arg', 'x=2')), ['add']);
  assert.equal(names(await ofFunctions('--json', '--arg', 'y=a')), ['add']);
  assert.equal(names(await ofFunctions('--json', '--arg', 'y={"deep":[1]}')), ['add']);
  assert.equal(names(await ofFunctions('--json', '--tag', 'run=second')), ['add']);
  assert.equal(names(await ofFunctions('--json', '--tag', 'n=3')), []);
  assert.equal(names(await ofFunctions('--json', '--after', '1h')).length, 3);
  assert.equal(names(await ofFunctions('--json', '--before', '1h')), []);
  assert.equal(names(await ofFunctions('--json', '--after', '2999-01-01')), []);
  assert.equal(names(await ofFunctions('--json', '--limit', '1')), ['fails']);
  assert.match(await ofFunctions('--limit', '1'), 'and 2 more calls; --limit all shows them');
  assert.is(await ofFunctions('nothing'), 'no call is on file that matches\n');
  assert.is(await ofFunctions('fial'), 'no call is on file that matches; did you mean "fails"?\n');
  assert.is(await ofFunctions('fails', '--kind', 'task'), 'no call is on file that matches\n');
});

test('tasks are calls too, and lists of what they read are none', () =>
  withScratch(COPY, async (scratch) => {
    await outcomes(scratch.open());
    assert.equal([...names(await told(query, scratch, 'query', '--json'))].sort(), ['copy', 'look']);
    assert.match(await fault(query, scratch, 'query', '--after', 'soon'), 'is no moment');
    assert.match(await fault(query, scratch, 'query', '--arg', 'x'), 'has no value');
    assert.match(await fault(query, scratch, 'query', '--limit', '0'), 'is no count');
  }));

test.run();
