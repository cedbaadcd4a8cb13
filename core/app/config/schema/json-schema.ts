/**
 * The JSON Schema (draft 7, which TOML editors read) of the configuration files, for completion and checks while typing.
 * It accepts every file that is accepted when it is loaded, and more: what a schema cannot say, such as whether a task is
 * there, is left to the loading.
 */
import type { Json } from '../../../store/record.ts';
import { FORMATS, type Format } from '../text/formats.ts';
import { PACKAGE_FILE, PROJECT_FILE, SHAPES, USER_FILE } from './schema.ts';
import type { FormsShape, Key, Shape, TableShape, TextShape } from './shape.ts';

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };

export type SchemaName = 'project' | 'package' | 'user';

/** The files that have a schema, with their titles. */
const FILES: Readonly<Record<SchemaName, { readonly title: string; readonly shape: TableShape }>> = {
  project: { title: 'fleche.config.toml', shape: PROJECT_FILE },
  package: { title: 'fleche.config.toml of a package', shape: PACKAGE_FILE },
  user: { title: 'fleche/cache.toml', shape: USER_FILE },
};

export const SCHEMA_NAMES: readonly SchemaName[] = ['project', 'package', 'user'];

/** Where the schema of a file is in the published package, relative to it. */
export function schemaFile(file: SchemaName): string {
  return file === 'project' ? 'dist/schema.json' : `dist/${file}-schema.json`;
}

/** The schema of `fleche.config.toml`, of that of a package in a workspace, or of the user-wide `cache.toml`. */
export function jsonSchema(file: SchemaName = 'project'): JsonObject {
  const { title, shape } = FILES[file];
  const named = Object.entries(SHAPES).map(([name, shape]) => [name, schemaOf(shape)] as const);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title,
    ...tableSchema(shape),
    definitions: Object.fromEntries(named),
  };
}

function schemaOf(shape: Shape): JsonObject {
  switch (shape.kind) {
    case 'text':
      return textSchema(shape);
    case 'flag':
      return { type: 'boolean' };
    case 'count':
      return { type: 'integer', minimum: shape.min };
    case 'list':
      return {
        type: 'array',
        items: schemaOf(shape.of),
        ...(shape.ordered ? {} : { uniqueItems: true }),
        ...(shape.nonEmpty ? { minItems: 1 } : {}),
      };
    case 'table':
      return tableSchema(shape);
    case 'forms':
      return formsSchema(shape);
    case 'either':
      return { anyOf: shape.of.map(schemaOf) };
    case 'shape':
      return { $ref: `#/definitions/${shape.name}` };
    case 'any':
      return {};
  }
}

function textSchema({ format, values }: TextShape): JsonObject {
  if (values === undefined) return { type: 'string', ...formatSchema(format) };
  return { type: 'string', oneOf: Object.entries(values).map(([value, doc]) => ({ const: value, description: doc })) };
}

function formatSchema(format: Format): JsonObject {
  const conditions = FORMATS[format].map(({ pattern: { source }, want }) =>
    want ? { pattern: source } : { not: { pattern: source } },
  );
  return conditions.length === 0 ? {} : { allOf: conditions };
}

function keySchema({ shape, doc, default: standard }: Key): JsonObject {
  return { ...described(shape, doc), ...(standard === undefined ? {} : { default: standard }) };
}

/** Beside a reference draft 7 reads nothing else, so a reference is wrapped. */
function described(shape: Shape, doc: string): JsonObject {
  const schema = schemaOf(shape);
  return { description: doc, ...('$ref' in schema ? { allOf: [schema] } : schema) };
}

function tableSchema({ variants, ...shape }: TableShape): JsonObject {
  if (variants === undefined) return plainTableSchema(shape);
  const { key, by } = variants;
  // Innermost what no variant is for.
  return Object.entries(by).reduce<JsonObject>(
    (otherwise, [value, variant]) => ({
      if: { properties: { [key]: { const: value } }, required: [key] },
      // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
      then: tableSchema(variant),
      else: otherwise,
    }),
    plainTableSchema(shape),
  );
}

function plainTableSchema({ keys, rest, needs }: TableShape): JsonObject {
  const required = Object.keys(keys).filter((name) => keys[name]?.required);
  const cases = Object.entries(needs?.by ?? {}).map(([value, names]) => ({
    if: { properties: { [needs?.key ?? '']: { const: value } }, required: [needs?.key ?? ''] },
    // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
    then: { required: [...names] },
  }));
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, keySchema(key)])),
    additionalProperties: rest === undefined ? false : described(rest.shape, rest.doc),
    ...(rest === undefined || FORMATS[rest.format].length === 0 ? {} : { propertyNames: formatSchema(rest.format) }),
    ...(required.length === 0 ? {} : { required }),
    ...(cases.length === 0 ? {} : { allOf: cases }),
  };
}

/** One of the forms, or for a plain value anything that has the tag of none. */
function formsSchema({ forms, otherwise }: FormsShape): JsonObject {
  const tagged = forms.map(({ tags, shape }) => {
    const others = forms.flatMap((other) => (other.tags === tags ? [] : other.tags));
    return { ...tableSchema(shape), not: withAny(others) };
  });
  if ('hint' in otherwise) return { anyOf: tagged };
  const any = withAny(forms.flatMap(({ tags }) => tags));
  const other =
    'table' in otherwise ? { ...tableSchema(otherwise.table), not: any } : { not: { type: 'object', ...any } };
  return { anyOf: [...tagged, other] };
}

function withAny(keys: readonly string[]): JsonObject {
  return { anyOf: keys.map((key) => ({ required: [key] })) };
}
