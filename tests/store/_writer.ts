/**
 * A process that writes into a store until it is done or killed: `_writer.ts <store> <place> <name> <count>`. What has
 * been put is told line by line.
 */
import { writeSync } from 'node:fs';
import { sha256 } from '../../core/base/hash.ts';
import { FolderCallStore } from '../../core/store/folder/folder-calls.ts';
import { FolderValueStore } from '../../core/store/folder/folder-values.ts';
import { Hdf5ValueStore } from '../../core/store/hdf5/hdf5-values.ts';
import { SqlCallStore } from '../../core/store/sql/sql-calls.ts';
import { blobOf } from './_processes.ts';
import { aRecord } from './_record.ts';

const [store = '', place = '', name = '', count = '0'] = process.argv.slice(2);

async function putter(): Promise<(salt: string) => void> {
  if (store === 'values') {
    const values = new FolderValueStore({ root: place });
    return (salt) => {
      values.put(sha256(blobOf(salt)), blobOf(salt));
      values.alias(sha256(salt), sha256(blobOf(salt)));
    };
  }
  if (store.startsWith('hdf5')) {
    const values = new Hdf5ValueStore({ root: place });
    await values.ready();
    return (salt) => {
      values.put(sha256(blobOf(salt)), blobOf(salt));
      values.alias(sha256(salt), sha256(blobOf(salt)));
      if (store === 'hdf5') values.flush();
    };
  }
  const calls = store === 'sql' ? new SqlCallStore({ path: place }) : new FolderCallStore({ root: place });
  return (salt) => calls.put(aRecord({ salt }));
}

const put = await putter();
writeSync(1, 'ready\n');
for (let at = 0; at < Number(count); at++) {
  put(`${name} ${at}`);
  writeSync(1, `${name} ${at}\n`);
}
