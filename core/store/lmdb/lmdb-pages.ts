/**
 * LMDB's file format, as far as is needed to tell whether a data file is sound: both meta pages, the roots of its trees,
 * and, where something is unusual, every page that is reachable. LMDB maps the file and follows its page numbers
 * unchecked, so that a truncated or foreign file ends the process by a signal; this reads it like any other file.
 *
 * Knows the format of the development branch that the `lmdb` package carries (data version 2, little-endian, 64-bit).
 * Does not look at values: a value may still be wrong. The answer is valid while nobody writes to the file.
 */
import { fstatSync, readSync } from 'node:fs';

/** Why a data file cannot be trusted. */
export class Damage extends Error {}

const PAGE_HEADER = 24;
const NODE_HEADER = 8;
const META_BYTES = PAGE_HEADER + 144;
const TREE_BYTES = 48;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const NO_PAGE = 0xffffffffffffffffn;
const MAX_DEPTH = 20;
const MAX_PAGE = 65536;

/** Bits of a page's flags, then of a node's. */
const BRANCH = 1;
const LEAF = 2;
const OVERFLOW = 4;
const META = 8;
const BIG_DATA = 1;
const SUB_TREE = 2;

/** Flags of a tree whose keys are integers, and of one without anything special: the only ones that are used here. */
const INTEGER_KEYS = 8;
const ORDINARY = 0;

/** A B-tree as its parent describes it. */
interface Tree {
  readonly depth: number;
  readonly root: bigint;
}

interface Meta {
  readonly txn: bigint;
  readonly lastPage: bigint;
  readonly mapSize: bigint;
  /** The tree of free pages. */
  readonly free: Tree;
  /** The tree that names the databases. */
  readonly main: Tree;
}

/** The bytes of both meta pages: while they stay the same, nobody has committed. Throws `Damage` if there are none. */
export function metaBytes(fd: number): Buffer {
  const first = read(fd, 0, META_BYTES);
  const second = read(fd, pageSizeOf(first), META_BYTES);
  return Buffer.concat([first, second]);
}

/** Throws `Damage` unless the file is sound: the roots only, or `everything` that is reachable from them. */
export function checkPages(fd: number, everything: boolean): void {
  const bytes = metaBytes(fd);
  const pageSize = pageSizeOf(bytes);
  const metas = [parseMeta(bytes, pageSize), parseMeta(bytes.subarray(META_BYTES), pageSize)] as const;
  const [older, newest] = metas[0].txn > metas[1].txn ? [metas[1], metas[0]] : metas;
  // After the metas: a file only grows, so one that is too short for them now was too short before.
  const size = fstatSync(fd).size;
  const pages = Math.floor(size / pageSize);
  if (newest.lastPage * BigInt(pageSize) >= newest.mapSize) throw new Damage('more pages than the map has room for');
  if (newest.mapSize > 1n << 46n) throw new Damage('a map of impossible size');
  // Commit n goes to meta page n mod 2 and leaves commit n - 1 in the other. A new file has commit 0 in both.
  const inTurn = newest.txn === older.txn + 1n && metas[Number(newest.txn & 1n)] === newest;
  if (!inTurn && newest.txn !== 0n) throw new Damage('commits out of turn');
  // Free pages at the end need not have been written, and a process that died may have left some behind it.
  const usual = newest.lastPage + 1n === BigInt(pages);
  new Walk(fd, pageSize, pages, newest.lastPage, everything || !usual).run(newest);
}

function read(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const count = readSync(fd, bytes, done, length - done, at + done);
    if (count === 0) throw new Damage('the file is too short');
    done += count;
  }
  return bytes;
}

function pageSizeOf(meta: Buffer): number {
  const size = meta.readUInt32LE(PAGE_HEADER + 24);
  if (size < 512 || size > MAX_PAGE || (size & (size - 1)) !== 0) throw new Damage('a page size that cannot be');
  return size;
}

function parseMeta(page: Buffer, pageSize: number): Meta {
  if ((page.readUInt16LE(18) & META) === 0) throw new Damage('a meta page that is none');
  if (page.readUInt32LE(PAGE_HEADER) !== MAGIC) throw new Damage('not an LMDB file');
  if ((page.readUInt32LE(PAGE_HEADER + 4) & 0xffff) !== DATA_VERSION) throw new Damage('a foreign data version');
  if (pageSizeOf(page) !== pageSize) throw new Damage('two page sizes');
  const body = page.subarray(PAGE_HEADER);
  return {
    mapSize: body.readBigUInt64LE(16),
    free: parseTree(body, 24, INTEGER_KEYS),
    main: parseTree(body, 24 + TREE_BYTES, ORDINARY),
    lastPage: body.readBigUInt64LE(24 + 2 * TREE_BYTES),
    txn: body.readBigUInt64LE(32 + 2 * TREE_BYTES),
  };
}

function parseTree(bytes: Buffer, at: number, flags: number): Tree {
  if (bytes.readUInt16LE(at + 4) !== flags) throw new Damage('a tree of another kind');
  return { depth: bytes.readUInt16LE(at + 6), root: bytes.readBigUInt64LE(at + 40) };
}

/** The tree of free pages by commit, the one of databases by name, and the databases. */
type Kind = 'free' | 'names' | 'data';

/** One look at the trees of a snapshot. */
class Walk {
  readonly #fd: number;
  readonly #pageSize: number;
  /** Whole pages in the file. It may have fewer than `lastPage` says: free pages at its end need not be written. */
  readonly #pages: number;
  readonly #lastPage: bigint;
  readonly #everything: boolean;
  readonly #seen: Set<number> = new Set();

  constructor(fd: number, pageSize: number, pages: number, lastPage: bigint, everything: boolean) {
    this.#fd = fd;
    this.#pageSize = pageSize;
    this.#pages = pages;
    this.#lastPage = lastPage;
    this.#everything = everything;
  }

  run(meta: Meta): void {
    this.#tree(meta.free, 'free');
    this.#tree(meta.main, 'names');
  }

  #tree(tree: Tree, kind: Kind): void {
    if (tree.root === NO_PAGE) {
      if (tree.depth !== 0) throw new Damage('an empty tree with pages');
      return;
    }
    if (tree.depth === 0 || tree.depth > MAX_DEPTH) throw new Damage('a tree of impossible depth');
    this.#page(tree.root, tree.depth, kind);
  }

  #page(number: bigint, depth: number, kind: Kind): void {
    const at = this.#claim(number, 1n);
    // The free pages and the names are few, and a mistake in them is the most dangerous.
    const inside = this.#everything || kind !== 'data';
    const page = read(this.#fd, at * this.#pageSize, inside ? this.#pageSize : PAGE_HEADER);
    if (page.readBigUInt64LE(0) !== number) throw new Damage('a page with another number');
    const flags = page.readUInt16LE(18) & (BRANCH | LEAF | OVERFLOW | META);
    if (flags !== (depth === 1 ? LEAF : BRANCH)) throw new Damage('a page of another kind');
    if (!inside) return;
    const lower = page.readUInt16LE(20);
    const upper = page.readUInt16LE(22);
    const room = this.#pageSize - PAGE_HEADER;
    if (lower > upper || upper > room || lower % 2 !== 0) throw new Damage('a page without order');
    if (depth > 1 && lower < 4) throw new Damage('a branch without children');
    for (let slot = 0; slot < lower; slot += 2) {
      const start = page.readUInt16LE(PAGE_HEADER + slot);
      if (start < upper || start + NODE_HEADER > room) throw new Damage('an entry outside its page');
      if (depth > 1) this.#page(childOf(page, PAGE_HEADER + start), depth - 1, kind);
      else this.#leafNode(page.subarray(PAGE_HEADER + start), kind);
    }
  }

  #leafNode(node: Buffer, kind: Kind): void {
    const size = node.readUInt16LE(0) + node.readUInt16LE(2) * 0x10000;
    const flags = node.readUInt16LE(4);
    const keySize = node.readUInt16LE(6);
    const data = NODE_HEADER + keySize;
    if (data + ((flags & BIG_DATA) !== 0 ? 24 : size) > node.length) throw new Damage('an entry beyond its page');
    if (flags !== (kind === 'names' ? SUB_TREE : flags & BIG_DATA)) throw new Damage('an entry of another kind');
    if (kind === 'free' && keySize !== 8) throw new Damage('free pages of no commit');
    if (kind === 'names') {
      if (size !== TREE_BYTES) throw new Damage('a database that is none');
      this.#tree(parseTree(node, data, ORDINARY), 'data');
    } else if (flags === BIG_DATA) {
      const pages = Math.ceil((size + PAGE_HEADER) / this.#pageSize);
      const first = node.readBigUInt64LE(data);
      const at = this.#claim(first, BigInt(pages));
      const header = read(this.#fd, at * this.#pageSize, PAGE_HEADER);
      if (header.readBigUInt64LE(0) !== first || (header.readUInt16LE(18) & OVERFLOW) === 0) {
        throw new Damage('a large value that is none');
      }
    }
  }

  /** The place of `count` pages, if they are inside the file and nobody else has them. */
  #claim(first: bigint, count: bigint): number {
    const end = first + count;
    if (first < 2n || end > this.#lastPage + 1n || end > BigInt(this.#pages)) throw new Damage('a page beyond the end');
    for (let page = Number(first); page < Number(end); page++) {
      if (this.#seen.has(page)) throw new Damage('a page with two owners');
      this.#seen.add(page);
    }
    return Number(first);
  }
}

function childOf(page: Buffer, at: number): bigint {
  const low = page.readUInt16LE(at) + page.readUInt16LE(at + 2) * 0x10000;
  return BigInt(low) + (BigInt(page.readUInt16LE(at + 4)) << 32n);
}
