/** The fingerprint of a call, and its key: the digest of the parts' names and digests in their order, and of nothing else. */
import { type Digest, frame, type Key, sha256 } from '../base/hash.ts';
import type { Part, PartKind } from '../store/record.ts';

export interface Fingerprint {
  readonly parts: readonly Part[];
  readonly key: Key;
}

/** One part. `blob` is where its content can be read again, if it was kept. */
export function part(kind: PartKind, name: string, digest: Digest, blob: Digest | null = null): Part {
  return { name, kind, digest, blob };
}

/** The text that a key digests for one part; exported so that a fixed prefix can be prepared once. */
export function partText(name: string, digest: Digest): string {
  return frame(name) + digest;
}

/** The key of prepared part texts, concatenated. Format version 1. */
export function keyOfText(count: number, text: string): Key {
  return sha256(`f1k${count}[${text}]`) as Key;
}

/** Closes a fingerprint. Part names must be unique. */
export function fingerprint(parts: readonly Part[]): Fingerprint {
  let text = '';
  for (const { name, digest } of parts) text += partText(name, digest);
  return { parts, key: keyOfText(parts.length, text) };
}
