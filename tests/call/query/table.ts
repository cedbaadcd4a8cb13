import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cache, meta, tags } from '../../../core/call/context.ts';
import { fleche } from '../../../core/call/memo/fleche.ts';
import { CallInfo } from '../../../core/call/metadata.ts';
import { countingCache, memoryCache } from '../_caches.ts';

const area = fleche((width: number, height?: number) => width * (height ?? width), {
  name: 'area',
  args: ['width', 'height'],
});
const wrap = fleche((value: unknown) => ({ value }), { name: 'wrap', args: ['value'] });
const odd = fleche((name: string, key: number, result: boolean) => `${name}${key}${result}`, {
  name: 'odd',
  args: ['name', 'key', 'result'],
});

test('a table loads only what is asked for', () => {
  const { cache: store, counts } = countingCache();
  cache(store, () => {
    area(2, 3);
    area(4);
    counts.read.length = 0;
    const { columns } = area.query().table();
    assert.equal(columns.slice(0, 4), ['key', 'name', 'module', 'timestart']);
    assert.is(counts.read.length, 0);
    assert.equal(
      area
        .query()
        .table({ arguments: ['width'] })
        .column('width'),
      [4, 2],
    );
    assert.is(counts.read.length, 2);
    const [last, first] = area.query().table({ arguments: ['height', 'width'], results: true });
    assert.equal([first?.height, first?.width, first?.result], [3, 2, 6]);
    assert.equal([last?.height, last?.width, last?.result], [undefined, 4, 16]);
    assert.is(counts.read.length, 8);
  });
});

test('columns come in order: key, name, module, arguments, result, metadata', () => {
  cache(memoryCache(), () => {
    tags({ project: 'p' }, () => area(1));
    tags({ unit: 'm' }, () => area(2));
    assert.equal(area.query().table({ arguments: ['height', 'width'], results: true }).columns, [
      ...['key', 'name', 'module', 'height', 'width', 'result'],
      ...['timestart', 'timestop', 'walltime', 'cputime', 'systime', 'unit', 'project'],
    ]);
  });
});

test('a row lacks what its call does not have', async () => {
  await cache(memoryCache(), async () => {
    area(1);
    wrap('x');
    const [wrapped, computed] = await cache().table({ arguments: ['value', 'width'] });
    assert.is(wrapped?.name, 'wrap');
    assert.is('width' in (wrapped ?? {}), false);
    assert.is('value' in (computed ?? {}), false);
    const everything = await cache().table({ arguments: true });
    assert.equal(everything.columns.slice(3, 6), ['value', 'width', 'height']);
  });
});

test('names that are taken are told apart', () => {
  cache(memoryCache(), () => {
    meta([CallInfo], () => tags({ key: 1, walltime: 2, name: 'tagged', free: 3 }, () => odd('a', 1, true)));
    const table = odd.query().table({ arguments: ['name', 'key', 'result'], results: true });
    const columns = ['key', 'name', 'module', 'a_name', 'a_key', 'a_result', 'result'];
    assert.equal(table.columns, [...columns, 'tags_key', 'walltime', 'tags_name', 'free']);
    assert.equal(table.rows[0]?.a_name, 'a');
    assert.equal(table.rows[0]?.result, 'a1true');
    assert.equal(table.column('tags_name'), ['tagged']);
  });
});

test('keys are short, and lead to their calls', async () => {
  const store = memoryCache();
  await cache(store, async () => {
    for (let i = 0; i < 50; i++) area(i);
    for (const { key, width } of area.query().table({ arguments: ['width'] })) {
      assert.is(key.length, 12);
      assert.is((await store.load(key)).result, width * width);
    }
    assert.is(area.query().table({ fullKeys: true }).rows[0]?.key, area.digest(49));
  });
});

test('a value that is gone leaves an empty cell', async () => {
  const store = memoryCache();
  await cache(store, async () => {
    wrap([1, 2]);
    for (const { digest } of [...((await store.values.list()) as Iterable<{ digest: never }>)])
      await store.values.delete(digest);
    const table = wrap.query().table({ arguments: ['value'], results: true });
    assert.equal(table.column('value'), [undefined]);
    assert.equal(table.column('result'), [undefined]);
  });
});

test('start and stop are points in time', () => {
  cache(memoryCache(), () => {
    const before = Date.now();
    area(1);
    const [row] = area.query().table();
    assert.instance(row?.timestart, Date);
    assert.ok(Number(row?.timestart) >= before);
    assert.type(row?.walltime, 'number');
  });
});

test('head and filter give tables, a table is iterable', () => {
  cache(memoryCache(), () => {
    for (let i = 0; i < 9; i++) area(i);
    const table = area.query().table({ arguments: ['width'] });
    assert.is(table.length, 9);
    assert.is(table.head().length, 5);
    assert.equal(table.head(2).column('width'), [8, 7]);
    assert.equal(
      [...table.filter(({ width }) => width < 2)].map(({ width }) => width),
      [1, 0],
    );
    assert.equal(table.filter(() => false).columns, table.columns);
  });
});

/** A table without what differs from run to run. */
function still(): ReturnType<typeof wrap.query> {
  return wrap.query();
}

test('as text, numbers end and everything else begins where its column does', () => {
  cache(memoryCache(), () =>
    meta([], () => {
      wrap(1);
      wrap(1000.123456789);
      wrap(12);
      const text = String(still().table({ arguments: ['value'], results: true }));
      assert.equal(text.replaceAll(/^[0-9a-f]{12}/gm, '<some key 12>').split('\n'), [
        'key           name  module                        value  result',
        '<some key 12>  wrap  tests/call/query/table.ts        12  { value: 12 }',
        '<some key 12>  wrap  tests/call/query/table.ts  1000.123  { value: 1000.123456789 }',
        '<some key 12>  wrap  tests/call/query/table.ts         1  { value: 1 }',
      ]);
      assert.is(inspect(still().table()), String(still().table()));
    }),
  );
});

test('as text, long and many-lined values are cut to one line', () => {
  cache(memoryCache(), () =>
    meta([], () => {
      wrap('a\n  b');
      wrap('x'.repeat(100));
      wrap(new Date(0));
      const lines = String(still().table({ arguments: ['value'] })).split('\n');
      assert.match(lines[1] ?? '', /1970-01-01T00:00:00.000Z$/);
      assert.match(lines[2] ?? '', /x{39}…$/);
      assert.match(lines[3] ?? '', / a b$/);
    }),
  );
});

test('as CSV, what needs quotes has them', () => {
  cache(memoryCache(), () =>
    meta([], () => {
      for (const value of [
        'plain',
        'a,b',
        'say "x"',
        'two\nlines',
        ' edge',
        '',
        null,
        1.5,
        true,
        10n,
        new Date(0),
        { a: [1] },
      ]) {
        wrap(value);
      }
      const csv = still()
        .sorted()
        .table({ arguments: ['value'] })
        .toCsv();
      assert.is(csv.split('\n')[0], 'key,name,module,value');
      assert.is(
        csv.replaceAll(/^.*table\.ts,/gm, ''),
        [
          'key,name,module,value',
          'plain',
          '"a,b"',
          '"say ""x"""',
          '"two\nlines"',
          '" edge"',
          '',
          '',
          '1.5',
          'true',
          '10',
          '1970-01-01T00:00:00.000Z',
          '"{""a"":[1]}"',
          '',
        ].join('\n'),
      );
    }),
  );
});

test('as JSON, what JSON lacks is near to what it is', () => {
  cache(memoryCache(), () =>
    meta([], () => {
      const value = {
        big: 10n,
        map: new Map([['a', 1]]),
        set: new Set([1]),
        bytes: Buffer.from([1, 2]),
        view: new Float64Array([1.5]),
        date: new Date(0),
        error: new RangeError('far'),
        missing: undefined,
      };
      wrap(value);
      const [row] = JSON.parse(
        still()
          .table({ arguments: ['value'] })
          .toJson(),
      );
      assert.equal(Object.keys(row), ['key', 'name', 'module', 'value']);
      assert.equal(row.value, {
        big: '10',
        map: [['a', 1]],
        set: [1],
        bytes: [1, 2],
        view: [1.5],
        date: '1970-01-01T00:00:00.000Z',
        error: 'RangeError: far',
      });
    }),
  );
});

test('an arquero table has all columns, in their order', async () => {
  await cache(memoryCache(), async () => {
    tags({ project: 'p' }, () => area(3));
    area(4, 5);
    const table = area.query().table({ arguments: ['width', 'height'], results: true });
    const frame = await table.toArquero();
    assert.equal(frame.columnNames(), table.columns);
    assert.equal(frame.array('result'), [20, 9]);
    assert.equal(frame.array('project'), [undefined, 'p']);
    const { desc } = await import('arquero');
    assert.equal(frame.orderby(desc('width')).array('width'), [4, 3]);
    assert.is((await area.query({ width: 0 }).table().toArquero()).numRows(), 0);
  });
});

test.run();
