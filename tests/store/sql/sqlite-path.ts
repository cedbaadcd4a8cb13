import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sqlitePath } from '../../../core/store/sql/sqlite-path.ts';

test('a URL names a file, no file, or nothing of SQLite', () => {
  const paths: Readonly<Record<string, string | undefined>> = {
    'sqlite:calls.db': 'calls.db',
    'sqlite:///calls.db': 'calls.db',
    'sqlite:///sub/calls.db': 'sub/calls.db',
    'sqlite:/var/calls.db': '/var/calls.db',
    'sqlite:////var/calls.db': '/var/calls.db',
    'sqlite:///C:/calls.db': 'C:/calls.db',
    'sqlite:~/calls.db': '~/calls.db',
    'SQLite:calls.db': 'calls.db',
    'calls.db': 'calls.db',
    '/var/calls.db': '/var/calls.db',
    'C:\\calls.db': 'C:\\calls.db',
    ':memory:': ':memory:',
    'sqlite::memory:': ':memory:',
    'sqlite:///:memory:': ':memory:',
    'sqlite://': ':memory:',
    'sqlite:': ':memory:',
    'postgres://u@host/db': undefined,
    'mysql://host/db': undefined,
    'sqlite+driver:x': undefined,
  };
  for (const [url, path] of Object.entries(paths)) assert.equal(sqlitePath(url), path, url);
});

test.run();
