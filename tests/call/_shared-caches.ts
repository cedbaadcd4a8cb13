/** A cache of every kind that processes can share. */
import { join } from 'node:path';
import { Cache } from '../../core/call/caches/cache.ts';
import { LocalCache } from '../../core/call/caches/local-cache.ts';
import { FolderCallStore } from '../../core/store/folder/folder-calls.ts';
import { FolderValueStore } from '../../core/store/folder/folder-values.ts';
import { SqlCallStore } from '../../core/store/sql/sql-calls.ts';

/** Opens them in a folder. */
export function sharedCaches(root: string): Readonly<Record<string, Cache>> {
  return {
    files: new Cache(new FolderValueStore({ root: join(root, 'v') }), new FolderCallStore({ root: join(root, 'c') })),
    sqlite: new Cache(
      new FolderValueStore({ root: join(root, 'w') }),
      new SqlCallStore({ path: join(root, 'calls.db') }),
    ),
    lmdb: new LocalCache(join(root, 'lmdb')),
  };
}
