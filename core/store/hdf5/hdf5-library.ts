/** The optional peer package `h5wasm`, HDF5 compiled to WebAssembly, as far as it is used here. Loaded once, when it is needed. */
import type { Awaitable } from '../../base/awaitable.ts';
import { importPeer } from '../peer.ts';

export interface Entity {
  readonly value?: unknown;
  get_attribute(name: string, json: false): unknown;
  create_attribute(name: string, data: number, shape: null, dtype: string): void;
  delete_attribute(name: string): number;
}

export interface Group extends Entity {
  keys(): string[];
  get_link(path: string): string;
  create_group(name: string): Group;
  create_dataset(options: { name: string; data: Uint8Array; dtype: string }): unknown;
  create_soft_link(target: string, name: string): number;
}

export interface OpenFile extends Group {
  readonly file_id: bigint;
  close(): number;
}

/** HDF5, loaded. */
export interface Hdf5 {
  readonly File: new (path: string, mode: 'r' | 'a' | 'w') => OpenFile;
  readonly Group: new (file: bigint, path: string) => Group;
  readonly Dataset: new (file: bigint, path: string) => Entity;
}

let loaded: Hdf5 | undefined;

/** The package if it is loaded. */
export function loadedHdf5(): Hdf5 | undefined {
  return loaded;
}

/** The package, at once if it is loaded. Rejects with `PEER_MISSING` without `h5wasm`. */
export function loadHdf5(): Awaitable<Hdf5> {
  return loaded ?? load();
}

async function load(): Promise<Hdf5> {
  const library = (await importPeer('h5wasm/node', 'an HDF5 values store')) as Hdf5 & {
    readonly ready: Promise<{ activate_throwing_error_handler(): number }>;
  };
  // Else it prints its errors.
  (await library.ready).activate_throwing_error_handler();
  loaded = library;
  return library;
}
