/** Plain data: what plugins answer, as far as it can be kept. */
import { digest } from '../core/index.ts';

export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Deeper than any answer that means something; a cycle gets there. */
const MOST_LEVELS = 100;

/** A copy that nobody else can change. Throws `INDIGESTIBLE` for what cannot be kept. */
export function snapshot(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol') digest(value, 'result');
    return value;
  }
  if (depth < MOST_LEVELS && Object.getOwnPropertySymbols(value).length === 0) {
    if (Array.isArray(value) && Object.keys(value).length === value.length)
      return value.map((member) => snapshot(member, depth + 1));
    if (Object.getPrototypeOf(value) === Object.prototype)
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, snapshot(member, depth + 1)]));
  }
  if (isMapInstance(value)) return snapshot(plainMap(value), depth + 1);
  digest(value, 'result');
  return Buffer.isBuffer(value) ? Buffer.from(value) : value instanceof Uint8Array ? value.slice() : value;
}

function isMapInstance(value: object): boolean {
  const { mappings, sources } = value as { readonly mappings?: unknown; readonly sources?: unknown };
  return typeof mappings === 'string' && Array.isArray(sources) && !isPlain(value);
}

const MAP_FIELDS = [
  'version',
  'file',
  'sourceRoot',
  'sources',
  'sourcesContent',
  'names',
  'mappings',
  'ignoreList',
  'x_google_ignoreList',
  'debugId',
];

/** Source maps come as instances of their makers' classes; bundlers want their members only. */
export function plainMap(map: object): object {
  return Object.fromEntries(
    MAP_FIELDS.flatMap((name) => {
      const value: unknown = Reflect.get(map, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
