/**
 * What a cache is to be, as the configuration says it: plain descriptions with every path resolved. Knows neither the
 * stores that will be made of them nor whether what they name is there.
 */
import type { SourcePosition } from '../../../base/errors.ts';
import type { AbsPath } from '../../../base/paths.ts';

/** One storage: the values or the calls of a cache, or both. */
export interface StorageSpec {
  /** The name of a storage type, such as `Lmdb`; one of those that the schema of the configuration lists. */
  readonly type: string;
  /** The folder, for types that keep files. */
  readonly root: AbsPath | undefined;
  /** The address, for types that have one. The path of an SQLite file is absolute: `sqlite:/home/me/calls.db`. */
  readonly url: string | undefined;
  /** The storage that this one wraps. */
  readonly inner: StorageSpec | undefined;
  /** All other keys, as they are written; the type decides what they mean. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Where the storage is described; undefined for one that is built in. */
  readonly at: SourcePosition | undefined;
  /** Where an option is written, for errors about it. */
  readonly optionAt: (name: string) => SourcePosition | undefined;
}

interface NamedSpec {
  readonly name: string;
  /** Where the cache is defined; undefined for one that is built in. */
  readonly at: SourcePosition | undefined;
}

interface StoredSpec extends NamedSpec {
  /** Bytes that the cache may keep, or undefined for no limit. */
  readonly maxSize: number | undefined;
  readonly readOnly: boolean;
}

/** Values and calls in one storage. */
export interface SingleCacheSpec extends StoredSpec {
  readonly kind: 'single';
  readonly storage: StorageSpec;
}

/** Values and calls each in a storage of their own. */
export interface PairCacheSpec extends StoredSpec {
  readonly kind: 'pair';
  readonly values: StorageSpec;
  readonly calls: StorageSpec;
}

/** Other caches, read in order; none of them is a stack. Those that are shared may stand anywhere but alone. */
export interface StackCacheSpec extends NamedSpec {
  readonly kind: 'stack';
  readonly members: readonly string[];
}

/** A cache that machines share. It has its place in a stack, behind one of this machine. */
export interface SharedCacheSpec extends NamedSpec {
  readonly kind: 'shared';
  readonly place:
    | { readonly type: 'Directory'; readonly root: AbsPath }
    | { readonly type: 'Http'; readonly url: string; readonly auth: 'bearer' | 'basic' }
    | { readonly type: 'Redis'; readonly url: string };
  readonly reads: boolean;
  readonly writes: boolean;
  /** Empty for none. */
  readonly namespace: string;
  /** Names of variables. */
  readonly namespaceEnv: string | undefined;
  readonly signingKeyEnv: string | undefined;
  readonly producerEnv: string | undefined;
  readonly tokenEnv: string | undefined;
  /** A command that prints the token. */
  readonly tokenHelper: string | undefined;
  /** Whose signatures count; undefined where unsigned answers are believed. */
  readonly publicKeys: readonly string[] | undefined;
  readonly require: boolean;
  /** Bytes. */
  readonly maxAnswer: number;
  /** ms. */
  readonly exitMs: number;
  readonly connectMs: number;
  readonly timeoutMs: number;
}

export type CacheSpec = SingleCacheSpec | PairCacheSpec | StackCacheSpec | SharedCacheSpec;
