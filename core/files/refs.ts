/**
 * Files and trees as values: what a function receives for a file, for a pattern, or for the outputs of a command. They
 * are equal, and have one digest, by path, content and executable bit: by all that a function can see of them, but for
 * the root. They are stored without it too, so that nothing of one machine is kept, and wherever a project lies its files
 * are the same. Reading checks that the file still is what its digest says.
 */
import { readFileSync } from 'node:fs';
import { decode } from '../base/decode.ts';
import { registerClass } from '../base/digestible.ts';
import { FlecheError, systemCode } from '../base/errors.ts';
import { asDigest, type Digest, sha256 } from '../base/hash.ts';
import { parseJson } from '../base/json.ts';
import { type AbsPath, type RelPath, toAbs } from '../base/paths.ts';
import { parseTree, type Tree, type TreeEntry, treeText } from './trees/tree.ts';

/** A file with a certain content. */
export class FileRef {
  /** Relative to the root of the project. */
  readonly path: RelPath;
  /** SHA-256 of the content alone. */
  readonly digest: Digest;
  readonly executable: boolean;
  readonly #root: string;

  /** `path` is relative to `root`; an empty root is the current folder. */
  constructor(root: string, path: RelPath, digest: Digest, executable: boolean) {
    this.path = path;
    this.digest = digest;
    this.executable = executable;
    this.#root = root;
  }

  /** The file that an entry of a tree stands for. Throws `INPUT_UNREADABLE` for an entry that is no file. */
  static of(root: AbsPath, entry: TreeEntry): FileRef {
    if (entry.kind === 'file') return new FileRef(root, entry.path, entry.digest, entry.executable);
    if (entry.kind === 'link' && entry.digest !== null) {
      return new FileRef(root, entry.path, entry.digest, entry.executable);
    }
    throw new FlecheError('INPUT_UNREADABLE', `${entry.path} is not a file`, {
      hint: 'It is a folder or a link that leads nowhere; name a file.',
    });
  }

  /** Where it lies on this machine: no part of its identity, so no answer may depend on it. */
  get absolute(): AbsPath {
    return toAbs(this.#root, this.path);
  }

  /** The content. Throws `INPUT_UNREADABLE` if there is no such file or its content is another by now. */
  bytes(): Buffer {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.absolute);
    } catch (error) {
      throw new FlecheError('INPUT_UNREADABLE', `cannot read ${this.path}: ${systemCode(error) ?? error}`, {
        hint: 'Was it removed meanwhile, and may it be read?',
        cause: error,
      });
    }
    if (sha256(bytes) === this.digest) return bytes;
    throw new FlecheError('INPUT_UNREADABLE', `${this.path} is no longer what it was when it was digested`, {
      hint: 'Run it again; nothing else may write a file that is an input.',
    });
  }

  /** The content as UTF-8 text. Throws like `bytes`. */
  text(): string {
    return this.bytes().toString();
  }

  /** The content as JSON. Throws like `bytes`, and `SyntaxError`. */
  json(): unknown {
    return parseJson(this.text());
  }

  toString(): string {
    return this.path;
  }
}

/** A tree of files with certain contents, such as the outputs of a task. */
export class TreeRef {
  readonly digest: Digest;
  /** Sorted by path; paths are relative to the root of the project. */
  readonly entries: readonly TreeEntry[];
  readonly #root: string;

  /** An empty root is the current folder. */
  constructor(root: string, tree: Tree) {
    this.digest = tree.digest;
    this.entries = tree.entries;
    this.#root = root;
  }

  /** Its files, sorted by path. Links are not followed. */
  list(): readonly FileRef[] {
    const files: FileRef[] = [];
    for (const entry of this.entries) {
      if (entry.kind !== 'file') continue;
      files.push(new FileRef(this.#root, entry.path, entry.digest, entry.executable));
    }
    return files;
  }

  /** The file at a path relative to the root of the project. Throws `INPUT_UNREADABLE` if the tree has none there. */
  file(path: string): FileRef {
    const found = this.list().find((file) => file.path === path);
    if (found !== undefined) return found;
    throw new FlecheError('INPUT_UNREADABLE', `there is no file ${path} in the tree`, {
      hint: `It has ${this.entries.length} entries; list() gives its files.`,
    });
  }
}

/** The root that references have which are being decoded. */
let decodingRoot = '';

/** Decodes a value; files and trees in it belong to `root`. Those decoded elsewhere belong to the current folder. */
export function decodeAt(root: AbsPath, bytes: Uint8Array): unknown {
  const outer = decodingRoot;
  decodingRoot = root;
  try {
    return decode(bytes);
  } finally {
    decodingRoot = outer;
  }
}

registerClass('fleche.FileRef', FileRef, {
  encode: (file) => [file.path, file.digest, file.executable],
  decode: (plain) => {
    const [path, digest, executable] = plain as [RelPath, string, boolean];
    return new FileRef(decodingRoot, path, asDigest(digest), executable);
  },
});

registerClass('fleche.TreeRef', TreeRef, {
  identity: (tree) => tree.digest,
  encode: (tree) => treeText(tree.entries),
  decode: (plain) => new TreeRef(decodingRoot, parseTree(plain as string)),
});
