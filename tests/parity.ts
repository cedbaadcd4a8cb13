/** What is said of the Python library in core/FROM-PYTHON.md: each row has a test that is there, or no test and a reason. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const TESTS = import.meta.dirname;
const text = readFileSync(join(TESTS, '../core/FROM-PYTHON.md'), 'utf8');
const rows = [...text.matchAll(/^\| (.+) \| (.+) \| (.+) \|$/gm)]
  .map(([, there = '', here = '', shown = '']) => ({ there, here, shown }))
  .filter(({ there }) => there !== 'there');

test('every row names a test, or gives a reason', () => {
  assert.ok(rows.length > 90);
  const lines = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| there'));
  assert.is(rows.length, lines.length);
  const wrong = rows.filter(
    ({ here, shown }) => !/^`[\w/.-]+\.ts`: ./.test(shown) && !(shown === '—' && /^none: |: /.test(here)),
  );
  assert.equal(wrong, []);
});

test('the tests that rows name are there', () => {
  const missing = rows.filter(({ shown }) => {
    const [, file = '', title = ''] = /^`([\w/.-]+\.ts)`: (.+)$/.exec(shown) ?? [];
    return shown !== '—' && !(existsSync(join(TESTS, file)) && readFileSync(join(TESTS, file), 'utf8').includes(title));
  });
  assert.equal(
    missing.map(({ shown }) => shown),
    [],
  );
});

test.run();
