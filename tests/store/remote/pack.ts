/** Packs that are not what they say: whoever made one may have signed for it, too. */
import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Digest, sha256 } from '../../../core/base/hash.ts';
import { byCodeUnit } from '../../../core/base/order.ts';
import {
  deal,
  isPackName,
  MAX_PACK,
  makePack,
  type PackName,
  packOf,
  unpack,
} from '../../../core/store/remote/pack.ts';
import { faultOf } from './_remotes.ts';

const BLOBS = Array.from({ length: 20 }, (_, at) => Buffer.from(`content ${at} `.repeat(at * 10)))
  .map((bytes): readonly [Digest, Buffer] => [sha256(bytes), bytes])
  .sort(([a], [b]) => byCodeUnit(a, b));

/** What a pack would be called whose text is this. */
function named(plain: Uint8Array): readonly [PackName, Uint8Array] {
  const bytes = gzipSync(plain);
  return [{ digest: sha256(bytes), size: bytes.length, raw: plain.length }, bytes];
}

async function plainPack(): Promise<Buffer> {
  const { bytes } = await makePack(BLOBS);
  return gunzipSync(bytes);
}

test('a pack gives back what was packed, compressed or not', async () => {
  for (const blobs of [BLOBS, BLOBS.map(() => randomBytes(500)).map((bytes) => [sha256(bytes), bytes] as const), []]) {
    const pack = await makePack(blobs);
    assert.ok(isPackName(pack));
    const found = await unpack(pack, pack.bytes);
    assert.equal(
      [...found.keys()],
      blobs.map(([digest]) => digest),
    );
    for (const [digest, bytes] of blobs) assert.ok(bytes.equals(found.get(digest) ?? Buffer.of()));
  }
});

test('a blob that is in a pack twice is given once; twice under one digest with different contents, it is damaged', async () => {
  const [[digest, bytes] = [sha256(''), Buffer.of()]] = BLOBS;
  const pack = await makePack([...BLOBS, [digest, bytes]]);
  const found = await unpack(pack, pack.bytes);
  assert.is(found.size, BLOBS.length);
  assert.ok(bytes.equals(found.get(digest) ?? Buffer.of()));
  const lie = await makePack([...BLOBS, [digest, Buffer.from('another')]]);
  assert.is(await faultOf(unpack(lie, lie.bytes)), 'bad');
});

test('a pack that is cut off, has something behind it, or in which any byte is another one, is damaged', async () => {
  const plain = await plainPack();
  const lies = [plain.subarray(0, 10), plain.subarray(0, -1), Buffer.concat([plain, Buffer.of(0)]), Buffer.of()];
  for (let at = 0; at < plain.length; at += 97) {
    const changed = Buffer.from(plain);
    changed[at] = (changed[at] ?? 0) ^ 1;
    lies.push(changed);
  }
  for (const count of [0, BLOBS.length - 1, BLOBS.length + 1, 0xff_ff_ff_ff]) {
    const changed = Buffer.from(plain);
    changed.writeUInt32BE(count, 'fleche-pack 1\n'.length);
    lies.push(changed);
  }
  for (const lie of lies) assert.is(await faultOf(unpack(...named(lie))), 'bad', `${lie.length} bytes`);
});

test('a pack that unpacks to more or to less than it says is damaged', async () => {
  const [name, bytes] = named(await plainPack());
  for (const raw of [name.raw - 1, name.raw + 1, name.size + 1]) {
    assert.is(await faultOf(unpack({ ...name, raw }, bytes)), 'bad', String(raw));
  }
  assert.is(await faultOf(unpack(name, bytes.subarray(0, -9))), 'bad');
});

test('no name of a pack promises too much', () => {
  assert.ok(isPackName({ size: 1000, raw: 200_000 }));
  for (const [size, raw] of [
    [1000, 200_001],
    [1000, 999],
    [MAX_PACK, MAX_PACK + 1],
    [0, 1],
  ] as const) {
    assert.not.ok(isPackName({ size, raw }), `${size} of ${raw}`);
  }
});

test('who knows how many packs there are knows where a blob is', () => {
  const sizes = new Map(Array.from({ length: 3000 }, (_, at) => [sha256(String(at)), at] as const));
  const packs = deal(sizes);
  assert.is(packs.length, 16);
  for (const [at, digests] of packs.entries()) {
    for (const digest of digests) assert.is(packOf(digest, packs.length), at);
  }
  assert.is(packs.flat().length, sizes.size);
});

test.run();
