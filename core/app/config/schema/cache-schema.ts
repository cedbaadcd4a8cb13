/** What may be said of a cache, as plain data. */
import { FlecheError } from '../../../base/errors.ts';
import type { FormsShape, Key, Rest, Shape, TableShape } from './shape.ts';
import { CREDENTIAL_KEYS, NETWORK_KEYS, SHARED_KEYS } from './shared-schema.ts';

/** Names that no configured cache may take. */
const RESERVED_CACHES: Readonly<Record<string, string>> = {
  memory: 'the cache in memory',
  void: 'the cache that keeps nothing',
  default: 'the cache that is used when none is configured',
};

/** The founding names of file storages are kept; all of them keep files in a folder. */
const STORAGE_TYPES: Readonly<Record<string, string>> = {
  Lmdb: 'An LMDB environment in a folder; large values as files beside it.',
  Memory: 'In memory, lost when the process ends.',
  Void: 'Keeps nothing.',
  File: 'One file an entry, in a folder.',
  PickleFile: 'The same as File.',
  CloudpickleFile: 'The same as File.',
  DillFile: 'The same as File.',
  BagOfHoldingH5File: 'One HDF5 file, root itself if it ends with .h5, else values.h5 in it; for values only.',
  Sql: 'A SQL database.',
  Redis: 'A Redis server.',
  Http: 'An HTTP server in the layout of Bazel: /cas/<sha256> and /ac/<key>.',
  Directory: 'A folder that several machines share, in the same layout.',
  CompressedStorage: 'Compresses what another storage keeps.',
};

const PLACE: Shape = { kind: 'text', format: 'place' };

const STORAGE_KEYS: Readonly<Record<string, Key>> = {
  type: {
    shape: { kind: 'text', format: 'name', values: STORAGE_TYPES },
    doc: 'The kind of storage.',
    example: 'type = "Lmdb"',
    required: true,
  },
  root: {
    shape: PLACE,
    doc: 'The folder, relative to the file that names it; "~" is the home folder. For Lmdb ".fleche" when absent.',
    example: 'root = "~/.cache/fleche"',
  },
  url: {
    shape: PLACE,
    doc: 'The address; the path of an SQLite file is relative to the file that names it.',
    example: 'url = "sqlite:calls.db"',
  },
  inner: {
    shape: { kind: 'shape', name: 'storage' },
    doc: 'The storage that this one wraps.',
    example: 'inner = { type = "File", root = "values" }',
  },
};

const CACHE_KEYS: Readonly<Record<string, Key>> = {
  max_size: {
    shape: {
      kind: 'either',
      of: [
        { kind: 'text', format: 'size' },
        { kind: 'count', min: 0 },
      ],
    },
    doc: 'How much the cache may keep: bytes, or text such as "5GB" (powers of 1024). No limit when absent.',
    example: 'max_size = "5GB"',
  },
  read_only: {
    shape: { kind: 'flag' },
    doc: 'Whether the cache is only read.',
    example: 'read_only = true',
    default: false,
  },
};

const STORAGE_NEEDS: NonNullable<TableShape['needs']> = {
  key: 'type',
  by: {
    File: ['root'],
    PickleFile: ['root'],
    CloudpickleFile: ['root'],
    DillFile: ['root'],
    BagOfHoldingH5File: ['root'],
    Sql: ['url'],
    Redis: ['url'],
    Http: ['url'],
    CompressedStorage: ['inner'],
  },
};

const OPTIONS: Rest = {
  shape: { kind: 'any' },
  format: 'free',
  doc: 'An option of the storage.',
  example: 'compression = "gzip"',
};
/** One side of a cache, or what another storage wraps. */
export const STORAGE: TableShape = { kind: 'table', keys: STORAGE_KEYS, rest: OPTIONS, needs: STORAGE_NEEDS };

/** Caches that machines share, by type. */
const SHARED: Readonly<Record<string, TableShape>> = {
  Http: sharedShape('url', {
    auth: {
      shape: {
        kind: 'text',
        format: 'name',
        values: {
          bearer: 'The token as it is.',
          basic: 'The token is a user and a password with a colon between them.',
        },
      },
      doc: 'How the token is sent.',
      example: 'auth = "basic"',
      default: 'bearer',
    },
  }),
  Redis: sharedShape('url', {}),
  Directory: sharedShape('root', {}),
};

function sharedShape(place: 'url' | 'root', more: Readonly<Record<string, Key>>): TableShape {
  const { type, [place]: where } = STORAGE_KEYS;
  if (type === undefined || where === undefined) throw new FlecheError('BUG', 'bug: a storage without a place');
  const keys = { type, [place]: { ...where, required: true as const }, ...SHARED_KEYS, ...more };
  return { kind: 'table', keys: place === 'root' ? keys : { ...keys, ...CREDENTIAL_KEYS, ...NETWORK_KEYS } };
}

const SIDE: Shape = { kind: 'shape', name: 'storage' };

/** A cache: one storage, a pair of them, or a stack of other caches. */
export const CACHE: FormsShape = {
  kind: 'forms',
  forms: [
    {
      tags: ['type'],
      shape: {
        kind: 'table',
        keys: { ...STORAGE_KEYS, ...CACHE_KEYS },
        rest: OPTIONS,
        needs: STORAGE_NEEDS,
        variants: { key: 'type', by: SHARED },
      },
    },
    {
      tags: ['values', 'calls'],
      shape: {
        kind: 'table',
        keys: {
          values: { shape: SIDE, doc: 'Where values are kept.', example: 'values.type = "Memory"', required: true },
          calls: { shape: SIDE, doc: 'Where call records are kept.', example: 'calls.type = "Memory"', required: true },
          ...CACHE_KEYS,
        },
      },
    },
    {
      tags: ['stack'],
      shape: {
        kind: 'table',
        keys: {
          stack: {
            shape: { kind: 'list', of: { kind: 'text', format: 'name', refers: 'member' }, nonEmpty: true },
            doc: 'Caches that are read in order; a hit is copied to the first.',
            example: 'stack = ["local", "shared"]',
            required: true,
          },
        },
      },
    },
  ],
  otherwise: {
    hint: 'Add a storage, such as type = "Lmdb", or values.type and calls.type, or a stack of other caches.',
  },
};

/** Caches by name. */
export const NAMED_CACHES: Rest = {
  shape: { kind: 'shape', name: 'cache' },
  format: 'name',
  reserved: RESERVED_CACHES,
  doc: 'A cache, by its name.',
  example: 'local = { type = "Lmdb" }',
};
