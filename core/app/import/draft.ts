/** A configuration in the making, and its text: tables in order, with comments for what has no equal. Pure. */

/** What a key can be. A table is written in one line. */
export type DraftValue = string | boolean | number | readonly string[] | { readonly [key: string]: DraftValue };

/** Keys in the order in which they are written; undefined is left out. */
export type DraftKeys = Readonly<Record<string, DraftValue | undefined>>;

export interface DraftTable {
  /** Steps of its name, such as `tasks` and `build`. */
  readonly path: readonly string[];
  /** Lines above it. */
  readonly comments?: readonly string[];
  readonly keys: DraftKeys;
}

/** One file. */
export interface Draft {
  /** Its folder, relative to the project; `.` for the root. */
  readonly folder: string;
  /** Lines at the top. */
  readonly comments: readonly string[];
  readonly tables: readonly DraftTable[];
}

const WIDTH = 120;

/** The text. `schema` is where its JSON Schema is, if an editor can find it. */
export function draftText({ comments, tables }: Draft, schema: string | undefined): string {
  const head = [...(schema === undefined ? [] : [`#:schema ${schema}`]), ...comments.map(comment)];
  // A table of a task means something without any key.
  const said = tables.filter(
    ({ path, keys }) => path.length > 1 || Object.values(keys).some((one) => one !== undefined),
  );
  const blocks = said.map(({ path, comments = [], keys }) => {
    const lines = Object.entries(keys).flatMap(([key, value]) => (value === undefined ? [] : [assignment(key, value)]));
    return [...comments.map(comment), `[${path.map(name).join('.')}]`, ...lines].join('\n');
  });
  return `${[...(head.length === 0 ? [] : [head.join('\n')]), ...blocks].join('\n\n')}\n`;
}

/** Line breaks and control characters would end the comment, or the file. */
function comment(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return `# ${text.replace(/[\u0000-\u001f\u007f]+/g, ' ')}`.trimEnd();
}

function name(step: string): string {
  return /^[\w-]+$/.test(step) ? step : quoted(step);
}

function assignment(key: string, value: DraftValue): string {
  const line = `${name(key)} = ${written(value)}`;
  if (line.length <= WIDTH || !Array.isArray(value)) return line;
  return `${name(key)} = [\n${value.map((one) => `  ${written(one)},`).join('\n')}\n]`;
}

function written(value: DraftValue): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(quoted).join(', ')}]`;
  const members = Object.entries(value).map(([key, member]) => `${name(key)} = ${written(member)}`);
  return `{ ${members.join(', ')} }`;
}

/** As JSON, which TOML reads but for the delete character and escaped slashes; plain quotes where they read better. */
function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/["\\]/.test(text) && !/['\u0000-\u001f\u007f]/.test(text)) return `'${text}'`;
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}
