/** Names of values as small files: `<folder>/ab/<value digest>.alias` holds the digest of the blob that encodes it. */
import { type Digest, isDigest } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import type { Layout } from '../layout.ts';
import { DigestFiles } from './digest-files.ts';

/** The aliases of a values store in plain files; what its contract says of aliases holds here. */
export class AliasFiles {
  readonly #files: DigestFiles;

  constructor(layout: Layout, now: () => number) {
    this.#files = new DigestFiles(layout, '.alias', now);
  }

  set(value: Digest, blob: Digest): void {
    if (this.target(value) !== blob) this.#files.write(value, `${blob}\n`);
  }

  target(value: Digest): Digest | undefined {
    const bytes = this.#files.read(value);
    if (bytes === undefined) return undefined;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1').trimEnd();
    return isDigest(text) ? text : undefined;
  }

  delete(value: Digest): boolean {
    return this.#files.delete(value);
  }

  *list(): Generator<readonly [Digest, Digest], void, undefined> {
    for (const value of this.#files.names()) {
      const blob = this.target(value);
      if (blob !== undefined) yield [value, blob];
    }
  }

  matching(prefix: string, limit: number): readonly Digest[] {
    return [...this.#files.names(prefix)].sort(byCodeUnit).slice(0, limit);
  }

  sync(): void {
    this.#files.sync();
  }
}
