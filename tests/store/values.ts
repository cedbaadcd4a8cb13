import { test } from 'uvu';
import { openLmdb } from '../../core/store/lmdb/lmdb.ts';
import { MemoryValueStore } from '../../core/store/memory.ts';
import { type ValuesUnderTest, valuesContract } from './_values.ts';

valuesContract('memory', () => {
  const clock = { now: 0 };
  return { store: new MemoryValueStore(() => clock.now), clock, settle: () => {}, close: () => {} };
});

function lmdb(root: string, settle: 'flush' | 'nothing'): ValuesUnderTest {
  const clock = { now: 0 };
  const stores = openLmdb(root, {
    now: () => clock.now,
    onTrouble: (message) => {
      throw new Error(message);
    },
  });
  const { values: store, flush, close } = stores;
  return { store, clock, settle: settle === 'flush' ? flush : () => {}, close };
}

valuesContract('lmdb', (root) => lmdb(root, 'flush'));
valuesContract('lmdb before its commit', (root) => lmdb(root, 'nothing'));

test.run();
