/** Services under watch: they stay up from round to round, and begin again only when they are started otherwise. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onSite, until } from '../_site.ts';
import { WatchedSite } from '../watch/_watch.ts';

const SERVER = "trap 'say down; exit 0' TERM; say up; echo listening; while :; do sleep 0.02; done";
const server = {
  run: SERVER,
  inputs: ['server.txt'],
  service: { ready: { when: { kind: 'log', text: 'listening' }, timeout: 10_000 } },
} as const;
const client = { run: 'say client', needs: ['server'], inputs: ['client.txt'] };
const FILES = { 'server.txt': '', 'client.txt': '' };

test('a service stays up from round to round, and begins again when its own inputs change', async () => {
  await onSite({ server, client }, FILES, async (site) => {
    const watched = await new WatchedSite(site, ['client']).start();
    try {
      assert.equal(site.said(), ['up', 'client']);
      assert.equal(await watched.saved({ 'client.txt': 'one' }), ['client']);
      assert.equal(await watched.saved({ 'client.txt': 'two' }), ['client'], 'the same service');
      assert.equal(await watched.saved({ 'server.txt': 'one' }), ['down', 'up', 'client']);
    } finally {
      await watched.watch.close();
    }
    assert.equal(site.log(), ['down']);
  });
});

test('a service that is wanted itself is up while it is watched', async () => {
  await onSite({ server }, FILES, async (site) => {
    const watched = await new WatchedSite(site, ['server']).start();
    try {
      await until(() => site.said().includes('up'), 'it is up');
      assert.equal(await watched.saved({ 'server.txt': 'one' }), ['down', 'up']);
    } finally {
      await watched.watch.close();
    }
    assert.equal(site.log(), ['down']);
  });
});

test('a service that ends while nothing happens is told at once, and begins again with the next round', async () => {
  const dying = { ...server, run: `while [ -e stay ]; do sleep 0.01; done & say up; echo listening; wait; exit 3` };
  await onSite({ server: dying, client }, { ...FILES, stay: '' }, async (site) => {
    const watched = await new WatchedSite(site, ['server', 'client']).start();
    try {
      site.remove('stay');
      const ends = (): readonly unknown[] =>
        watched.events.flatMap((event) =>
          event.type === 'task' && event.event.type === 'done' ? [event.event.outcome.outcome] : [],
        );
      await until(() => ends().includes('failed'), 'the end is told');
      site.write({ stay: '' });
      assert.equal(await watched.saved({ 'client.txt': 'one' }), ['up', 'client']);
    } finally {
      await watched.watch.close();
    }
  });
});

test('what needs a service that goes down is skipped, and both are tried again when something changes, not before', async () => {
  const broken = {
    ...server,
    run: 'say up; [ -s server.txt ] || exit 3; echo listening; while :; do sleep 0.02; done',
  };
  const user = { run: 'say user', needs: ['client'] };
  await onSite({ server: broken, client, user }, FILES, async (site) => {
    const watched = new WatchedSite(site, ['user']);
    const outcomes = (): unknown => watched.rounds.at(-1)?.outcomes.map(({ name, outcome }) => `${name} ${outcome}`);
    try {
      await watched.watch.start(watched.source);
      await watched.quiet();
      assert.equal(site.log(), ['up'], 'once');
      assert.equal(outcomes(), ['server failed', 'client skipped', 'user skipped']);
      assert.equal(await watched.saved({ 'client.txt': 'one' }), ['up']);
      assert.equal(await watched.saved({ 'server.txt': 'good' }), ['up', 'client', 'user']);
      assert.equal(outcomes(), ['server ran', 'client ran', 'user ran']);
      assert.equal(await watched.saved({ 'server.txt': '', 'client.txt': 'two' }), ['up']);
      assert.equal(await watched.saved({ 'other.txt': '' }), []);
      assert.equal(await watched.saved({ 'server.txt': 'good' }), ['up', 'client']);
    } finally {
      await watched.watch.close();
    }
  });
});

test('between rounds nobody else has to wait for services that are not up', async () => {
  const other = { run: 'say other', needs: ['idle'], inputs: ['other.txt'] };
  const idle = { ...server, run: `: idle; ${SERVER}` };
  await onSite({ server, idle, client, other }, { ...FILES, 'other.txt': '' }, async (site) => {
    await site.run({ targets: ['other'] });
    const watched = await new WatchedSite(site, ['client', 'other']).start();
    try {
      const held = site.leases.list().map(({ name }) => name);
      assert.equal(held, ['service:server']);
    } finally {
      await watched.watch.close();
    }
    assert.equal(site.leases.list(), []);
  });
});

test.run();
