/** The public interface of fleche: what programs and plugins import. Everything else may change between releases. */

import { isCachingWanted, libraryCaches, libraryHost } from './app/library.ts';
import { setCacheResolver } from './call/context.ts';
import { setShelfHost } from './call/shelves/manager.ts';
import { caching } from './call/switch.ts';

export { watch } from './app/library.ts';
export type { Awaitable } from './base/awaitable.ts';
export { digest } from './base/digest.ts';
export { type AnyClass, type ClassCodec, DIGEST, type Digestible, registerClass } from './base/digestible.ts';
export { type DigestibleOptions, digestible } from './base/digestible-class.ts';
export { type ErrorCode, FlecheError, type SourcePosition } from './base/errors.ts';
export { asDigest, type Digest, isDigest, type Key, sha256 } from './base/hash.ts';
export { Ref } from './base/ref.ts';
export { BaseCache } from './call/base-cache.ts';
export { Cache } from './call/cache.ts';
export type { CacheCore, Found, Records } from './call/cache-core.ts';
export { type CacheResolver, cache, meta, project, type Restorable, setCacheResolver, tags } from './call/context.ts';
export type { CacheMode, CallOptions } from './call/controls.ts';
export { D } from './call/d.ts';
export type { Entry, EntryState, Stats } from './call/entries.ts';
export type { PartChange } from './call/explain.ts';
export { fleche, type MethodDecorator, memoised } from './call/fleche.ts';
export type { FreshnessOptions, FreshnessState } from './call/freshness.ts';
export type { AnyFunction, CodeMode } from './call/function-identity.ts';
export { collectGarbage, type GcOptions, type GcReport } from './call/gc.ts';
export type { Invalidatable, InvalidatedCall, InvalidateOptions, Invalidation } from './call/invalidation.ts';
export { type Call, LazyArguments, LazyCall, type Signature } from './call/lazy-call.ts';
export { type Limits, SizeLimitedCache } from './call/limited.ts';
export { LocalCache, type LocalCacheOptions } from './call/local-cache.ts';
export type {
  Explanation,
  FlecheOptions,
  Helpers,
  Memoised,
  OrRef,
  PendingCall,
  QueryOptions,
} from './call/memoised.ts';
export {
  type CallFacts,
  CallInfo,
  type Collector,
  Environment,
  type Fields,
  Git,
  Runtime,
  Tags,
} from './call/metadata.ts';
export {
  type CallOutcome,
  type FunctionMetrics,
  LATENCY_BOUNDS,
  type Latency,
  type Metrics,
  type MetricsSnapshot,
  type MetricsSummary,
  metrics,
} from './call/metrics.ts';
export { type ObservingMeter, observeMetrics } from './call/opentelemetry.ts';
export { prometheusText } from './call/prometheus.ts';
export { QueryIterator } from './call/query.ts';
export { ANY, type MetadataTemplate, type Outcome, QueryCall, type QueryTemplate } from './call/query-call.ts';
export { type FunctionName, type RenameReport, rename } from './call/rename.ts';
export { ReservedCaches } from './call/reserved-caches.ts';
export { AUTOSYNC, type Band } from './call/shelves/edit-ages.ts';
export type { Clearable, Dependency, Dependent, Edge, Source } from './call/shelves/graph.ts';
export { type Manager, type ManagerOptions, manager } from './call/shelves/manager.ts';
export type { Filling, ShelfOptions, StandardSchema, Transform, Validate } from './call/shelves/options.ts';
export type { Conflict } from './call/shelves/rest.ts';
export { Shelf } from './call/shelves/shelf.ts';
export type { ShelfEvent, ShelfEvents } from './call/shelves/signals.ts';
export { CachePool, CacheStack } from './call/stack.ts';
export { caching } from './call/switch.ts';
export { type Row, Table, type TableOptions } from './call/table.ts';
export {
  type Look,
  type Seen,
  type Sight,
  type TracedAnswer,
  type TracedCall,
  TracedCalls,
  type TracedOptions,
} from './call/traced.ts';
export { type TransferOptions, type TransferReport, transfer } from './call/transfer.ts';
export { FilteredCache, ReadOnlyCache, RefreshingCache } from './call/views.ts';
export { FileRef, TreeRef } from './files/refs.ts';
export { file, glob, type SourceOptions, tree } from './files/sources.ts';
export type { Loop } from './graph/loop-guard.ts';
export type { OutcomeKind, Reason, RunEvent, RunSummary, TaskOutcome } from './graph/outcome.ts';
export type { RoundCause, WatchEvent, Watcher, WatchListener, WatchOptions, WatchRound } from './graph/watch-events.ts';
export type { CallStore, CallTerms, SyncCallStore } from './store/calls.ts';
export { CompressedValueStore } from './store/compressed.ts';
export type { Compression } from './store/compression.ts';
export { FolderCallStore } from './store/folder-calls.ts';
export { FolderValueStore } from './store/folder-values.ts';
export { Hdf5ValueStore } from './store/hdf5.ts';
export { type LmdbOptions, type LmdbStores, openLmdb } from './store/lmdb.ts';
export { MemoryCallStore, MemoryValueStore } from './store/memory.ts';
export { PostgresCallStore } from './store/postgres.ts';
export type { CallRecord, Failure, Json, Metadata, Part, PartKind, StoredValue } from './store/record.ts';
export { SqlCallStore } from './store/sql-calls.ts';
export { type CodecName, type ValueCodec, valueCodec } from './store/value-codec.ts';
export type { BlobInfo, FileValueStore, SyncValueStore, ValueStore } from './store/values.ts';
export { VoidCallStore, VoidValueStore } from './store/void.ts';

setCacheResolver(libraryCaches);
setShelfHost(libraryHost);
caching(isCachingWanted());
