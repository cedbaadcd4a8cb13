/** The public interface of fleche: what programs and plugins import. Everything else may change between releases. */
import { isCachingWanted, libraryCaches, libraryCode, libraryHost } from './app/library.ts';
import { setCacheResolver } from './call/context.ts';
import { setCodeFinder } from './call/memo/function/code-finder.ts';
import { setShelfHost } from './call/shelves/manager.ts';
import { caching } from './call/switch.ts';

export { run, watch } from './app/library.ts';
export type { Awaitable } from './base/awaitable.ts';
export { digest } from './base/digest.ts';
export { type AnyClass, type ClassCodec, DIGEST, type Digestible, registerClass } from './base/digestible.ts';
export { type DigestibleOptions, digestible } from './base/digestible-class.ts';
export { type ErrorCode, FlecheError, type SourcePosition } from './base/errors.ts';
export { asDigest, type Digest, isDigest, type Key, sha256 } from './base/hash.ts';
export { type AbsPath, toAbs } from './base/paths.ts';
export { Ref } from './base/ref.ts';
export { BaseCache } from './call/caches/base-cache.ts';
export { Cache, type CollectOptions } from './call/caches/cache.ts';
export type { CacheCore, Found, Records } from './call/caches/cache-core.ts';
export { collectGarbage, type GcOptions, type GcReport } from './call/caches/gc.ts';
export type { Invalidatable, InvalidatedCall, InvalidateOptions, Invalidation } from './call/caches/invalidation.ts';
export { type Limits, SizeLimitedCache } from './call/caches/limited.ts';
export { LocalCache, type LocalCacheOptions } from './call/caches/local-cache.ts';
export { type FunctionName, type RenameReport, rename } from './call/caches/rename.ts';
export { ReservedCaches } from './call/caches/reserved-caches.ts';
export { CachePool, CacheStack } from './call/caches/stack.ts';
export { type TransferOptions, type TransferReport, transfer } from './call/caches/transfer.ts';
export { FilteredCache, ReadOnlyCache, RefreshingCache } from './call/caches/views.ts';
export {
  type CacheResolver,
  cache,
  chosenCache,
  meta,
  project,
  type Restorable,
  setCacheResolver,
  tags,
} from './call/context.ts';
export { D } from './call/d.ts';
export type { PartChange } from './call/explain.ts';
export type { InvalidationListener } from './call/follower.ts';
export type { CacheMode, CallOptions } from './call/memo/answering/controls.ts';
export type { FreshnessOptions, FreshnessState } from './call/memo/answering/freshness.ts';
export type { Entry, EntryState, Stats } from './call/memo/entries.ts';
export { fleche, type MethodDecorator, memoised } from './call/memo/fleche.ts';
export type { AnyFunction, CodeMode } from './call/memo/function/function-identity.ts';
export type {
  Explanation,
  Feeder,
  FlecheOptions,
  Helpers,
  Memoised,
  OrRef,
  PendingCall,
  QueryOptions,
} from './call/memo/memoised.ts';
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
} from './call/metrics/metrics.ts';
export { type ObservingMeter, observeMetrics } from './call/metrics/opentelemetry.ts';
export { prometheusText } from './call/metrics/prometheus.ts';
export { type Call, LazyArguments, LazyCall, type Signature } from './call/query/lazy-call.ts';
export { QueryIterator } from './call/query/query.ts';
export { ANY, type MetadataTemplate, type Outcome, QueryCall, type QueryTemplate } from './call/query/query-call.ts';
export { type Row, Table, type TableOptions } from './call/query/table.ts';
export type { Conflict } from './call/shelves/backing/backing.ts';
export type { Clearable, Dependency, Dependent, Edge, Source } from './call/shelves/dependents/graph.ts';
export { type Manager, type ManagerOptions, manager } from './call/shelves/manager.ts';
export type { Filling, ShelfOptions, StandardSchema, Transform, Validate } from './call/shelves/options.ts';
export { AUTOSYNC, type Band } from './call/shelves/saving/edit-ages.ts';
export { Shelf } from './call/shelves/shelf.ts';
export type { ShelfEvent, ShelfEvents } from './call/shelves/signals.ts';
export { caching } from './call/switch.ts';
export {
  type Look,
  type Seen,
  type Sight,
  type TracedAnswer,
  type TracedCall,
  TracedCalls,
  type TracedOptions,
} from './call/traced/traced.ts';
export { file, glob, type SourceOptions, tree } from './files/code/sources.ts';
export { readTsconfig, type Tsconfig } from './files/code/tsconfig.ts';
export { FileRef, TreeRef } from './files/refs.ts';
export type { TaskContext } from './graph/functions/function-protocol.ts';
export type { Made, Run, RunOptions } from './graph/run-once.ts';
export type { ItemCounts, OutcomeKind, Reason, RunEvent, RunSummary, TaskOutcome } from './graph/tasks/outcome.ts';
export type { Loop } from './graph/watch/loop-guard.ts';
export type { Reads } from './graph/watch/reads.ts';
export type {
  RoundCause,
  WatchEvent,
  Watcher,
  WatchListener,
  WatchOptions,
  WatchRound,
} from './graph/watch/watch-events.ts';
export type { CallStore, CallTerms, SyncCallStore } from './store/calls.ts';
export { type CodecName, type ValueCodec, valueCodec } from './store/codecs/value-codec.ts';
export { CompressedValueStore } from './store/compressed.ts';
export type { Compression } from './store/compression.ts';
export { FolderCallStore } from './store/folder/folder-calls.ts';
export { FolderValueStore } from './store/folder/folder-values.ts';
export { Hdf5ValueStore } from './store/hdf5/hdf5-values.ts';
export { type LmdbOptions, type LmdbStores, openLmdb } from './store/lmdb/lmdb.ts';
export { MemoryCallStore, MemoryValueStore } from './store/memory.ts';
export type { CallRecord, Failure, Json, Metadata, Part, PartKind, StoredValue } from './store/record.ts';
export { PostgresCallStore } from './store/sql/postgres.ts';
export { SqlCallStore } from './store/sql/sql-calls.ts';
export type { BlobInfo, FileValueStore, SyncValueStore, ValueStore } from './store/values.ts';
export { VoidCallStore, VoidValueStore } from './store/void.ts';

setCacheResolver(libraryCaches);
setCodeFinder(libraryCode);
setShelfHost(libraryHost);
caching(isCachingWanted());
