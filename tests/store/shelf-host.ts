import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemHost, userCacheFolder } from '../../core/store/shelf-host.ts';

test("caches are where the user's system has them", () => {
  assert.is(userCacheFolder({}, 'linux', '/home/a'), join('/home/a', '.cache'));
  assert.is(userCacheFolder({}, 'darwin', '/Users/a'), join('/Users/a', 'Library', 'Caches'));
  assert.is(userCacheFolder({}, 'win32', 'C:/Users/a'), join('C:/Users/a', 'AppData', 'Local'));
  assert.is(userCacheFolder({ LOCALAPPDATA: 'D:/local' }, 'win32', 'C:/Users/a'), 'D:/local');
  assert.is(userCacheFolder({ LOCALAPPDATA: 'D:/local' }, 'linux', '/home/a'), join('/home/a', '.cache'));
});

test('XDG_CACHE_HOME says where they are, if it is absolute', () => {
  assert.is(userCacheFolder({ XDG_CACHE_HOME: resolve('/x') }, 'linux', '/home/a'), resolve('/x'));
  assert.is(userCacheFolder({ XDG_CACHE_HOME: 'x' }, 'linux', '/home/a'), join('/home/a', '.cache'));
  assert.is(userCacheFolder({ XDG_CACHE_HOME: '' }, 'linux', '/home/a'), join('/home/a', '.cache'));
});

test('a manager has a folder of its own, in its dir or in the user’s folder for caches', () => {
  const host = systemHost({ XDG_CACHE_HOME: resolve('/x') });
  assert.is(host.folderOf('m', undefined), join(resolve('/x'), 'fleche', 'shelves', 'm'));
  assert.is(host.folderOf('m', '/y'), join(resolve('/y'), 'm'));
  assert.is(host.folderOf('m', 'y'), resolve('y', 'm'));
  assert.is(host.folderOf('../m', '/y').startsWith(join(resolve('/y'), 'm~')), true);
});

test('a call that comes later can be called off', async () => {
  const { after, now } = systemHost({});
  const calls: string[] = [];
  const begin = now();
  const cancel = after(0, () => calls.push('off'));
  cancel();
  // What is farther away than any timer of Node does not come at once.
  const far = after(2 ** 40, () => calls.push('far'));
  await new Promise<void>((done) => {
    after(1, () => {
      calls.push('on');
      done();
    });
    // The timers themselves keep nothing alive.
    setTimeout(() => {}, 50);
  });
  far();
  assert.equal(calls, ['on']);
  assert.ok(now() > begin);
});

test.run();
