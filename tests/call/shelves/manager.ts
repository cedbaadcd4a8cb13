import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../../core/base/errors.ts';
import { manager, setShelfHost } from '../../../core/call/shelves/manager.ts';
import { systemHost } from '../../../core/store/shelf-host.ts';
import { inNewFolder } from '../../_new-folder.ts';
import { codeOf } from '../../_thrown.ts';
import { check, rejection, rejectionOf } from './_desk.ts';

test('a process has one manager of a name, and other options for it are an error', () =>
  inNewFolder(async (root) => {
    const onError = (): void => {};
    const first = manager('one', { dir: root, onError });
    assert.is(manager('one'), first);
    assert.is(manager('one', { dir: root }), first);
    assert.is(manager('one', { dir: relative('.', root), onError }), first);
    assert.is(
      codeOf(() => manager('one', { dir: tmpdir() })),
      'DUPLICATE_NAME',
    );
    assert.is(
      codeOf(() => manager('one', { onError: () => {} })),
      'DUPLICATE_NAME',
    );
    assert.is.not(manager('two', { dir: root }), first);
    await first.close();
    const again = manager('one', { dir: join(root, 'elsewhere') });
    assert.is.not(again, first);
    await again.close();
    await manager('two').close();
  }));

test('an option that does not exist is an error', () => {
  const options = { folder: '/tmp' } as object;
  assert.is(
    codeOf(() => manager('typo', options)),
    'USAGE',
  );
});

test('without a folder a manager is in the user’s folder for caches, as the environment says', () =>
  inNewFolder(async (root) => {
    setShelfHost(systemHost({ XDG_CACHE_HOME: root }));
    const made = manager();
    assert.is(made.folder, join(root, 'fleche', 'shelves', 'default'));
    made.shelf('a').set('k', 1);
    await made.close();
    assert.ok(existsSync(made.folder));
    setShelfHost(systemHost({}));
  }));

test('who is told of no errors is warned of them', async () => {
  const warnings: string[] = [];
  const { emitWarning } = process;
  process.emitWarning = (warning: string | Error): void => void warnings.push(String(warning));
  const root = mkdtempSync(join(tmpdir(), 'fleche-'));
  const made = manager('warned', { dir: root });
  const shelf = made.shelf<string, number>('a', {
    save: () => {
      throw new Error('on purpose');
    },
  });
  shelf.set('k', 1);
  assert.is(await rejection(shelf.save()), 'SHELF_UNSAVED');
  process.emitWarning = emitWarning;
  assert.equal(warnings, ['shelf "a" could not be saved: on purpose']);
  await made.close({ discard: true });
  rmSync(root, { recursive: true });
});

check('a shelf is defined once; asked for again it is the same', ({ start }) => {
  const build = (): ReadonlyMap<string, number> => new Map();
  const desk = start();
  const parent = desk.shelf('parent');
  const options = { build, dependsOn: [parent], autosync: [{ edits: 1, within: '1s' }] };
  const shelf = desk.shelf('a', options);
  assert.is(desk.shelf('a'), shelf);
  assert.is(desk.get('a'), shelf);
  assert.is(desk.shelf('a', { ...options, dependsOn: [parent], autosync: [{ edits: 1, within: '1s' }] }), shelf);
  assert.is(
    codeOf(() => desk.shelf('a', { build: () => new Map() })),
    'DUPLICATE_NAME',
  );
  assert.is(
    codeOf(() => desk.shelf('a', {})),
    'DUPLICATE_NAME',
  );
  assert.is(
    codeOf(() => desk.shelf('a', { ...options, autosync: [{ edits: 2, within: '1s' }] })),
    'DUPLICATE_NAME',
  );
  assert.is(
    codeOf(() => desk.shelf('a', { ...options, dependsOn: [shelf] })),
    'DUPLICATE_NAME',
  );
  assert.equal(desk.names(), ['parent', 'a']);
});

check('a name that is mistyped finds the nearest one and makes nothing', ({ start }) => {
  const desk = start();
  desk.shelf('customers');
  desk.shelf('orders');
  assert.is(desk.has('custmers'), false);
  try {
    desk.get('custmers');
    assert.unreachable();
  } catch (error) {
    assert.ok(error instanceof FlecheError);
    assert.is(error.code, 'SHELF_UNKNOWN');
    assert.is(error.hint, 'Did you mean "customers"?');
  }
  assert.equal(desk.names(), ['customers', 'orders']);
  assert.is(existsSync(desk.folder), false);
});

check('a shelf that was only looked at leaves nothing on disk', async ({ start }) => {
  const desk = start();
  const shelf = desk.shelf('a', { dependsOn: [desk.shelf('b')] });
  assert.is(shelf.size, 0);
  assert.is(shelf.get('k'), undefined);
  await desk.shelf('b').invalidate();
  await desk.close();
  assert.is(existsSync(desk.folder), false);
});

check('options that do not exist or contradict each other are errors', ({ start }) => {
  const desk = start();
  const bad: readonly object[] = [
    { persits: false },
    { persist: false, load: () => new Map() },
    { persist: false, save: () => {} },
    { autosync: [] },
    {
      autosync: [
        { edits: 1, within: '1s' },
        { edits: 1, within: '1s' },
      ],
    },
    { dependsOn: ['b'] },
    { dependsOn: [{}] },
    { dependsOn: [start(undefined, 'other').shelf('b')] },
  ];
  for (const options of bad)
    assert.is(
      codeOf(() => desk.shelf('a', options)),
      'USAGE',
    );
  assert.is(desk.has('a'), false);
});

check('point 16: shelves and managers of any name are kept apart and inside their folder', async ({ start, root }) => {
  const names = [
    'a',
    'A',
    'a/b',
    'a_b',
    '../a',
    '..',
    '',
    '.',
    'CON',
    'ä',
    '\u{1f3f9}',
    '\u0000',
    'x'.repeat(4096),
    `${'x'.repeat(4096)}y`,
  ];
  const inner = join(root, 'inner');
  for (const [at, name] of names.entries()) {
    const desk = start({ dir: inner }, name);
    for (const [index, shelf] of names.entries()) desk.shelf(shelf).set('k', [at, index]);
    await desk.close();
  }
  assert.equal(readdirSync(root), ['inner']);
  assert.is(readdirSync(inner).length, names.length);
  for (const [at, name] of names.entries()) {
    const desk = start({ dir: inner }, name);
    for (const [index, shelf] of names.entries()) assert.equal(desk.shelf(shelf).get('k'), [at, index]);
    assert.equal(new Set(desk.stored()), new Set(names));
    await desk.close();
  }
});

check('what is saved is what is loaded, and the rest of the shelves still are', async ({ start, host }) => {
  const desk = start();
  desk.shelf('a').set('k', 1);
  desk.shelf('b');
  desk.shelf<string, number>('c', { persist: false }).set('k', 1);
  await desk.save();
  assert.is(host.writes, 1);
  assert.equal(desk.stored(), ['a']);
});

check('all that could not be saved is told, and stays open', async ({ start }) => {
  const desk = start();
  let isBroken = true;
  const broken = desk.shelf<string, number>('broken', {
    save: () => {
      if (isBroken) throw new Error('on purpose');
    },
  });
  const sound = desk.shelf<string, number>('sound');
  broken.set('k', 1);
  sound.set('k', 1);
  const error = await rejectionOf(AggregateError, desk.close());
  assert.equal(
    error.errors.map(({ code }: FlecheError) => code),
    ['SHELF_UNSAVED'],
  );
  assert.is(
    codeOf(() => sound.get('k')),
    'SHELF_CLOSED',
  );
  assert.is(broken.get('k'), 1);
  isBroken = false;
  await desk.close();
  assert.is(
    codeOf(() => broken.get('k')),
    'SHELF_CLOSED',
  );
});

check('a manager that is closed makes no more shelves', async ({ start }) => {
  const desk = start();
  await desk.close();
  await desk.close();
  assert.is(
    codeOf(() => desk.shelf('a')),
    'SHELF_CLOSED',
  );
  assert.is(
    codeOf(() => desk.get('a')),
    'SHELF_CLOSED',
  );
  assert.is(await rejection(desk.save()), 'SHELF_CLOSED');
});

check('a block that uses a manager leaves it saved and closed', async ({ start }) => {
  const desk = start();
  {
    await using used = desk;
    used.shelf('a').set('k', 1);
  }
  assert.is(
    codeOf(() => desk.shelf('a')),
    'SHELF_CLOSED',
  );
  assert.is(start().shelf('a').get('k'), 1);
});

check('a folder in which nothing can be kept costs nothing but what is kept', async ({ start, errors, root }) => {
  const desk = start({ dir: join(root, 'file\0name') });
  const shelf = desk.shelf('a');
  assert.is(shelf.get('k'), undefined);
  shelf.set('k', 1);
  assert.is(await rejection(shelf.save()), 'SHELF_UNSAVED');
  assert.is(shelf.get('k'), 1);
  assert.is(errors.length, 1);
});

check(
  'a store that cannot be opened is tried again, and what it would have given is made',
  async ({ start, host, errors }) => {
    const first = start();
    await first.shelf<string, number>('a').set('old', 1).save();
    await first.close();
    host.isLocked = true;
    const desk = start();
    const shelf = desk.shelf<string, number>('a', { build: () => ({ new: 2 }) });
    const own = desk.shelf<string, number>('own', { persist: false, dependsOn: [shelf] });
    assert.equal([...shelf], [['new', 2]]);
    assert.is(own.set('k', 1).get('k'), 1);
    assert.is(shelf.unsaved, 1);
    assert.equal(
      errors.map((error) => (error as FlecheError).code),
      ['SHELF_UNREADABLE', 'SHELF_UNSAVED'],
    );
    host.isLocked = false;
    await shelf.save();
    await shelf.reload();
    assert.equal(
      [...shelf],
      [
        ['old', 1],
        ['new', 2],
      ],
    );
  },
);

test.run();
