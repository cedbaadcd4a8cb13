/** The stores that a workspace is given, in memory, with counters. */
import type { Stats } from 'node:fs';
import type { Digest } from '../../core/base/hash.ts';
import { MemoryStateStore, MemoryValueStore } from '../../core/store/memory.ts';

export class CountingState extends MemoryStateStore {
  puts = 0;
  flushes = 0;

  override put(name: string, bytes: Uint8Array): void {
    this.puts++;
    super.put(name, bytes);
  }

  override flush(): void {
    this.flushes++;
    super.flush();
  }
}

/** Blobs in `damaged` are there until their bytes are asked for. */
export class CountingValues extends MemoryValueStore {
  readonly damaged: Set<Digest> = new Set();
  /** Blobs that were copied out. */
  given = 0;

  override copyTo(digest: Digest, path: string, mode: number): Stats | undefined {
    if (this.damaged.has(digest)) return undefined;
    this.given++;
    return super.copyTo(digest, path, mode);
  }
}
