/**
 * A state store in plain files, for what is too little for a database and may be lost at any time. Each file has a
 * checksum and its own name in front, so that one that was damaged or moved is absent. What cannot be written is not
 * remembered.
 */
import { type Digest, frame, sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import type { StateStore } from '../state.ts';
import { DigestFiles, plainLayout } from './digest-files.ts';

const CHECKSUM_BYTES = 8;

export class FolderState implements StateStore {
  readonly #files: DigestFiles;

  /** `root` is made when something is put; `now` is ms since the epoch. */
  constructor(root: string, now: () => number = Date.now) {
    this.#files = new DigestFiles(plainLayout(root), '.state', now);
  }

  get(name: string): Uint8Array | undefined {
    const head = headOf(name);
    const body = this.#body(sha256(name));
    return body?.subarray(0, head.length).equals(head) ? body.subarray(head.length) : undefined;
  }

  put(name: string, bytes: Uint8Array): void {
    const body = Buffer.concat([headOf(name), bytes]);
    this.#try(() => this.#files.write(sha256(name), Buffer.concat([checksumOf(body), body])));
  }

  delete(name: string): void {
    this.#try(() => this.#files.delete(sha256(name)));
  }

  names(prefix: string): Iterable<string> {
    const names: string[] = [];
    for (const file of this.#files.names()) {
      const name = nameIn(this.#body(file));
      if (name?.startsWith(prefix) && sha256(name) === file) names.push(name);
    }
    return names.sort(byCodeUnit);
  }

  flush(): void {}

  #body(file: Digest): Buffer | undefined {
    const bytes = this.#files.read(file);
    if (bytes === undefined) return undefined;
    const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const body = whole.subarray(CHECKSUM_BYTES);
    return checksumOf(body).equals(whole.subarray(0, CHECKSUM_BYTES)) ? body : undefined;
  }

  #try(work: () => unknown): void {
    try {
      work();
    } catch {
      // A disk that is full or for reading only: what was to be remembered is found out again.
    }
  }
}

/** The framed name, as JSON since UTF-8 does not hold every text. */
function headOf(name: string): Buffer {
  return Buffer.from(frame(JSON.stringify(name)));
}

function nameIn(body: Buffer | undefined): string | undefined {
  const text = body?.toString() ?? '';
  const colon = text.indexOf(':');
  return colon < 0
    ? undefined
    : (JSON.parse(text.slice(colon + 1, colon + 1 + Number(text.slice(0, colon)))) as string);
}

function checksumOf(body: Buffer): Buffer {
  return Buffer.from(sha256(body).slice(0, 2 * CHECKSUM_BYTES), 'hex');
}
