/** Lets a values store without files of its own take the tests of one that has them. */
import { readFileSync, rmSync } from 'node:fs';
import { type Digest, sha256 } from '../../core/base/hash.ts';
import { writeNewFile } from '../../core/store/file-bytes.ts';
import { type BlobInfo, type FileValueStore, piecesOf, type SyncValueStore } from '../../core/store/values.ts';

/** The store with the operations on files added; sizes in its listing are those of the content. */
export function asFileStore(store: SyncValueStore): FileValueStore {
  return {
    location: store.location,
    has: (digest) => store.has(digest),
    get: (digest) => store.get(digest),
    put: (digest, bytes) => store.put(digest, bytes),
    putLasting: (digest, bytes) => store.put(digest, bytes),
    delete: (digest) => store.delete(digest),
    alias: (value, blob) => store.alias(value, blob),
    target: (value) => store.target(value),
    unalias: (value) => store.unalias(value),
    *list(): Generator<BlobInfo> {
      for (const info of store.list()) yield { ...info, size: store.get(info.digest)?.length ?? -1 };
    },
    aliases: () => store.aliases(),
    matching: (prefix, limit) => store.matching(prefix, limit),
    flush: () => store.flush(),
    close: () => store.close(),
    putFile(path: string, expected?: Digest) {
      const known = expected === undefined ? undefined : store.get(expected);
      if (known !== undefined && expected !== undefined) {
        store.put(expected, known);
        return { digest: expected, size: known.length };
      }
      const bytes = readFileSync(path);
      const digest = sha256(bytes);
      store.put(digest, bytes);
      return { digest, size: bytes.length };
    },
    pieces(digest) {
      const bytes = store.get(digest);
      return bytes && piecesOf(bytes);
    },
    copyTo(digest, path, mode) {
      const bytes = store.get(digest);
      return bytes === undefined ? undefined : writeNewFile(path, mode, bytes);
    },
    adopt(path, digest) {
      store.put(digest, readFileSync(path));
      rmSync(path);
    },
  };
}
