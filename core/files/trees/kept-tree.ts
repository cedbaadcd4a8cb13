/**
 * Trees out of the bytes of blobs. One that comes from elsewhere is looked through when it comes, and read once more a
 * moment later, when it is used: those that were read last are remembered for as long as somebody has them.
 */
import type { Digest } from '../../base/hash.ts';
import { parseTree, type Tree } from './tree.ts';

/** So many are remembered: as those of all tasks may come before the first of them is used. */
const MOST = 4096;
const known = new Map<Digest, WeakRef<Tree>>();

/** The tree of bytes that were verified to have this digest; undefined for none, or for bytes that are no tree. */
export function keptTree(digest: Digest, bytes: Uint8Array | undefined): Tree | undefined {
  if (bytes === undefined) return undefined;
  const tree = known.get(digest)?.deref() ?? read(digest, bytes);
  if (tree === undefined) return undefined;
  known.delete(digest);
  known.set(digest, new WeakRef(tree));
  const [oldest] = known.size > MOST ? known.keys() : [];
  if (oldest !== undefined) known.delete(oldest);
  return tree;
}

function read(digest: Digest, bytes: Uint8Array): Tree | undefined {
  try {
    return parseTree(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(), digest);
  } catch {
    // Another format version, or a record that names something else than a tree.
    return undefined;
  }
}
