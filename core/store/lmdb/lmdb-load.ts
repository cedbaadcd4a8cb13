/**
 * The one place that loads the `lmdb` package. Loading costs about 20 ms, so it happens when a store is opened, not when
 * a module is imported; the CommonJS form is the cheaper one and can be had at once. A build that carries the package
 * inside replaces this file.
 */
import { createRequire } from 'node:module';

/** The package's exports. Throws what `require` throws, for one on a platform without a prebuilt binary. */
export function loadLmdb(): typeof import('lmdb') {
  return createRequire(import.meta.url)('lmdb');
}
