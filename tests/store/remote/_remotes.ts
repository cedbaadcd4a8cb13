/** What every remote store must do. Registers tests; the caller runs them. */
import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { asKey, type Digest, sha256 } from '../../../core/base/hash.ts';
import { contentOf, RemoteFault, type RemoteStore } from '../../../core/store/remote/remote.ts';
import { type Program, testWith } from './_servers.ts';

export interface RemotesUnderTest {
  /** Another client of the same server, such as another machine would have; closed by the test's end. */
  readonly open: (namespace?: string) => RemoteStore;
}

const LIMIT = 1 << 30;

/** In both ways, which must give the same. */
async function read(store: RemoteStore, digest: Digest, limit: number = LIMIT): Promise<Buffer | undefined> {
  const pieces: Uint8Array[] = [];
  const isThere = await store.stream(digest, { limit }, (piece) => {
    pieces.push(piece);
    // Some answers are taken at once, others later.
    return pieces.length % 2 === 0 ? undefined : turn();
  });
  const streamed = isThere ? Buffer.concat(pieces) : undefined;
  const bytes = await store.get(digest, { limit });
  assert.is(bytes === undefined, streamed === undefined);
  if (bytes !== undefined) assert.ok(streamed?.equals(bytes));
  return streamed;
}

export async function faultOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof RemoteFault) return error.kind;
    throw error;
  }
  throw new Error('nothing went wrong');
}

export function remotesContract(
  label: string,
  programs: readonly Program[],
  within: (use: (under: RemotesUnderTest) => Promise<void>) => Promise<void>,
): void {
  const check = (name: string, work: (under: RemotesUnderTest) => Promise<void>): void =>
    testWith(programs, `${label}: ${name}`, () => within(work));

  check('a blob of any size comes back to another client, and one that is not there does not', async ({ open }) => {
    const [store, other] = [open(), open()];
    for (const size of [0, 1, 4096, 70_000, 3_000_000]) {
      const bytes = randomBytes(size);
      const digest = sha256(bytes);
      assert.is(await read(other, digest), undefined);
      await store.put(digest, contentOf(bytes));
      assert.ok(bytes.equals((await read(other, digest)) ?? Buffer.from('absent')), `${size} bytes`);
    }
    assert.is(await read(other, sha256('absent')), undefined);
  });

  check('a purge takes what is in the namespace, and nothing of others', async ({ open }) => {
    const [own, inner, like, root] = [open('trusted'), open('trusted/pr'), open('trusted-too'), open()];
    const key = asKey(sha256('key'));
    const bytes = Buffer.from('bytes');
    for (const store of [own, inner, like, root]) {
      await store.put(sha256(bytes), contentOf(bytes));
      await store.putRecord(key, bytes);
    }
    await own.purge();
    const left = async (store: RemoteStore): Promise<readonly boolean[]> => [
      (await read(store, sha256(bytes))) !== undefined,
      (await store.getRecord(key, { limit: LIMIT })) !== undefined,
    ];
    assert.equal(await left(own), [false, false]);
    for (const store of [inner, like, root]) assert.equal(await left(store), [true, true]);
    await own.put(sha256(bytes), contentOf(bytes));
    assert.equal(await left(own), [true, false]);
  });

  check('many blobs are asked for as one question', async ({ open }) => {
    const store = open();
    const all = Array.from({ length: 600 }, (_, at) => Buffer.from(`blob ${at}`));
    const kept = all.filter((_, at) => at % 20 === 0);
    await Promise.all(kept.map((bytes) => store.put(sha256(bytes), contentOf(bytes))));
    const found = await store.has(all.map((bytes) => sha256(bytes)));
    assert.equal([...found].sort(), kept.map((bytes) => sha256(bytes) as string).sort());
    assert.is((await store.has([])).size, 0);
  });

  check('content that comes in pieces arrives whole', async ({ open }) => {
    const pieces = Array.from({ length: 50 }, () => randomBytes(10_000));
    const whole = Buffer.concat(pieces);
    const store = open();
    await store.put(sha256(whole), {
      size: whole.length,
      async *open() {
        yield* pieces;
      },
    });
    assert.ok(whole.equals((await read(store, sha256(whole))) ?? Buffer.from('absent')));
  });

  check('a blob that is there already is put without complaint, by two at once too', async ({ open }) => {
    const [store, other] = [open(), open()];
    const bytes = randomBytes(200_000);
    await Promise.all([store.put(sha256(bytes), contentOf(bytes)), other.put(sha256(bytes), contentOf(bytes))]);
    await store.put(sha256(bytes), contentOf(bytes));
    assert.ok(bytes.equals((await read(other, sha256(bytes))) ?? Buffer.from('absent')));
  });

  check('a record comes back, and the last one stands', async ({ open }) => {
    const [store, other] = [open(), open()];
    const key = asKey(sha256('key'));
    assert.is(await other.getRecord(key, { limit: LIMIT }), undefined);
    await store.putRecord(key, Buffer.from('first'));
    await store.putRecord(key, Buffer.from('second'));
    assert.is(Buffer.from((await other.getRecord(key, { limit: LIMIT })) ?? '').toString(), 'second');
  });

  check('two first writers of a record at once leave one of the two, whole', async ({ open }) => {
    const [store, other] = [open(), open()];
    const key = asKey(sha256('key'));
    const [one, two] = [Buffer.alloc(100_000, 'one'), Buffer.alloc(90_000, 'two')];
    await Promise.all([store.putRecord(key, one), other.putRecord(key, two)]);
    const found = Buffer.from((await store.getRecord(key, { limit: LIMIT })) ?? '');
    assert.ok(found.equals(one) || found.equals(two));
  });

  check('namespaces see nothing of one another', async ({ open }) => {
    const [trusted, pull] = [open('trusted'), open('pr/17')];
    const bytes = Buffer.from('of a pull request');
    const key = asKey(sha256('key'));
    await pull.put(sha256(bytes), contentOf(bytes));
    await pull.putRecord(key, bytes);
    assert.is(await trusted.getRecord(key, { limit: LIMIT }), undefined);
    assert.is((await trusted.has([sha256(bytes)])).size, 0);
    assert.is(Buffer.from((await open('pr/17').getRecord(key, { limit: LIMIT })) ?? '').toString(), bytes.toString());
  });

  check('what is longer than expected is a bad answer', async ({ open }) => {
    const store = open();
    const bytes = randomBytes(10_000);
    const key = asKey(sha256('key'));
    await store.put(sha256(bytes), contentOf(bytes));
    await store.putRecord(key, bytes);
    assert.is(await faultOf(read(store, sha256(bytes), 9999)), 'bad');
    assert.is(await faultOf(store.getRecord(key, { limit: 9999 })), 'bad');
    assert.ok(bytes.equals((await read(store, sha256(bytes), 10_000)) ?? Buffer.from('absent')));
  });

  check('it answers when asked whether it is there', async ({ open }) => {
    await open().ping();
  });
}
