/**
 * What is remembered of the code of modules, so that a closure that was found once is found again by stat calls alone. Part
 * of the state of a workspace: losing it costs time.
 */
import { createRequire } from 'node:module';
import { decode } from '../../base/decode.ts';
import { encode } from '../../base/encode.ts';
import { type Digest, isDigest } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import { isSame, type PathRead, type ReadSet } from '../../files/code/read-set.ts';
import type { ReadValidator } from '../../files/code/read-validator.ts';
import type { StateStore } from '../../store/state.ts';
import type { Bundle } from './bundle.ts';
import type { Entry, InstalledPackage } from './bundle-reader.ts';

/** What is kept of one export. */
export interface Identity {
  readonly digest: Digest;
  readonly packages: readonly InstalledPackage[];
}

/** What is remembered of one module. */
interface ModuleMemory {
  readonly files: readonly RelPath[];
  readonly readSet: ReadSet;
  readonly exports: ReadonlyMap<string, Identity>;
}

export class CodeMemory {
  readonly #state: StateStore;
  #bundler: string | undefined;

  constructor(state: StateStore) {
    this.#state = state;
  }

  /** What is known of a module, if it still holds. */
  recall(module: RelPath, validator: ReadValidator): ModuleMemory | undefined {
    const memory = this.#get(module);
    const readSet = memory === undefined ? undefined : validator.validate(memory.readSet);
    if (memory === undefined || readSet === undefined) return undefined;
    const confirmed = { ...memory, readSet };
    if (readSet !== memory.readSet) this.#put(module, confirmed);
    return confirmed;
  }

  /** Remembers an export, unless files may have changed while it was read. */
  remember(entry: Entry, identity: Identity, { files, readSet }: Bundle): void {
    if (!readSet.settled) return;
    const known = this.#get(entry.module);
    // What was learned of other exports from the very same files holds beside it.
    const others = known !== undefined && isSame(known.readSet, readSet) ? known.exports : [];
    this.#put(entry.module, { files, readSet, exports: new Map([...others, [entry.export, identity]]) });
  }

  #get(module: RelPath): ModuleMemory | undefined {
    const bytes = this.#state.get(stateName(module));
    return bytes === undefined ? undefined : readMemory(bytes, this.#version);
  }

  #put(module: RelPath, memory: ModuleMemory): void {
    this.#state.put(stateName(module), writeMemory(memory, this.#version));
  }

  get #version(): string {
    this.#bundler ??= esbuildVersion();
    return `1 esbuild ${this.#bundler}`;
  }
}

function stateName(module: RelPath): string {
  return `code:${module}`;
}

/** Without loading esbuild, which is what a warm run is spared. */
function esbuildVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('esbuild/package.json');
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}

type Stored = readonly [
  version: string,
  files: readonly RelPath[],
  reads: readonly (readonly [path: RelPath, digest: PathRead['digest'], key: readonly number[] | null])[],
  links: ReadSet['links'],
  exports: readonly (readonly [name: string, digest: string, packages: readonly (readonly [string, string])[]])[],
];

function writeMemory({ files, readSet, exports }: ModuleMemory, version: string): Uint8Array {
  const stored: Stored = [
    version,
    files,
    readSet.reads.map(({ path, digest, key }) => [
      path,
      digest,
      key === null ? null : [key.size, key.mtime, key.ctime, key.ino, key.mode],
    ]),
    readSet.links,
    [...exports].map(([name, { digest, packages }]) => [
      name,
      digest,
      packages.map((found) => [found.name, found.version]),
    ]),
  ];
  return encode(stored);
}

/** Undefined for what was written by another version, or is damaged. */
function readMemory(bytes: Uint8Array, version: string): ModuleMemory | undefined {
  try {
    const [written, files, reads, links, exports] = decode(bytes) as Stored;
    if (written !== version) return undefined;
    return {
      files,
      readSet: {
        reads: reads.map(([path, digest, key]) => {
          const [size = 0, mtime = 0, ctime = 0, ino = 0, mode = 0] = key ?? [];
          return { path, digest, key: key === null ? null : { size, mtime, ctime, ino, mode } };
        }),
        links,
        settled: true,
      },
      exports: new Map(
        exports.flatMap(([name, digest, packages]) =>
          isDigest(digest)
            ? [[name, { digest, packages: packages.map(([name, version]) => ({ name, version })) }] as const]
            : [],
        ),
      ),
    };
  } catch {
    return undefined;
  }
}
