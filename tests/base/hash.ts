import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { FlecheError } from '../../core/base/errors.ts';
import { asDigest, asKey, isDigest, Sha256, sha256 } from '../../core/base/hash.ts';

test('the hash is SHA-256, as the standard has it', () => {
  assert.is(sha256(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  assert.is(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.is(sha256('a'.repeat(1_000_000)), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
});

test('text is hashed as UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.is(sha256(text), sha256(Buffer.from(text, 'utf8')));
    }),
  );
});

test('the way content is cut into pieces does not matter', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.uint8Array(), fc.string())), (pieces) => {
      const hash = new Sha256();
      for (const piece of pieces) hash.update(piece);
      assert.is(hash.digest(), sha256(Buffer.concat(pieces.map((piece) => Buffer.from(piece as Uint8Array)))));
    }),
  );
});

test('a digest is 64 lower-case hexadecimal characters', () => {
  const digest = sha256('');
  assert.ok(isDigest(digest));
  assert.is(asDigest(digest), digest);
  assert.is(asKey(digest), digest);
  for (const text of [
    '',
    digest.slice(1),
    `${digest}0`,
    digest.toUpperCase(),
    `${digest.slice(1)}g`,
    `${digest.slice(1)}\n`,
  ]) {
    assert.not.ok(isDigest(text), text);
    assert.throws(
      () => asDigest(text),
      (error: FlecheError) => error.code === 'DIGEST_UNKNOWN',
    );
  }
});

test.run();
