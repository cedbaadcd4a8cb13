/** Downloads to files: several of them whole, or none at all, whatever the server or the disk does. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../core/base/hash.ts';
import { downloadTo } from '../../../core/store/remote/download.ts';
import type { Taker } from '../../../core/store/remote/remote.ts';
import { RemoteFault } from '../../../core/store/remote/remote.ts';
import { onSmallDisk } from '../../_small-disk.ts';
import { withFolder } from '../_folders.ts';
import { MemoryRemote } from './_memory-remote.ts';

/** Gives every blob in pieces, and does `between` before each. */
class Piecemeal extends MemoryRemote {
  readonly #bytes: Uint8Array;
  readonly #piece: number;
  readonly #between: (at: number) => void;

  constructor(bytes: Uint8Array, piece: number, between: (at: number) => void = () => {}) {
    super();
    this.#bytes = bytes;
    this.#piece = piece;
    this.#between = between;
  }

  override async stream(_: unknown, __: unknown, take: Taker): Promise<boolean> {
    for (let at = 0; at < this.#bytes.length; at += this.#piece) {
      this.#between(at);
      await take(this.#bytes.subarray(at, at + this.#piece));
    }
    return true;
  }
}

const paths = (folder: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => join(folder, `f${at}`));
const expected = (bytes: Uint8Array): { digest: ReturnType<typeof sha256>; size: number } => ({
  digest: sha256(bytes),
  size: bytes.length,
});

test('content of any size, in pieces of any size, is in every file', async () => {
  for (const [size, piece] of [
    [0, 1],
    [1, 1],
    [5000, 1],
    [700_000, 1 << 16],
    [3_000_001, 999_983],
  ] as const) {
    await withFolder(async (folder) => {
      const bytes = randomBytes(size);
      assert.is(await downloadTo(paths(folder, 2), new Piecemeal(bytes, piece), expected(bytes)), true);
      for (const path of paths(folder, 2)) assert.ok(readFileSync(path).equals(bytes), `${size} in ${piece}`);
    });
  }
});

test('what is not there leaves nothing', () =>
  withFolder(async (folder) => {
    assert.is(await downloadTo(paths(folder, 2), new MemoryRemote(), expected(randomBytes(10))), false);
    assert.equal(readdirSync(folder), []);
  }));

test('content that is not what was expected, or is cut off, leaves nothing', () =>
  withFolder(async (folder) => {
    const bytes = randomBytes(2_000_000);
    const damaged = Buffer.from(bytes);
    damaged.writeUInt8(damaged.readUInt8(1_500_000) ^ 1, 1_500_000);
    const cut = (at: number): void => {
      if (at > 1_000_000) throw new RemoteFault('bad', 'cut off');
    };
    const lies = [
      new Piecemeal(damaged, 1 << 16),
      new Piecemeal(bytes.subarray(1), 1 << 16),
      new Piecemeal(Buffer.concat([bytes, Buffer.alloc(1)]), 1 << 16),
      new Piecemeal(bytes, 1 << 16, cut),
    ];
    const ends = await Promise.allSettled(
      lies.map((lie, at) => downloadTo([join(folder, `a${at}`), join(folder, `b${at}`)], lie, expected(bytes))),
    );
    for (const end of ends)
      assert.is(end.status === 'rejected' && end.reason instanceof RemoteFault && end.reason.kind, 'bad');
    assert.equal(readdirSync(folder), []);
  }));

test('a file that is there already is neither written to nor removed', () =>
  withFolder(async (folder) => {
    const [first = '', second = ''] = paths(folder, 2);
    writeFileSync(second, 'theirs');
    const bytes = randomBytes(100_000);
    await assertRejects(downloadTo([first, second], new Piecemeal(bytes, 1 << 16), expected(bytes)), 'EEXIST');
    assert.equal(readdirSync(folder), ['f1']);
    assert.is(readFileSync(second, 'utf8'), 'theirs');
  }));

test('a disk that is full in the middle of several leaves nothing half-written', () =>
  onSmallDisk(8, async (folder) => {
    const all = Array.from({ length: 6 }, () => randomBytes(1_500_000));
    const ends = await Promise.allSettled(
      all.map((bytes, at) => {
        const files = [join(folder, `a${at}`), join(folder, `b${at}`)];
        return downloadTo(files, new Piecemeal(bytes, 1 << 16), expected(bytes));
      }),
    );
    const whole = ends.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []));
    assert.ok(whole.length < all.length);
    assert.equal(readdirSync(folder).sort(), [...whole.map((at) => `a${at}`), ...whole.map((at) => `b${at}`)].sort());
    for (const at of whole) assert.ok(readFileSync(join(folder, `b${at}`)).equals(all[at] ?? Buffer.alloc(0)));
    for (const end of ends) if (end.status === 'rejected') assert.is((end.reason as { code?: unknown }).code, 'ENOSPC');
  }));

async function assertRejects(promise: Promise<unknown>, code: string): Promise<void> {
  const [end] = await Promise.allSettled([promise]);
  assert.is(end.status === 'rejected' && (end.reason as { code?: unknown }).code, code);
}

test.run();
