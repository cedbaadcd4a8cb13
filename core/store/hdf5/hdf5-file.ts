/**
 * One HDF5 file of values, to be read. In it, `/values/<digest>` is a blob as a dataset of unsigned bytes, its attribute
 * `touched` says when it was last put (ms since the epoch), and `/names/<value digest>` is a soft link to the blob that
 * encodes a value.
 */
import { type Digest, isDigest } from '../../base/hash.ts';
import type { Entity, Hdf5, OpenFile } from './hdf5-library.ts';

export const VALUES = '/values';
export const NAMES = '/names';
export const TOUCHED = 'touched';
export const FORMAT_NAME = 'fleche';
/** Changes whenever the places in the file do. */
export const FORMAT = 1;

/** A file as it was when it was opened: later changes are in another file of the same name. */
export class Hdf5File {
  readonly values: ReadonlySet<Digest>;
  readonly names: ReadonlySet<Digest>;
  readonly #library: Hdf5;
  readonly #file: OpenFile;

  /** Throws if it is not there, damaged at its root, or not such a file. */
  constructor(library: Hdf5, path: string) {
    this.#library = library;
    this.#file = new library.File(path, 'r');
    try {
      if (this.#file.get_attribute(FORMAT_NAME, false) !== FORMAT) throw new Error('not a file of values');
      this.values = this.#keys(VALUES);
      this.names = this.#keys(NAMES);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #keys(group: string): ReadonlySet<Digest> {
    return new Set(new this.#library.Group(this.#file.file_id, group).keys().filter(isDigest));
  }

  /** The bytes of a blob, unverified; undefined if it is not there or cannot be read. */
  read(digest: Digest): Uint8Array | undefined {
    if (!this.values.has(digest)) return undefined;
    try {
      const { value } = this.#dataset(digest);
      return value instanceof Uint8Array ? value : undefined;
    } catch {
      return undefined;
    }
  }

  /** When a blob was put, ms since the epoch; 0 if that cannot be read. */
  touched(digest: Digest): number {
    try {
      return Number(this.#dataset(digest).get_attribute(TOUCHED, false));
    } catch {
      return 0;
    }
  }

  /** Where a name leads, whether or not that is there. */
  target(name: Digest): Digest | undefined {
    if (!this.names.has(name)) return undefined;
    try {
      const target = this.#file.get_link(`${NAMES}/${name}`).slice(VALUES.length + 1);
      return isDigest(target) ? target : undefined;
    } catch {
      return undefined;
    }
  }

  #dataset(digest: Digest): Entity {
    return new this.#library.Dataset(this.#file.file_id, `${VALUES}/${digest}`);
  }

  close(): void {
    try {
      this.#file.close();
    } catch {
      // Damaged, and closed as far as it could be.
    }
  }
}
