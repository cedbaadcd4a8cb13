/** `package.json` as far as a workspace needs it. Lenient: what has another form than npm gives it is not there. */
import { readFileSync } from 'node:fs';
import { ConfigErrors, FlecheError, messageOf, systemCode } from '../../base/errors.ts';
import { type Digest, sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import { type Table, tableOf, textsOf } from '../../base/table.ts';

export const MANIFEST = 'package.json';

export interface Manifest {
  readonly name: string | undefined;
  readonly scripts: Readonly<Record<string, string>>;
  /** Patterns of the folders of a workspace; undefined if it names none. */
  readonly workspaces: readonly string[] | undefined;
  readonly dependencies: readonly string[];
  readonly passedOn: readonly string[];
  /** What is installed for it: names with ranges, in the order of the manifest. */
  readonly requests: readonly (readonly [name: string, range: string])[];
  /** The keys of `resolutions`. */
  readonly forced: readonly string[];
  /** Files of patches, by `name@version`. */
  readonly patches: Readonly<Record<string, string>>;
  /** Digest of all that can matter to who loads the package; not there where there is no manifest. */
  readonly face?: Digest;
}

/** What there is to say of a folder without a manifest. */
export const NO_MANIFEST: Manifest = {
  name: undefined,
  scripts: {},
  workspaces: undefined,
  dependencies: [],
  passedOn: [],
  requests: [],
  forced: [],
  patches: {},
};

/** What only matters to who works on the package itself, or to people. */
const INNER: ReadonlySet<string> = new Set(
  'scripts devDependencies description keywords author contributors license repository homepage bugs funding version'.split(
    ' ',
  ),
);

/** Reads a manifest (absolute path); undefined if there is none. Throws `ConfigErrors` (`CONFIG_SYNTAX`) if it is no JSON. */
export function readManifest(file: string): Manifest | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
  const table = tableOf(parsed(text, file));
  const development = Object.keys(tableOf(table['devDependencies']));
  const others = ['dependencies', 'peerDependencies', 'optionalDependencies'];
  const passedOn = others.flatMap((key) => Object.keys(tableOf(table[key])));
  const workspaces = table['workspaces'];
  const name = table['name'];
  return {
    name: typeof name === 'string' && name !== '' ? name : undefined,
    scripts: textsIn(tableOf(table['scripts'])),
    workspaces: listOf(workspaces) ?? listOf(tableOf(workspaces)['packages']),
    dependencies: sorted([...development, ...passedOn]),
    passedOn: sorted(passedOn),
    requests: ['dependencies', 'optionalDependencies', 'devDependencies'].flatMap((key) =>
      Object.entries(textsIn(tableOf(table[key]))),
    ),
    forced: Object.keys(tableOf(table['resolutions'])),
    patches: textsIn(tableOf(table['patchedDependencies'])),
    face: sha256(JSON.stringify(Object.entries(table).filter(([key]) => !INNER.has(key)))),
  };
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (error) {
    // Not every version of Node tells where.
    const offset = Number(/ position (\d+)/.exec(messageOf(error))?.[1] ?? 0);
    const lines = text.slice(0, offset).split('\n');
    const at = { file, line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
    throw new ConfigErrors([
      new FlecheError('CONFIG_SYNTAX', `the manifest is not JSON: ${messageOf(error)}`, {
        at,
        hint: 'Correct it; npm needs it too.',
      }),
    ]);
  }
}

function listOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? textsOf(value) : undefined;
}

function textsIn(table: Table): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(table).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort(byCodeUnit);
}
