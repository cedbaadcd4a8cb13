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

test.run();
