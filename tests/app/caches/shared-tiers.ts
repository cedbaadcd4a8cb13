/** Tiers as they are made of their descriptions, over folders. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TierLine } from '../../../core/app/caches/shared-line.ts';
import { openTier } from '../../../core/app/caches/shared-tiers.ts';
import type { SharedCacheSpec } from '../../../core/app/config/caches/cache-spec.ts';
import { type AbsPath, toAbs } from '../../../core/base/paths.ts';
import { type LocalSide, sideOfStores } from '../../../core/call/shared/local-side.ts';
import { ArrivingValues } from '../../../core/store/arriving.ts';
import { MemoryCallStore, MemoryValueStore } from '../../../core/store/memory.ts';
import { inNewFolder } from '../../_new-folder.ts';
import { fileDigests, type KeyPair, keyPair, taskRecord } from '../../call/shared/_tiers.ts';

function spec(name: string, root: AbsPath, over: Partial<SharedCacheSpec> = {}): SharedCacheSpec {
  return {
    kind: 'shared',
    name,
    at: { file: 'fleche.config.toml', line: 1, column: 1 },
    place: { type: 'Directory', root: toAbs(root, name) },
    reads: true,
    writes: true,
    namespace: '',
    namespaceEnv: undefined,
    signingKeyEnv: undefined,
    producerEnv: undefined,
    tokenEnv: undefined,
    tokenHelper: undefined,
    publicKeys: undefined,
    require: false,
    maxAnswer: 1e9,
    exitMs: 10_000,
    connectMs: 1000,
    timeoutMs: 1000,
    ...over,
  };
}

interface Local {
  readonly values: MemoryValueStore;
  readonly calls: MemoryCallStore;
  readonly side: LocalSide;
}

/** Files in the making. */
let made = 0;

function local(root: string): Local {
  const values = new MemoryValueStore();
  const calls = new MemoryCallStore();
  const scratch = (): string => join(root, 'scratch', String(made++));
  return { values, calls, side: sideOfStores(new ArrivingValues(values, { path: scratch, isNear: true }), calls) };
}

test('what printed a token that a helper gave, a part of a key or a password is not sent', () =>
  inNewFolder(async (root) => {
    const { privateKey } = keyPair();
    const middle = privateKey.split('\n')[1] ?? '';
    const described = spec('team', root, {
      tokenHelper: 'printf reader:password-of-a-helper',
      signingKeyEnv: 'KEY',
      publicKeys: [keyPair().publicKey],
    });
    const troubles: string[] = [];
    const onTrouble = (message: string): void => void troubles.push(message);
    const tier = openTier(described, { env: { KEY: privateKey }, strict: false, onTrouble });
    const here = local(root);
    for (const printed of ['reader:password-of-a-helper', 'password-of-a-helper', middle]) {
      tier?.push(taskRecord(here, `said ${printed}`, { a: 'a' }), here.side);
    }
    tier?.push(taskRecord(here, 'said nothing of it', { a: 'a' }), here.side);
    await tier?.flush(10_000);
    assert.equal([tier?.report.stored, tier?.report.unstored], [1, 3]);
    assert.not.match(troubles.join('\n'), /password-of|MC4/);
    await tier?.close(1000);
  }));

test('a key that signs and that readers with this configuration do not know is told', () =>
  inNewFolder(async (root) => {
    const [old, current] = [keyPair(), keyPair()];
    const told = (publicKeys: readonly string[], writes = true): number => {
      const troubles: string[] = [];
      const described = spec('team', root, { signingKeyEnv: 'KEY', publicKeys, writes });
      const onTrouble = (message: string): void => void troubles.push(message);
      openTier(described, { env: { KEY: old.privateKey }, strict: false, onTrouble });
      return troubles.length;
    };
    assert.is(told([old.publicKey, current.publicKey]), 0);
    assert.is(told([current.publicKey]), 1);
    assert.is(told([current.publicKey], false), 0, 'nothing is sent with it');
    assert.is(told([]), 0, 'who only writes need not know who reads');
  }));

/** A line of a near and a far tier, whose signers are known by these keys. */
function line(
  root: AbsPath,
  { side }: Local,
  near: readonly KeyPair[],
  far: readonly KeyPair[],
  own: KeyPair,
): TierLine {
  const keys = (pairs: readonly KeyPair[]): Partial<SharedCacheSpec> => ({
    signingKeyEnv: 'KEY',
    publicKeys: pairs.map(({ publicKey }) => publicKey),
  });
  const specs = [spec('near', root, keys(near)), spec('far', root, { ...keys(far), writes: far.includes(own) })];
  const onTrouble = (message: string): void => assert.unreachable(message);
  return new TierLine(specs, { env: { KEY: own.privateKey }, strict: false, onTrouble, side: () => side });
}

const records = (root: AbsPath, name: string): number => {
  const found = readdirSync(root).includes(name) ? readdirSync(join(root, name)) : [];
  return found.includes('ac') ? readdirSync(join(root, name, 'ac')).length : 0;
};

test('an answer from further back goes to the nearer tier once it is whole, if its maker is believed there', () =>
  inNewFolder(async (root) => {
    const [trusted, stranger] = [keyPair(), keyPair()];
    const contents = { 'out/a': 'a'.repeat(100_000), 'out/b': 'b' };
    const maker = local(root);
    const record = taskRecord(maker, 'made', contents);
    const far = openTier(spec('far', root, { signingKeyEnv: 'KEY', publicKeys: [trusted.publicKey] }), {
      env: { KEY: trusted.privateKey },
      strict: false,
      onTrouble: (message) => assert.unreachable(message),
    });
    far?.push(record, maker.side);
    await far?.close(10_000);

    const wary = local(root);
    const apart = line(root, wary, [stranger], [trusted], stranger);
    assert.is(await apart.ask(record.key), 'far');
    assert.is(await apart.bring(record.key, fileDigests(contents), 'place'), true);
    await apart.close();
    assert.is(records(root, 'near'), 0);

    const reader = local(root);
    const both = line(root, reader, [trusted], [trusted], trusted);
    assert.is(await both.ask(record.key), 'far');
    await both.sent();
    assert.is(records(root, 'near'), 0);
    assert.is(await both.bring(record.key, fileDigests(contents), 'place'), true);
    await both.close();
    assert.is(records(root, 'near'), 1);

    rmSync(join(root, 'far'), { recursive: true });
    const last = local(root);
    const again = line(root, last, [trusted], [trusted], trusted);
    assert.is(await again.ask(record.key), 'near');
    assert.is(await again.bring(record.key, fileDigests(contents), 'place'), true);
    await again.close();
  }));

test.run();
