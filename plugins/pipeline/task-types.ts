/** Declarations for imports of `fleche:…`: data by what it was when the task last ran, functions by their own types. */
import { renameSync, writeFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import type { Made } from '../../core/index.ts';
import { textOf } from '../machine.ts';
import { PREFIX } from './task-import.ts';

/** Of a larger file no type is worked out. */
const MOST_BYTES = 1024 * 1024;
/** So many members or alternatives are listed; of more the type is less exact. */
const MOST = 100;

const HEAD = '// Written by fleche: what imports of "fleche:…" give. Not to be edited.\n';
const UNKNOWN = `declare module '${PREFIX}*' {
  const value: unknown;
  export default value;
}
`;

/** The text of a declaration file in `folder` for what tasks made below `root`. */
export function declarations(made: ReadonlyMap<string, Made>, root: string, folder: string): string {
  const texts = [...made]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([task, { files, source }]) => [
      ...(source === null ? [] : [declared(task, functionType(source, folder))]),
      ...files.flatMap((file) => {
        const type = file.endsWith('.json') ? jsonFileType(file) : undefined;
        const names = namesOf(file.slice(root.length + 1).split(sep), files);
        return type === undefined ? [] : names.map((name) => declared(`${task}/${name}`, type));
      }),
    ]);
  return [HEAD, ...texts, UNKNOWN].join('\n');
}

/** Writes a text, unless it stands there already. */
export function writeText(path: string, text: string): void {
  if (textOf(path) === text) return;
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, text);
  renameSync(fresh, path);
}

function declared(name: string, type: string): string {
  return `declare module '${(PREFIX + name).replaceAll(/['\\]/g, '\\$&')}' {
  const value: ${type};
  export default value;
}
`;
}

/** The names under which a file may be imported: its path, and the ends of it that no other file has. */
function namesOf(steps: readonly string[], files: readonly string[]): readonly string[] {
  const ends = steps.map((_, at) => steps.slice(at).join('/'));
  return ends.filter(
    (end, at) => at === 0 || files.filter((file) => file.replaceAll(sep, '/').endsWith(`/${end}`)).length === 1,
  );
}

function functionType({ module, export: name }: NonNullable<Made['source']>, folder: string): string {
  const path = relative(folder, module).split(sep).join('/');
  const from = (path.startsWith('.') ? path : `./${path}`).replace(/\.([cm]?)tsx?$/, '.$1js');
  return `Awaited<ReturnType<(typeof import(${JSON.stringify(from)}))[${JSON.stringify(name)}]>>`;
}

function jsonFileType(file: string): string | undefined {
  const text = textOf(file);
  if (text === undefined || text.length > MOST_BYTES) return undefined;
  try {
    return typeOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The type of a value as it stands in a JSON file: literals count by their kind. */
function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'unknown[]' : `(${union(value)})[]`;
  if (typeof value !== 'object') return typeof value;
  return objectType([value]);
}

/** Objects in one list are one type: members that only some of them have may be missing. */
function union(values: readonly unknown[]): string {
  const objects = values.filter((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
  const others = values.filter((value) => !objects.includes(value));
  const types = new Set(others.slice(0, MOST * MOST).map(typeOf));
  if (objects.length > 0) types.add(objectType(objects as object[]));
  return types.size > MOST ? 'unknown' : [...types].join(' | ');
}

function objectType(objects: readonly object[]): string {
  const members = new Map<string, unknown[]>();
  for (const object of objects) {
    for (const [name, value] of Object.entries(object)) {
      const known = members.get(name);
      if (known === undefined) members.set(name, [value]);
      else known.push(value);
    }
  }
  if (members.size > MOST) {
    const types = union([...members.values()].flat());
    return `{ [name: string]: ${types} }`;
  }
  const texts = [...members].map(([name, values]) => {
    const mark = values.length < objects.length ? '?' : '';
    return `${JSON.stringify(name)}${mark}: ${union(values)}`;
  });
  return `{ ${texts.join('; ')} }`;
}
