/** What every local values store must do. Registers tests; the caller runs them. */
import { chmodSync, existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Digest, sha256 } from '../../core/base/hash.ts';
import { statKey } from '../../core/files/states/stat-key.ts';
import { type FileValueStore, PIECE } from '../../core/store/values.ts';
import { CASES } from './_record.ts';

/** A store under test, empty at first, with a clock that the test sets. */
export interface ValuesUnderTest {
  readonly store: FileValueStore;
  readonly clock: { now: number };
  /** Called between steps: a store with states between put and durable goes from one to the next. */
  readonly settle: () => void;
  readonly close: () => Promise<void> | void;
}

const HOUR = 3_600_000;
/** Sizes around every limit that a store might have. */
const SIZES = [0, 1, 100, 4096, 32_767, 32_768, 32_769, 70_000, 1_048_575, 1_048_576, 1_048_577, 2_500_000];

function bytesOf(size: number, salt = ''): Buffer {
  return Buffer.alloc(size, `${salt}${size} bytes `);
}

export function valuesContract(label: string, open: (folder: string) => ValuesUnderTest): void {
  /** One test with a store of its own and a folder for other files. */
  const check = (name: string, work: (under: ValuesUnderTest, folder: string) => void): void => {
    test(`${label}: ${name}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
      const under = open(join(folder, 'store'));
      try {
        work(under, folder);
      } finally {
        await under.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  };

  check('a blob of any size comes back', ({ store, settle }) => {
    for (const size of SIZES) {
      const digest = sha256(bytesOf(size));
      assert.equal(store.get(digest), undefined);
      assert.is(store.has(digest), false);
      store.put(digest, bytesOf(size));
      settle();
      assert.is(store.has(digest), true);
      assert.ok(bytesOf(size).equals(store.get(digest) ?? Buffer.from('absent')), `${size} bytes`);
    }
    const sizes = [...store.list()].map((info) => info.size).sort((a, b) => a - b);
    assert.equal(sizes, SIZES);
  });

  check(
    'bytes that nobody changes any more come back too, and those that somebody changes are the ones that were put',
    (under) => {
      const { store, settle } = under;
      for (const size of SIZES) {
        const [lasting, changing] = [bytesOf(size, 'lasting'), bytesOf(size, 'changing')];
        const digests = [sha256(lasting), sha256(changing)] as const;
        store.putLasting(digests[0], lasting);
        store.put(digests[1], changing);
        changing.fill(0);
        for (const step of [() => {}, settle]) {
          step();
          assert.ok(lasting.equals(store.get(digests[0]) ?? Buffer.from('absent')), `${size} bytes`);
          assert.ok(bytesOf(size, 'changing').equals(store.get(digests[1]) ?? Buffer.from('absent')), `${size} bytes`);
        }
      }
    },
  );

  check('a blob of any size comes back in pieces, as often as it is read', ({ store, settle }) => {
    for (const size of SIZES) {
      const digest = sha256(bytesOf(size));
      assert.is(store.pieces(digest), undefined);
      store.put(digest, bytesOf(size));
      settle();
      const pieces = store.pieces(digest) ?? [];
      for (let again = 0; again < 2; again++) {
        assert.ok(bytesOf(size).equals(Buffer.concat([...pieces])), `${size} bytes`);
        assert.ok([...pieces].every(({ length }) => length > 0 && length <= PIECE));
      }
    }
  });

  check('a file of any size is taken over, and is gone from where it was', ({ store, settle }, folder) => {
    for (const size of SIZES) {
      const bytes = bytesOf(size, 'adopted ');
      const path = join(folder, 'given');
      writeFileSync(path, bytes, { mode: 0o600 });
      store.adopt(path, sha256(bytes));
      settle();
      assert.is(existsSync(path), false);
      assert.ok(bytes.equals(store.get(sha256(bytes)) ?? Buffer.from('absent')), `${size} bytes`);
    }
  });

  check('a deleted blob is gone, once', ({ store, settle }) => {
    for (const size of [10, 50_000]) {
      const digest = sha256(bytesOf(size));
      store.put(digest, bytesOf(size));
      settle();
      assert.is(store.delete(digest), true);
      assert.is(store.delete(digest), false);
      assert.is(store.has(digest), false);
      settle();
      assert.is(store.get(digest), undefined);
      store.put(digest, bytesOf(size));
      settle();
      assert.is(store.has(digest), true);
    }
  });

  check('what becomes of the given buffer does not matter', ({ store, settle }) => {
    for (const size of [10, 50_000]) {
      const given = bytesOf(size);
      const digest = sha256(given);
      store.put(digest, given);
      given.fill(0);
      settle();
      assert.ok(bytesOf(size).equals(store.get(digest) ?? Buffer.from('absent')));
    }
  });

  check('bytes under a digest that is not theirs are never given out', ({ store, settle }, folder) => {
    for (const size of [10, 50_000, 2_500_000]) {
      const digest = sha256(`something else ${size}`);
      store.put(digest, bytesOf(size));
      settle();
      assert.is(store.copyTo(digest, join(folder, 'out'), 0o644), undefined);
      assert.is(existsSync(join(folder, 'out')), false);
      assert.is(store.get(digest), undefined);
      store.put(digest, bytesOf(size));
      settle();
      assert.is(store.pieces(digest), undefined);
    }
  });

  check('a blob that was found damaged can be put again', ({ store, settle }) => {
    const digest = sha256(bytesOf(10));
    store.put(digest, bytesOf(11));
    settle();
    assert.is(store.get(digest), undefined);
    store.put(digest, bytesOf(10));
    settle();
    assert.ok(bytesOf(10).equals(store.get(digest) ?? Buffer.from('absent')));
  });

  check('the last alias wins, and can be taken back', ({ store, settle }) => {
    const [value, first, second] = ['value', 'first', 'second'].map((text) => sha256(text)) as [Digest, Digest, Digest];
    assert.is(store.target(value), undefined);
    assert.is(store.unalias(value), false);
    store.alias(value, first);
    settle();
    assert.is(store.target(value), first);
    store.alias(value, second);
    settle();
    assert.is(store.target(value), second);
    assert.equal([...store.aliases()], [[value, second]]);
    assert.is(store.unalias(value), true);
    settle();
    assert.is(store.target(value), undefined);
    assert.is(store.unalias(value), false);
    assert.equal([...store.aliases()], []);
  });

  check('value digests are found by their beginning, sorted and limited', ({ store, settle }) => {
    const values = Array.from({ length: 700 }, (_, index) => sha256(`${index}`)).sort();
    for (const value of values) store.alias(value, sha256('blob'));
    settle();
    for (const prefix of ['', 'a', 'ab', 'f', values[3]?.slice(0, 9) ?? '', values[5] ?? '']) {
      assert.equal(
        store.matching(prefix, 1000),
        values.filter((value) => value.startsWith(prefix)),
      );
    }
    assert.equal(store.matching('', 3), values.slice(0, 3));
    assert.equal(store.matching('xyz', 3), []);
    assert.equal(store.matching(`${values[0]}0`, 3), []);
  });

  check('a put of what is there makes it young again', ({ store, clock, settle }, folder) => {
    for (const size of [10, 50_000, 2_500_000]) {
      const digest = sha256(bytesOf(size));
      const touched = (): number => [...store.list()].find((info) => info.digest === digest)?.touched ?? Number.NaN;
      const file = join(folder, `${size}`);
      writeFileSync(file, bytesOf(size));
      clock.now = 1_700_000_000_000;
      store.put(digest, bytesOf(size));
      settle();
      assert.is(touched(), clock.now);
      clock.now += 2 * HOUR;
      store.put(digest, bytesOf(size));
      settle();
      assert.is(touched(), clock.now, 'put');
      clock.now += 2 * HOUR;
      store.putFile(file);
      settle();
      assert.is(touched(), clock.now, 'putFile');
      clock.now += 2 * HOUR;
      store.putFile(file, digest);
      settle();
      assert.is(touched(), clock.now, 'putFile of what is expected');
      clock.now += 2 * HOUR;
      store.get(digest);
      store.has(digest);
      settle();
      assert.is(touched(), clock.now - 2 * HOUR, 'reading is not a use');
    }
  });

  check('a file is taken in under the digest of its content', ({ store, settle }, folder) => {
    for (const size of SIZES) {
      const file = join(folder, `${size}`);
      writeFileSync(file, bytesOf(size));
      assert.equal(store.putFile(file), { digest: sha256(bytesOf(size)), size });
      settle();
      assert.ok(bytesOf(size).equals(store.get(sha256(bytesOf(size))) ?? Buffer.from('absent')), `${size} bytes`);
    }
  });

  check('a file that is expected and there is not read', ({ store, settle }, folder) => {
    for (const size of [10, 50_000]) {
      const digest = sha256(bytesOf(size));
      const file = join(folder, 'file');
      assert.throws(
        () => store.putFile(join(folder, 'nowhere'), digest),
        (error: { code?: string }) => error.code === 'ENOENT',
      );
      writeFileSync(file, bytesOf(size));
      // Expected something else, and found what is there.
      assert.equal(store.putFile(file, sha256('other')), { digest, size });
      settle();
      assert.equal(store.putFile(join(folder, 'nowhere'), digest), { digest, size });
    }
  });

  check('a blob is copied to a new file with exactly the mode', ({ store, settle }, folder) => {
    const umask = process.umask(0o077);
    try {
      for (const [index, size] of SIZES.entries()) {
        const digest = sha256(bytesOf(size));
        const path = join(folder, `out-${size}`);
        const mode = index % 2 === 0 ? 0o755 : 0o644;
        assert.is(store.copyTo(digest, path, mode), undefined);
        store.put(digest, bytesOf(size));
        settle();
        const stats = store.copyTo(digest, path, mode);
        assert.equal(stats === undefined ? undefined : statKey(stats), statKey(lstatSync(path)));
        assert.ok(readFileSync(path).equals(bytesOf(size)));
        if (process.platform !== 'win32') assert.is(statSync(path).mode & 0o777, mode);
      }
    } finally {
      process.umask(umask);
    }
  });

  check('a copy never replaces a file, and can be changed without changing the blob', ({ store, settle }, folder) => {
    for (const size of [10, 50_000]) {
      const digest = sha256(bytesOf(size));
      const path = join(folder, `out-${size}`);
      store.put(digest, bytesOf(size));
      settle();
      writeFileSync(path, 'mine');
      assert.throws(
        () => store.copyTo(digest, path, 0o644),
        (error: { code?: string }) => error.code === 'EEXIST',
      );
      assert.is(readFileSync(path, 'utf8'), 'mine');
      assert.throws(
        () => store.copyTo(digest, join(folder, 'no', 'folder'), 0o644),
        (error: { code?: string }) => error.code === 'ENOENT',
      );
      rmSync(path);
      assert.is(store.copyTo(digest, path, 0o644)?.size, size);
      chmodSync(path, 0o644);
      writeFileSync(path, 'changed');
      assert.ok(bytesOf(size).equals(store.get(digest) ?? Buffer.from('absent')));
    }
  });

  test(`${label}: behaves like a map, whatever is done in whatever order`, async () => {
    const blobs = [bytesOf(0), bytesOf(1), bytesOf(2), bytesOf(40_000), bytesOf(40_001)];
    const index = fc.nat(blobs.length - 1);
    const step = fc.tuple(fc.constantFrom('put', 'delete', 'alias', 'unalias', 'settle'), index, index);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
        const { store, settle, close } = open(join(folder, 'store'));
        const there = new Set<number>();
        const aliased = new Map<number, number>();
        const digest = (at: number): Digest => sha256(blobs[at] as Buffer);
        for (const [what, one, other] of steps) {
          if (what === 'put') {
            store.put(digest(one), blobs[one] as Buffer);
            there.add(one);
          } else if (what === 'delete') assert.is(store.delete(digest(one)), there.delete(one));
          else if (what === 'alias') {
            store.alias(digest(one), digest(other));
            aliased.set(one, other);
          } else if (what === 'unalias') assert.is(store.unalias(digest(one)), aliased.delete(one));
          else settle();
          for (const at of blobs.keys()) {
            assert.is(store.has(digest(at)), there.has(at));
            const target = aliased.get(at);
            assert.is(store.target(digest(at)), target === undefined ? undefined : digest(target));
          }
        }
        for (const at of blobs.keys()) assert.is(store.get(digest(at)) !== undefined, there.has(at));
        assert.equal([...store.list()].map((info) => info.digest).sort(), [...there].map(digest).sort());
        await close();
        rmSync(folder, { recursive: true, force: true });
      }),
      { numRuns: Math.ceil(CASES / 3) },
    );
  });
}
