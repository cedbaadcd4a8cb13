/**
 * Makes caches of their descriptions, each once, when it is first asked for. Where memoised functions get their caches
 * from when a configuration says so.
 */
import { FlecheError } from '../../base/errors.ts';
import { suggest } from '../../base/nearest.ts';
import type { BaseCache } from '../../call/caches/base-cache.ts';
import { Cache } from '../../call/caches/cache.ts';
import { SizeLimitedCache } from '../../call/caches/limited.ts';
import { LocalCache } from '../../call/caches/local-cache.ts';
import { CacheStack } from '../../call/caches/stack.ts';
import { ReadOnlyCache } from '../../call/caches/views.ts';
import type { CacheResolver } from '../../call/context.ts';
import { COLLECTORS, type Collector } from '../../call/metadata.ts';
import { sideOfCache } from '../../call/shared/local-side.ts';
import { SharedStack } from '../../call/shared/shared-stack.ts';
import type { CallStore, SyncCallStore } from '../../store/calls.ts';
import { isCodecName, type ValueCodec, valueCodec } from '../../store/codecs/value-codec.ts';
import { CompressedValueStore } from '../../store/compressed.ts';
import type { Compression } from '../../store/compression.ts';
import { FolderCallStore } from '../../store/folder/folder-calls.ts';
import { FolderValueStore } from '../../store/folder/folder-values.ts';
import { Hdf5ValueStore } from '../../store/hdf5/hdf5-values.ts';
import { openLmdb } from '../../store/lmdb/lmdb.ts';
import { MemoryCallStore, MemoryValueStore } from '../../store/memory.ts';
import { PostgresCallStore } from '../../store/sql/postgres.ts';
import { SqlCallStore } from '../../store/sql/sql-calls.ts';
import { sqlitePath } from '../../store/sql/sqlite-path.ts';
import type { SyncValueStore, ValueStore } from '../../store/values.ts';
import { VoidCallStore, VoidValueStore } from '../../store/void.ts';
import type {
  CacheSpec,
  PairCacheSpec,
  SharedCacheSpec,
  SingleCacheSpec,
  StackCacheSpec,
  StorageSpec,
} from '../config/caches/cache-spec.ts';
import type { Settings } from '../config/settings.ts';
import type { Environment } from '../terminal/style.ts';
import { TierLine } from './shared-line.ts';

export class ConfiguredCaches implements CacheResolver {
  readonly #settings: Settings;
  readonly #warn: (message: string) => void;
  readonly #env: Environment;
  readonly #made = new Map<string, BaseCache>();

  /** `warn` is told of trouble with a cache that is no error; `env` has what shared caches need to know in secret. */
  constructor(settings: Settings, warn: (message: string) => void, env: Environment = {}) {
    this.#settings = settings;
    this.#env = env;
    this.#warn = warn;
  }

  /** Throws `CONFIG_UNKNOWN_CACHE`, `CONFIG_INVALID` for a storage that cannot be what it is to be, `STORE_UNUSABLE`. */
  named(name: string): BaseCache {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const { caches } = this.#settings;
    const spec = caches.get(name);
    if (spec === undefined) {
      throw new FlecheError('CONFIG_UNKNOWN_CACHE', `there is no cache "${name}"`, {
        hint: suggest(name, caches.keys()),
      });
    }
    const made = this.#make(spec);
    this.#made.set(name, made);
    return made;
  }

  standard(): BaseCache {
    return this.named(this.#settings.defaults.cache);
  }

  collectors(): readonly Collector[] {
    return this.#settings.defaults.metadata.flatMap((name) => COLLECTORS[name] ?? []);
  }

  #make(spec: CacheSpec): BaseCache {
    if (spec.kind === 'stack') return this.#stack(spec);
    if (spec.kind === 'shared') return this.#sharing(new Cache(new MemoryValueStore(), new MemoryCallStore()), [spec]);
    const cache = this.#makeOne(spec);
    return spec.readOnly ? new ReadOnlyCache(cache) : cache;
  }

  #stack({ members }: StackCacheSpec): BaseCache {
    const specs = members.map((name) => this.#settings.caches.get(name));
    const shared = specs.filter((spec) => spec?.kind === 'shared');
    const local = members.filter((_, at) => specs[at]?.kind !== 'shared').map((name) => this.named(name));
    // Without a cache of this machine what comes is kept as long as the process lives.
    const front = new CacheStack(local.length > 0 ? local : [this.named('memory')]);
    return shared.length > 0 ? this.#sharing(front, shared) : front;
  }

  #sharing(local: BaseCache, shared: readonly SharedCacheSpec[]): BaseCache {
    const { strict } = this.#settings.defaults;
    const line = new TierLine(shared, {
      env: this.#env,
      strict,
      onTrouble: this.#warn,
      side: () => sideOfCache(local),
    });
    return new SharedStack(local, line);
  }

  #makeOne(spec: SingleCacheSpec | PairCacheSpec): BaseCache {
    if (spec.kind === 'single' && spec.storage.type === 'Lmdb' && spec.maxSize === undefined) {
      return new LocalCache(folderOf(spec.storage), { codec: codecOf(spec.storage), onTrouble: this.#warn });
    }
    const stores = spec.kind === 'single' ? this.#both(spec.storage) : this.#pair(spec);
    return spec.maxSize === undefined ? new Cache(stores.values, stores.calls, stores.codec) : limited(spec, stores);
  }

  #both(storage: StorageSpec): Stores {
    if (storage.type === 'Lmdb') return { ...this.#lmdb(storage), codec: codecOf(storage) };
    return { values: this.#values(storage), calls: this.#calls(storage), codec: codecOf(storage) };
  }

  #pair({ values, calls }: PairCacheSpec): Stores {
    return { values: this.#values(values), calls: this.#calls(calls), codec: codecOf(values) };
  }

  #lmdb(storage: StorageSpec): { readonly values: SyncValueStore; readonly calls: SyncCallStore } {
    return openLmdb(folderOf(storage), { onTrouble: this.#warn });
  }

  #values(storage: StorageSpec): ValueStore {
    switch (storage.type) {
      case 'Memory':
        return new MemoryValueStore();
      case 'Void':
        return new VoidValueStore();
      case 'Lmdb':
        return this.#lmdb(storage).values;
      case 'File':
      case 'PickleFile':
      case 'CloudpickleFile':
      case 'DillFile':
        return new FolderValueStore({ root: folderOf(storage) });
      case 'BagOfHoldingH5File':
        return new Hdf5ValueStore({ root: folderOf(storage) });
      case 'CompressedStorage':
        return new CompressedValueStore(this.#values(innerOf(storage)), compressionOf(storage));
      default:
        throw unfit(storage, 'cannot keep values');
    }
  }

  #calls(storage: StorageSpec): CallStore {
    switch (storage.type) {
      case 'Memory':
        return new MemoryCallStore();
      case 'Void':
        return new VoidCallStore();
      case 'Lmdb':
        return this.#lmdb(storage).calls;
      case 'File':
      case 'PickleFile':
      case 'CloudpickleFile':
      case 'DillFile':
        return new FolderCallStore({
          root: folderOf(storage),
          format: storage.options['codec'] === 'json' ? 'json' : 'fleche',
        });
      case 'Sql':
        return sqlCalls(storage);
      default:
        throw unfit(storage, 'cannot keep calls');
    }
  }
}

interface Stores {
  readonly values: ValueStore;
  readonly calls: CallStore;
  readonly codec: ValueCodec;
}

function limited(spec: SingleCacheSpec | PairCacheSpec, { values, calls }: Stores): BaseCache {
  if (!isSync(values) || !isSync(calls)) {
    throw new FlecheError('CONFIG_INVALID', `the cache "${spec.name}" cannot have a max_size`, {
      at: spec.at,
      hint: 'Only local storages can be kept within a size.',
    });
  }
  return new SizeLimitedCache(values as SyncValueStore, calls as SyncCallStore, { maxBytes: spec.maxSize ?? 0 });
}

/** Whether a store answers at once. */
function isSync(store: ValueStore | CallStore): boolean {
  return !(
    store instanceof Hdf5ValueStore ||
    store instanceof PostgresCallStore ||
    store instanceof CompressedValueStore
  );
}

function sqlCalls(storage: StorageSpec): CallStore {
  const { url } = storage;
  if (url === undefined) throw unfit(storage, 'needs a url');
  if (/^postgres(?:ql)?:/.test(url)) return new PostgresCallStore({ url });
  const path = sqlitePath(url);
  if (path === undefined) throw unfit(storage, `has no database at "${url}"`);
  return new SqlCallStore({ path });
}

function folderOf(storage: StorageSpec): string {
  if (storage.root === undefined) throw unfit(storage, 'needs a root');
  return storage.root;
}

function innerOf(storage: StorageSpec): StorageSpec {
  if (storage.inner === undefined) throw unfit(storage, 'needs an inner storage');
  return storage.inner;
}

const COMPRESSIONS: readonly Compression[] = ['gzip', 'brotli', 'zstd'];

function compressionOf(storage: StorageSpec): Compression {
  const name = storage.options['compression'] ?? 'gzip';
  const found = COMPRESSIONS.find((known) => known === name);
  if (found !== undefined) return found;
  throw new FlecheError('CONFIG_INVALID', `there is no compression "${String(name)}"`, {
    at: storage.optionAt('compression'),
    hint: suggest(String(name), COMPRESSIONS),
  });
}

function codecOf(storage: StorageSpec): ValueCodec {
  const name = storage.options['codec'] ?? 'fleche';
  if (typeof name === 'string' && isCodecName(name)) return valueCodec(name);
  throw new FlecheError('CONFIG_INVALID', `there is no codec "${String(name)}"`, {
    at: storage.optionAt('codec'),
    hint: 'Known: fleche, v8, json, msgpack.',
  });
}

function unfit(storage: StorageSpec, why: string): FlecheError {
  return new FlecheError('CONFIG_INVALID', `the storage "${storage.type}" ${why}`, {
    at: storage.at,
    hint: 'See the storages and their keys in the guide.',
  });
}
