/**
 * A values store that keeps what it is given compressed in another one. Digests outside are those of the bytes as they
 * are; inside, a packed blob is filed under its own digest like any other, so that the inner store verifies what it
 * reads, and found by an alias. What comes out is verified again.
 *
 *     outside            inside
 *     blob d             blob p (packed d), alias d' → p
 *     alias v → d        alias v → d'
 *
 * d' is d with every bit turned over: the name of no blob, and of no value. So an alias that leads to a blob inside is
 * that of a blob outside, and every other is that of a value. The inner store must be this one's alone.
 */
import { type Awaitable, chain, isPromise } from '../base/awaitable.ts';
import { type Digest, sha256 } from '../base/hash.ts';
import { type Compression, packedDigest, packer, unpack } from './compression.ts';
import { type BlobInfo, type ValueStore, verified } from './values.ts';

type Pair = readonly [Digest, Digest];

export class CompressedValueStore implements ValueStore {
  readonly #inner: ValueStore;
  readonly #pack: (digest: Digest, bytes: Uint8Array) => Uint8Array;

  /** Throws `STORE_UNUSABLE` where this Node does not have the compression. */
  constructor(inner: ValueStore, compression: Compression) {
    this.#inner = inner;
    this.#pack = packer(compression);
  }

  get location(): string | undefined {
    return this.#inner.location;
  }

  has(digest: Digest): Awaitable<boolean> {
    return chain(this.#packed(digest), (packed) => packed !== undefined);
  }

  /** The blob inside that packs `digest`, if it is there. */
  #packed(digest: Digest): Awaitable<Digest | undefined> {
    return chain(this.#inner.target(turned(digest)), (packed) => {
      if (packed === undefined) return undefined;
      return chain(this.#inner.has(packed), (there) => (there ? packed : undefined));
    });
  }

  get(digest: Digest): Awaitable<Uint8Array | undefined> {
    return chain(this.#read(digest), ({ blob }) => {
      if (blob === undefined) return undefined;
      const bytes = verified(digest, unpack(blob));
      if (bytes !== undefined || packedDigest(blob) !== digest) return bytes;
      // What claims to be this blob is not: it must not keep a good one from being put.
      return chain(this.delete(digest), () => undefined);
    });
  }

  #read(digest: Digest): Awaitable<{ readonly packed?: Digest; readonly blob?: Uint8Array | undefined }> {
    return chain(this.#inner.target(turned(digest)), (packed) => {
      if (packed === undefined) return {};
      return chain(this.#inner.get(packed), (blob) => ({ packed, blob }));
    });
  }

  put(digest: Digest, bytes: Uint8Array): Awaitable<void> {
    return chain(this.#read(digest), ({ packed, blob }) => {
      // Putting what is there once more refreshes its age.
      if (packed !== undefined && blob !== undefined && packedDigest(blob) === digest) {
        return this.#inner.put(packed, blob);
      }
      const made = this.#pack(digest, bytes);
      const name = sha256(made);
      return chain(this.#inner.put(name, made), () => this.#inner.alias(turned(digest), name));
    });
  }

  delete(digest: Digest): Awaitable<boolean> {
    return chain(this.#packed(digest), (packed) => {
      // A leftover is listed under its own digest.
      if (packed === undefined) return this.#inner.delete(digest);
      return chain(this.#inner.unalias(turned(digest)), () => this.#inner.delete(packed));
    });
  }

  alias(value: Digest, blob: Digest): Awaitable<void> {
    return this.#inner.alias(value, turned(blob));
  }

  target(value: Digest): Awaitable<Digest | undefined> {
    return chain(this.#inner.target(value), (name) => (name === undefined ? undefined : turned(name)));
  }

  unalias(value: Digest): Awaitable<boolean> {
    return this.#inner.unalias(value);
  }

  /** Sizes are those of the packed blobs. Leftovers, which no alias leads to, are listed under their own digest. */
  list(): AsyncIterable<BlobInfo> | Iterable<BlobInfo> {
    return over(this.#inner, outerBlobs);
  }

  aliases(): AsyncIterable<Pair> | Iterable<Pair> {
    return over(this.#inner, outerAliases);
  }

  matching(prefix: string, limit: number): Awaitable<readonly Digest[]> {
    return this.#matching(prefix, limit, limit * 2);
  }

  /** Names of blobs are among what the inner store finds: asks for more until enough are left without them. */
  #matching(prefix: string, limit: number, asked: number): Awaitable<readonly Digest[]> {
    return chain(this.#inner.matching(prefix, asked), (found) =>
      chain(this.#namesOfValues(found, 0, []), (names) =>
        names.length >= limit || found.length < asked
          ? names.slice(0, limit)
          : this.#matching(prefix, limit, asked * 4),
      ),
    );
  }

  #namesOfValues(found: readonly Digest[], from: number, names: Digest[]): Awaitable<readonly Digest[]> {
    for (let at = from; at < found.length; at++) {
      const name = found[at] as Digest;
      const named = chain(this.#inner.target(name), (target) => target !== undefined && this.#inner.has(target));
      if (isPromise(named)) {
        return named.then((isBlob) => {
          if (!isBlob) names.push(name);
          return this.#namesOfValues(found, at + 1, names);
        });
      }
      if (!named) names.push(name);
    }
    return names;
  }

  flush(): Awaitable<void> {
    return this.#inner.flush();
  }

  close(): Awaitable<void> {
    return this.#inner.close();
  }
}

/** What is inside, aliases listed first: the blob of an alias that was seen is then seen too. */
interface Inside {
  readonly aliases: readonly Pair[];
  readonly blobs: ReadonlyMap<Digest, BlobInfo>;
}

function* outerBlobs({ aliases, blobs }: Inside): Generator<BlobInfo, void, undefined> {
  const named = new Set<Digest>();
  for (const [name, target] of aliases) {
    const packed = blobs.get(target);
    if (packed === undefined) continue;
    named.add(target);
    yield { ...packed, digest: turned(name) };
  }
  for (const [digest, leftover] of blobs) if (!named.has(digest)) yield leftover;
}

function* outerAliases({ aliases, blobs }: Inside): Generator<Pair, void, undefined> {
  for (const [name, target] of aliases) if (!blobs.has(target)) yield [name, turned(target)];
}

/** Every bit turned over; twice is nothing. */
function turned(digest: Digest): Digest {
  const bytes = Buffer.from(digest, 'hex');
  for (let at = 0; at < bytes.length; at++) bytes[at] = ~(bytes[at] as number);
  return bytes.toString('hex') as Digest;
}

function over<T>(inner: ValueStore, list: (inside: Inside) => Iterable<T>): AsyncIterable<T> | Iterable<T> {
  const aliases = inner.aliases();
  if (Symbol.asyncIterator in aliases) return later(inner, aliases, list);
  const seen = [...aliases];
  const blobs = inner.list();
  return Symbol.asyncIterator in blobs
    ? later(inner, seen, list)
    : list({ aliases: seen, blobs: byDigest([...blobs]) });
}

async function* later<T>(
  inner: ValueStore,
  aliases: AsyncIterable<Pair> | Iterable<Pair>,
  list: (inside: Inside) => Iterable<T>,
): AsyncGenerator<T, void, undefined> {
  const pairs: Pair[] = [];
  for await (const alias of aliases) pairs.push(alias);
  const blobs: BlobInfo[] = [];
  for await (const blob of inner.list()) blobs.push(blob);
  yield* list({ aliases: pairs, blobs: byDigest(blobs) });
}

function byDigest(blobs: readonly BlobInfo[]): ReadonlyMap<Digest, BlobInfo> {
  return new Map(blobs.map((blob) => [blob.digest, blob]));
}
