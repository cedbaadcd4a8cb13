/** What a finished task hands to those that need it: digests first, contents on demand. */
import { asDigest, type Digest, type Key } from '../../base/hash.ts';
import { productDigest } from '../../call/lineage.ts';
import type { Tree } from '../../files/trees/tree.ts';
import type { StoredValue } from '../../store/record.ts';

export interface Product {
  /** What a function returned; null for a command. */
  readonly value: StoredValue | null;
  /** What it wrote; null if it declares no outputs. */
  readonly outputs: Tree | null;
  /** What enters the fingerprints of dependents: the value's digest, the tree's, or one of both; null for neither. */
  readonly result: Digest | null;
}

export function product(value: StoredValue | null, outputs: Tree | null): Product {
  return { value, outputs, result: productDigest(value?.digest ?? null, outputs?.digest ?? null) };
}

/** What dependents see of a service: how it is started, for there is nothing else to see. */
export function serviceProduct({ key }: { readonly key: Key }): Product {
  return { value: null, outputs: null, result: asDigest(key) };
}
