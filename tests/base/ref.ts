import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { FlecheError } from '../../core/base/errors.ts';
import { sha256 } from '../../core/base/hash.ts';
import { Ref } from '../../core/base/ref.ts';

test('a complete reference has a digest, a prefix has none', () => {
  const digest = sha256('a');
  assert.is(new Ref(digest).digest, digest);
  assert.is(new Ref(digest.slice(0, 63)).digest, undefined);
  assert.is(new Ref('ca97').prefix, 'ca97');
});

test('upper and lower case name the same', () => {
  assert.is(new Ref(sha256('a').toUpperCase()).digest, sha256('a'));
});

test('what is no digest and no beginning of one is refused', () => {
  for (const text of ['', 'xyz', '0x12', `${sha256('a')}0`, 'ab cd']) {
    assert.throws(
      () => new Ref(text),
      (error: FlecheError) => error.code === 'DIGEST_UNKNOWN' && error.message.includes(`"${text}"`),
    );
  }
});

test('a reference is written as its prefix', () => {
  assert.is(String(new Ref('CAFE')), 'cafe');
  assert.is(JSON.stringify({ ref: new Ref('cafe') }), '{"ref":"cafe"}');
});

test.run();
