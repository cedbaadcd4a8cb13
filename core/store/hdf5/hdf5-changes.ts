/** What is to become of an HDF5 file of values: gathered until there is time to write. */
import type { Digest } from '../../base/hash.ts';

export class Changes {
  /** Blobs that are to be there. One that is there already stays as it is, unless it is also in `deleted`. */
  readonly put: Map<Digest, Uint8Array> = new Map();
  /** When blobs were put, ms since the epoch. */
  readonly touched: Map<Digest, number> = new Map();
  readonly deleted: Set<Digest> = new Set();
  /** The blob each name is to lead to; undefined takes the name away. */
  readonly names: Map<Digest, Digest | undefined> = new Map();
  #bytes = 0;

  /** Sum of what is to be put. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.put.size + this.touched.size + this.deleted.size + this.names.size === 0;
  }

  add(digest: Digest, bytes: Uint8Array, now: number): void {
    this.put.set(digest, bytes);
    this.touched.set(digest, now);
    this.#bytes += bytes.length;
  }

  remove(digest: Digest): void {
    this.#bytes -= this.put.get(digest)?.length ?? 0;
    this.put.delete(digest);
    this.touched.delete(digest);
    this.deleted.add(digest);
  }
}
