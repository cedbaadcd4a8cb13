/**
 * A calls store in plain files: `<root>/ab/<key>.call` is a record. Several processes can share the folder. There is no
 * index: `find` reads every record, which is right for hundreds of calls and slow for many thousands.
 */
import type { Key } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import { type CallTerms, holds, newestFirst, type SyncCallStore } from '../calls.ts';
import { frozenRecord } from '../frozen.ts';
import { type CallRecord, decodeRecord, encodeRecord } from '../record.ts';
import { DigestFiles, plainLayout } from './digest-files.ts';
import type { FolderOptions } from './folder-values.ts';
import { recordFromJson, recordToJson } from './json-record.ts';

interface FolderCallOptions extends FolderOptions {
  /** How records are written: compact, or as JSON documents for people. Either form is read. Default `fleche`. */
  readonly format?: 'fleche' | 'json';
}

const OPENING_BRACE = 0x7b;

/** `put` and `delete` throw `STORE_UNUSABLE` when the disk is full, read-only or gone; reading never does. */
export class FolderCallStore implements SyncCallStore {
  readonly location: string;
  readonly #files: DigestFiles;
  readonly #format: 'fleche' | 'json';

  constructor({ root, format = 'fleche', now = Date.now }: FolderCallOptions) {
    this.location = root;
    this.#files = new DigestFiles(plainLayout(root), '.call', now);
    this.#format = format;
  }

  get(key: Key): CallRecord | undefined {
    const bytes = this.#files.read(key);
    const record = bytes === undefined ? undefined : recordOf(bytes);
    // A record under another's name was put there by hand.
    return record?.key === key ? record : undefined;
  }

  put(given: CallRecord): void {
    const record = frozenRecord(given);
    this.#files.write(record.key, this.#format === 'json' ? recordToJson(record) : encodeRecord(record));
  }

  delete(key: Key): boolean {
    return this.#files.delete(key);
  }

  deleteAll(keys: Iterable<Key>): number {
    let count = 0;
    for (const key of keys) if (this.delete(key)) count++;
    return count;
  }

  find(terms: CallTerms): Iterable<CallRecord> {
    const found: CallRecord[] = [];
    for (const key of this.#files.names()) {
      const record = this.get(key as Key);
      if (record !== undefined && holds(terms, record)) found.push(record);
    }
    return found.sort(newestFirst);
  }

  matching(prefix: string, limit: number): readonly Key[] {
    return [...this.#files.names(prefix)].sort(byCodeUnit).slice(0, limit) as Key[];
  }

  count(): number {
    let count = 0;
    for (const _ of this.#files.names()) count++;
    return count;
  }

  flush(): void {
    this.#files.sync();
  }

  close(): void {}
}

function recordOf(bytes: Uint8Array): CallRecord | undefined {
  if (bytes[0] !== OPENING_BRACE) return decodeRecord(bytes);
  return recordFromJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
}
