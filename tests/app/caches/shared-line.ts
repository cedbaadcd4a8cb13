/** Memoised functions with a configured stack of a cache of this machine and a shared one. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfiguredCaches } from '../../../core/app/caches/caches.ts';
import { loadSettings } from '../../../core/app/config/settings.ts';
import type { BaseCache } from '../../../core/call/caches/base-cache.ts';
import { cache } from '../../../core/call/context.ts';
import { fleche } from '../../../core/call/memo/fleche.ts';

/** Machines with caches of their own that share a folder; gives the cache `team` of one. */
async function withTeam(use: (machine: (name: string) => BaseCache, folder: string) => Promise<void>): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'fleche-'));
  const caches: BaseCache[] = [];
  const machine = (name: string): BaseCache => {
    const folder = join(home, name);
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'fleche.config.toml'),
      `[default]
root = true
[caches.local]
type = "Lmdb"
[caches.shared]
type = "Directory"
root = "../shared"
mode = "read-write"
unsigned = true
[caches.team]
stack = ["local", "shared"]
`,
    );
    const team = new ConfiguredCaches(loadSettings(folder, { home }), (message) => assert.unreachable(message)).named(
      'team',
    );
    caches.push(team);
    return team;
  };
  try {
    await use(machine, join(home, 'shared'));
  } finally {
    for (const each of caches) await each.close();
    rmSync(home, { recursive: true, force: true });
  }
}

test('what an asynchronous function returned on one machine is a hit on another, and is on file there afterwards', async () => {
  await withTeam(async (machine, folder) => {
    let calls = 0;
    const make = fleche(
      async (x: number) => {
        calls++;
        return { x, big: 'x'.repeat(200_000 * x), map: new Map([[x, [null, undefined]]]) };
      },
      { name: 'shared-line-make', version: 1 },
    );
    const [one, two] = [machine('one'), machine('two')];
    const first = await cache(one, () => make(2));
    await one.flush();
    assert.ok(readdirSync(folder).length > 0);
    assert.equal(await cache(two, () => make(2)), first);
    assert.is(calls, 1);
    await two.flush();
    rmSync(folder, { recursive: true });
    assert.equal(await cache(two, () => make(2)), first);
    assert.is(calls, 1);
    assert.is((await cache(two, () => make(3))).x, 3);
  });
});

test('a function that cannot wait uses the cache of its machine alone, without a word', async () => {
  await withTeam(async (machine, folder) => {
    let calls = 0;
    const make = fleche((x: number) => ++calls + x, { name: 'shared-line-sync', version: 1 });
    const [one, two] = [machine('one'), machine('two')];
    assert.is(
      cache(one, () => make(1)),
      2,
    );
    assert.is(
      cache(one, () => make(1)),
      2,
    );
    assert.is(
      cache(one, () => make.contains(1)),
      true,
    );
    await one.flush();
    assert.is(
      cache(two, () => make(1)),
      3,
    );
    assert.throws(() => readdirSync(folder));
  });
});

test('what was cleared here does not come back before it was made anew', async () => {
  await withTeam(async (machine) => {
    let calls = 0;
    const make = fleche(async (x: number) => ++calls + x, { name: 'shared-line-clear', version: 1 });
    const [one, two] = [machine('one'), machine('two')];
    assert.is(await cache(one, () => make(1)), 2);
    await one.flush();
    assert.is(await cache(two, () => make(1)), 2);
    await cache(two, () => make.clear(1));
    assert.is(await cache(two, () => make(1)), 3);
  });
});

test('callers of one moment ask once', async () => {
  await withTeam(async (machine) => {
    let calls = 0;
    const make = fleche(async (x: number) => ++calls + x, { name: 'shared-line-once', version: 1 });
    const team = machine('one');
    const answers = await cache(team, () => Promise.all(Array.from({ length: 20 }, () => make(1))));
    assert.equal(new Set(answers).size, 1);
    assert.is(calls, 1);
  });
});

test.run();
