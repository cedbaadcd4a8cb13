/** Stores that keep nothing: what `cache = "void"` turns caching off with. Every lookup is a miss, every listing empty. */
import type { Digest, Key } from '../base/hash.ts';
import type { SyncCallStore } from './calls.ts';
import type { CallRecord } from './record.ts';
import type { BlobInfo, SyncValueStore } from './values.ts';

export class VoidValueStore implements SyncValueStore {
  readonly location: undefined;

  has(_digest: Digest): boolean {
    return false;
  }

  get(_digest: Digest): undefined {}

  put(_digest: Digest, _bytes: Uint8Array): void {}

  delete(_digest: Digest): boolean {
    return false;
  }

  alias(_value: Digest, _blob: Digest): void {}

  target(_value: Digest): undefined {}

  unalias(_value: Digest): boolean {
    return false;
  }

  list(): readonly BlobInfo[] {
    return [];
  }

  aliases(): readonly (readonly [Digest, Digest])[] {
    return [];
  }

  matching(): readonly Digest[] {
    return [];
  }

  flush(): void {}

  close(): void {}
}

export class VoidCallStore implements SyncCallStore {
  readonly location: undefined;

  get(_key: Key): undefined {}

  put(_record: CallRecord): void {}

  delete(_key: Key): boolean {
    return false;
  }

  deleteAll(_keys: Iterable<Key>): number {
    return 0;
  }

  find(): readonly CallRecord[] {
    return [];
  }

  matching(): readonly Key[] {
    return [];
  }

  count(): number {
    return 0;
  }

  flush(): void {}

  close(): void {}
}
