import { test } from 'uvu';
import { openLmdb } from '../../core/store/lmdb/lmdb.ts';
import { MemoryCallStore } from '../../core/store/memory.ts';
import { type CallsUnderTest, callsContract } from './_calls.ts';

callsContract('memory', () => ({ store: new MemoryCallStore(), settle: () => {}, close: () => {} }));

function lmdb(root: string, settle: 'flush' | 'nothing'): CallsUnderTest {
  const { calls, flush, close } = openLmdb(root, {
    onTrouble: (message) => {
      throw new Error(message);
    },
  });
  return { store: calls, settle: settle === 'flush' ? flush : () => {}, close };
}

callsContract('lmdb', (root) => lmdb(root, 'flush'));
callsContract('lmdb before its commit', (root) => lmdb(root, 'nothing'));

test.run();
