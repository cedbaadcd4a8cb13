import { generateKeyPairSync } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sharedMode } from '../../../../core/app/caches/shared-mode.ts';
import { openTier } from '../../../../core/app/caches/shared-tiers.ts';
import type { SharedCacheSpec } from '../../../../core/app/config/caches/cache-spec.ts';
import { ConfigErrors } from '../../../../core/base/errors.ts';
import { load } from '../_project.ts';

const KEY = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).toString('base64');

/** The shared cache of a configuration with these lines. */
function shared(...lines: readonly string[]): SharedCacheSpec {
  const spec = load(`[default]\nroot = true\n[caches.shared]\n${lines.join('\n')}\n`).caches.get('shared');
  if (spec?.kind !== 'shared') throw new Error('not a shared cache');
  return spec;
}

/** What is wrong with these lines. */
function faults(...lines: readonly string[]): string {
  try {
    shared(...lines);
  } catch (error) {
    if (error instanceof ConfigErrors) return error.describe();
    throw error;
  }
  return 'nothing';
}

const HTTP = ['type = "Http"', 'url = "https://cache.example.com/fleche/"'];
const SIGNED = `public_keys = ["${KEY}"]`;

test('a shared cache is read, and has sober defaults', () => {
  const spec = shared(...HTTP, SIGNED);
  const { at: _, ...plain } = spec;
  assert.equal(plain, {
    kind: 'shared',
    name: 'shared',
    place: { type: 'Http', url: 'https://cache.example.com/fleche', auth: 'bearer' },
    reads: true,
    writes: false,
    namespace: '',
    namespaceEnv: undefined,
    signingKeyEnv: undefined,
    producerEnv: undefined,
    tokenEnv: undefined,
    tokenHelper: undefined,
    publicKeys: [KEY],
    require: false,
    maxAnswer: 2 * 1024 ** 3,
    exitMs: 30_000,
    connectMs: 1000,
    timeoutMs: 10_000,
  });
});

test('every type has its place, and the amounts are read', () => {
  const folder = shared('type = "Directory"', 'root = "~/shared"', 'unsigned = true', 'max_answer = "1MB"');
  assert.match(folder.place.type === 'Directory' ? folder.place.root : '', /[\\/]shared$/);
  assert.equal([folder.publicKeys, folder.maxAnswer], [undefined, 1024 ** 2]);
  const redis = shared(
    'type = "Redis"',
    'url = "rediss://cache:6380/1"',
    SIGNED,
    'timeout = "2s"',
    'namespace = "pr/17"',
  );
  assert.equal(
    [redis.place, redis.timeoutMs, redis.namespace],
    [{ type: 'Redis', url: 'rediss://cache:6380/1' }, 2000, 'pr/17'],
  );
});

test('an address with a password in it is refused, and not repeated', () => {
  const text = faults('type = "Http"', 'url = "https://user:hunter2@example.com"', SIGNED);
  assert.match(text, /fleche\.config\.toml:5:\d+: .*caches\.shared\.url has a user or a password in it/);
  assert.not.match(text, 'hunter2');
});

test('what is not encrypted is refused but on this machine', () => {
  const at = (url: string, ...more: readonly string[]): string =>
    faults('type = "Http"', `url = "${url}"`, SIGNED, ...more);
  assert.match(at('http://cache.example.com'), 'is not encrypted');
  assert.match(at('http://127.evil.example.com'), 'is not encrypted');
  assert.is(at('http://cache.example.com', 'insecure = true'), 'nothing');
  assert.match(at('http://cache.example.com', 'insecure = true', 'token_env = "T"'), 'would send the token');
  for (const url of ['http://localhost:8080', 'http://127.0.0.1', 'http://[::1]:80', 'https://cache.example.com']) {
    assert.is(at(url, 'token_env = "T"'), 'nothing');
  }
  assert.match(at('ftp://cache.example.com'), 'is not one of Http');
  assert.match(at('not an address'), 'is not an address');
  assert.match(at('https://cache.example.com/?token=x'), 'has more than a path');
});

test('whose answers are believed has to be said', () => {
  assert.match(faults(...HTTP), 'does not say whose answers are believed');
  assert.is(faults(...HTTP, 'unsigned = true'), 'nothing');
  assert.match(faults(...HTTP, SIGNED, 'unsigned = true'), 'goes against public_keys');
  assert.match(faults(...HTTP, SIGNED, 'mode = "read-write"'), 'does not say where its signing key is');
  assert.is(faults(...HTTP, 'mode = "write"', 'signing_key_env = "K"'), 'nothing');
  assert.match(faults(...HTTP, 'public_keys = ["abc"]'), 'is not a public Ed25519 key');
});

test('keys that a shared cache does not have, or another type has, are errors', () => {
  assert.match(faults(...HTTP, SIGNED, 'namespase = "x"'), /unknown key "namespase"[\s\S]*namespace/);
  assert.match(faults(...HTTP, SIGNED, 'max_size = "1GB"'), 'unknown key "max_size"');
  assert.match(
    faults('type = "Directory"', 'root = "x"', 'unsigned = true', 'token_env = "T"'),
    'unknown key "token_env"',
  );
  assert.match(faults('type = "Http"', SIGNED), 'has no "url"');
  assert.match(faults(...HTTP, SIGNED, 'namespace = "../up"'), 'is not a namespace');
  assert.match(faults(...HTTP, SIGNED, 'mode = "both"'), 'is not known');
});

test('the environment only narrows what may be done', () => {
  const spec = shared(...HTTP, SIGNED, 'mode = "read-write"', 'signing_key_env = "KEY"');
  const both = { reads: true, writes: true };
  assert.equal(sharedMode(spec, { KEY: 'k' }), both);
  assert.equal(sharedMode(spec, { KEY: ' ' }), { reads: true, writes: false });
  assert.equal(sharedMode(spec, { KEY: 'k', FLECHE_SHARED_MODE: 'read' }), { reads: true, writes: false });
  assert.equal(sharedMode(spec, { KEY: 'k', FLECHE_SHARED_MODE: 'off' }), { reads: false, writes: false });
  const reader = shared(...HTTP, SIGNED);
  assert.equal(sharedMode(reader, { FLECHE_SHARED_MODE: 'write' }), { reads: false, writes: false });
});

test('a signing key that is none is an error that says where it is named, and does not show it', () => {
  const spec = shared(...HTTP, SIGNED, 'mode = "read-write"', 'signing_key_env = "KEY"');
  try {
    openTier(spec, { env: { KEY: 'hunter2' }, strict: false, onTrouble: () => {} });
    assert.unreachable();
  } catch (error) {
    const { describe } = error as ConfigErrors;
    const text = describe.call(error);
    assert.match(text, /fleche\.config\.toml:3:\d+.*"shared".*not a private Ed25519 key/);
    assert.not.match(text, 'hunter2');
  }
});

test.run();
