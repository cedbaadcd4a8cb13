/** The side of a shared tier that is on this machine: where answers are put that come, and taken from that go. */
import type { Awaitable } from '../../base/awaitable.ts';
import type { Digest, Key } from '../../base/hash.ts';
import type { ArrivingValues } from '../../store/arriving.ts';
import type { SyncCallStore } from '../../store/calls.ts';
import type { CallRecord } from '../../store/record.ts';
import type { PackName } from '../../store/remote/pack.ts';
import type { CacheCore } from '../caches/cache-core.ts';

/** A way of blobs that are too large for memory. */
interface FileWay {
  /** A path where no file is, on the file system of the store. */
  scratch(): string;
  /** Takes over a file whose content is verified, and maybe a second one of the same content, to be given out next. */
  adopt(path: string, blob: Digest, spare?: string): void;
  /** Whether a second file would be of use. */
  readonly takesSpares: boolean;
  /** Writes a blob to a new file; false if it is not to be had. */
  copyTo(blob: Digest, path: string): boolean;
}

export interface LocalSide {
  has(blob: Digest): Awaitable<boolean>;
  bytes(blob: Digest): Awaitable<Uint8Array | undefined>;
  /** Keeps verified bytes, which nobody changes any more, and what value they encode, if any. */
  keep(blob: Digest, bytes: Uint8Array, value: Digest | null): Awaitable<void>;
  /** The same for verified content of output files, which are likely to be written next. */
  arrive(blob: Digest, bytes: Uint8Array): Awaitable<void>;
  /** The same for all blobs of a pack, with the pack as it came; undefined where blobs are kept one by one. */
  readonly arriveInPack:
    | ((pack: PackName, bytes: Uint8Array, blobs: ReadonlyMap<Digest, Uint8Array>) => void)
    | undefined;
  file(record: CallRecord): Awaitable<unknown>;
  record(key: Key): Awaitable<CallRecord | undefined>;
  /** Undefined where everything goes through memory. */
  readonly files: FileWay | undefined;
}

/** The stores of a workspace. */
export function sideOfStores(values: ArrivingValues, calls: SyncCallStore): LocalSide {
  return {
    has: (blob) => values.has(blob),
    bytes: (blob) => values.get(blob),
    keep(blob, bytes, value) {
      values.putLasting(blob, bytes);
      if (value !== null) values.alias(value, blob);
    },
    arrive: (blob, bytes) => values.arrive(blob, bytes),
    arriveInPack: (pack, bytes, blobs) => values.putPack(pack, bytes, blobs),
    file: (record) => calls.put(record),
    record: (key) => calls.get(key),
    files: {
      scratch: values.room.path,
      get takesSpares() {
        return values.room.isNear;
      },
      adopt(path, blob, spare) {
        values.adopt(path, blob);
        if (spare !== undefined) values.spare(spare, blob);
      },
      copyTo: (blob, path) => values.copyTo(blob, path, 0o600) !== undefined,
    },
  };
}

/** A cache of memoised functions, whose values are in memory anyway. */
export function sideOfCache(cache: CacheCore): LocalSide {
  return {
    // A cache has no cheaper question.
    has: () => false,
    bytes: (blob) => cache.bytes(blob),
    keep: (blob, bytes, value) => cache.keepBytes(blob, bytes, value),
    arrive: (blob, bytes) => cache.keepBytes(blob, bytes, null),
    arriveInPack: undefined,
    file: (record) => cache.file(record),
    record: (key) => cache.lookup(key),
    files: undefined,
  };
}
