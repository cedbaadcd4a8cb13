/** Packs that are not compressed, made at once. */
import { type Digest, sha256 } from '../../core/base/hash.ts';
import type { Pack } from '../../core/store/remote/pack.ts';

export function plainPack(blobs: readonly (readonly [Digest, Uint8Array])[]): Pack {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const entries = blobs.flatMap(([digest, { length }]) => [Buffer.from(digest, 'hex'), number(length)]);
  const head = [Buffer.from('fleche-pack 1\n'), number(blobs.length), ...entries];
  const bytes = Buffer.concat([...head, ...blobs.map(([, content]) => content)]);
  return { digest: sha256(bytes), size: bytes.length, raw: bytes.length, bytes };
}
