import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sqlPlace } from '../../../core/store/sql/sql-url.ts';

test('a URL names a file, no file, or a server', () => {
  const files: Readonly<Record<string, string>> = {
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
  };
  for (const [url, path] of Object.entries(files)) assert.equal(sqlPlace(url), { kind: 'sqlite', path }, url);
  for (const url of ['postgres://u@host/db', 'postgresql:///db']) {
    assert.equal(sqlPlace(url), { kind: 'postgres', url });
  }
});

test('a database that there is no store for is an error', () => {
  for (const url of ['mysql://host/db', 'sqlite+driver:x', 'http://host']) {
    assert.throws(
      () => sqlPlace(url),
      (error: { code?: string }) => error.code === 'CONFIG_INVALID',
    );
  }
});

test.run();
