import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../core/base/errors.ts';
import { importPeer, requirePeer } from '../../core/store/peer.ts';

const missing = (error: unknown, name: string): boolean =>
  error instanceof FlecheError && error.code === 'PEER_MISSING' && error.hint === `npm install ${name}`;

test('a package that is not installed is an error that says how to get it', async () => {
  assert.throws(
    () => requirePeer('no-such-package', 'a test'),
    (error: unknown) => missing(error, 'no-such-package') && /a test needs the package/.test(String(error)),
  );
  const failure = await importPeer('@no/such-package/part', 'a test').catch((error: unknown) => error);
  assert.ok(missing(failure, '@no/such-package'));
});

test('a package that is installed is loaded', async () => {
  assert.type((requirePeer('msgpackr', 'a test') as { Packr: unknown }).Packr, 'function');
  assert.type(((await importPeer('h5wasm', 'a test')) as { File: unknown }).File, 'function');
});

test.run();
