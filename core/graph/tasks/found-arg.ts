/** What an argument of a function task turned out to be. Plain data. */
import type { Digest } from '../../base/hash.ts';
import type { Tree } from '../../files/trees/tree.ts';

/** An argument of a function task, found but not loaded. */
export type FoundArg =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'stored'; readonly blob: Digest }
  | { readonly kind: 'tree'; readonly tree: Tree }
  | { readonly kind: 'file'; readonly tree: Tree }
  | { readonly kind: 'files'; readonly tree: Tree };
