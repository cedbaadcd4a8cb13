import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isExecutable, isRacy, type StatKey } from '../../../core/files/states/stat-key.ts';

function key(parts: Partial<StatKey>): StatKey {
  return { size: 1, mtime: 1000.5, ctime: 1000.5, ino: 7, mode: 0o100644, ...parts };
}

test('a file is racy until its time stamps are older than the tick of the clock', () => {
  assert.is(isRacy(key({ mtime: 999_990.5, ctime: 999_990.5 }), 1_000_000), true);
  assert.is(isRacy(key({ mtime: 999_979.5, ctime: 999_979.5 }), 1_000_000), false);
});

test('the younger of the two time stamps counts', () => {
  assert.is(isRacy(key({ mtime: 5.5, ctime: 999_999.5 }), 1_000_000), true);
  assert.is(isRacy(key({ mtime: 999_999.5, ctime: 5.5 }), 1_000_000), true);
});

test('where times are whole seconds the clock may tick in steps of two', () => {
  assert.is(isRacy(key({ mtime: 998_000, ctime: 998_000 }), 1_000_000), true);
  assert.is(isRacy(key({ mtime: 997_000, ctime: 997_000 }), 1_000_000), false);
  assert.is(isRacy(key({ mtime: 998_000, ctime: 998_000.5 }), 1_000_000), false);
});

test('a file from the future is racy', () => {
  assert.is(isRacy(key({ mtime: 2_000_000.5 }), 1_000_000), true);
});

test("the owner's bit makes a file executable", () => {
  assert.is(isExecutable(key({ mode: 0o100755 })), true);
  assert.is(isExecutable(key({ mode: 0o100655 })), false);
});

test.run();
