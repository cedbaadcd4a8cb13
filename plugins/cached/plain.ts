/** Plain data: what plugins answer, as far as it can be kept. */

export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether this is a source map of its maker's own class. */
export function isMapInstance(value: object): boolean {
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
  const plain: Record<string, unknown> = {};
  for (const name of MAP_FIELDS) {
    const value: unknown = Reflect.get(map, name);
    if (value !== undefined) plain[name] = value;
  }
  return plain;
}
