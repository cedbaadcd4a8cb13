/** The forms a text in the configuration may have, as plain data: what it must and must not match, and what to say. */
import { DURATION_PATTERN } from '../../../base/duration.ts';
import type { ErrorCode } from '../../../base/errors.ts';
import { SIZE_PATTERN } from '../../../base/size.ts';
import { NAMESPACE } from '../../../store/remote/remote.ts';

// biome-ignore format: one table
export type Format =
  | 'free' | 'text' | 'name' | 'task' | 'need' | 'list' | 'pattern' | 'output' | 'file' | 'report' | 'folder' | 'module' | 'variable' | 'variables'
  | 'package' | 'digest' | 'place' | 'size' | 'duration' | 'namespace' | 'publicKey';

/** One condition on a text. */
export interface Rule {
  readonly pattern: RegExp;
  /** Whether a text that matches is right, or wrong. */
  readonly want: boolean;
  /** Follows the text in a message: `"x" is …`. */
  readonly says: string;
  readonly hint: string;
  /** `CONFIG_INVALID` when absent. */
  readonly code?: ErrorCode;
}

const must = (pattern: RegExp, says: string, hint: string): Rule => ({ pattern, want: true, says, hint });
const mustNot = (pattern: RegExp, says: string, hint: string): Rule => ({ pattern, want: false, says, hint });

const NOT_EMPTY = must(/\S/, 'is empty', 'Write something, or remove it.');
const NOT_EMPTY_PATTERN = must(/^!?\s*[^!\s]/, 'is empty', 'Write a pattern, such as "src/**", or remove it.');
const RELATIVE = mustNot(
  /^!?(?:[\\/](?!\/)|[A-Za-z]:[\\/])/,
  'is an absolute path',
  'Paths are relative to the folder of fleche.config.toml; "//" at the beginning stands for the root of the project.',
);
const NO_STEP_BACK = must(
  /^!?(?:\.\.?[\\/]+)*(?![\s\S]*[\\/]\.\.(?:[\\/]|$))/,
  'steps back out of a folder',
  'Write the path without "..", which may only stand at the beginning.',
);
const INSIDE = mustNot(
  /(?:^!?|[\\/{,(|])\.\.(?:$|[\\/},)|])/,
  'leaves the project',
  'Write a path below the folder of fleche.config.toml, without "..".',
);
const NO_PATTERN = mustNot(/[*?]/, 'is a pattern, not a file', 'Use glob = … for the files that a pattern matches.');

const NAME: readonly Rule[] = [
  NOT_EMPTY,
  mustNot(
    /^[\s-]|\s$|\p{Cc}/u,
    'is not a name',
    'A name does not begin with "-", neither begins nor ends with a space, and has no control characters.',
  ),
];

/** Every format with its rules; the first that is broken is told. */
export const FORMATS: Readonly<Record<Format, readonly Rule[]>> = {
  /** Any text, the empty one too. */
  free: [],
  text: [NOT_EMPTY],
  name: NAME,
  task: [...NAME, mustNot(/#|^\^/, 'is not the name of a task', 'A name does not begin with "^" and has no "#".')],
  need: [
    ...NAME,
    must(
      /^(?:\^[^#]+|[^#]+#[^#]+|[^#^][^#]*)$/,
      'names no task',
      'Write "name", "package#name", "//#name" for a task of the root, or "^name" for that of all packages below.',
    ),
  ],
  list: [must(/^[\w-]+$/, 'is not the name of a list', 'Use letters, digits, "_" and "-".')],
  pattern: [NOT_EMPTY_PATTERN, RELATIVE, NO_STEP_BACK],
  output: [NOT_EMPTY_PATTERN, RELATIVE, INSIDE],
  file: [NOT_EMPTY, RELATIVE, NO_STEP_BACK, NO_PATTERN],
  /** A file that the task writes. */
  report: [NOT_EMPTY, RELATIVE, INSIDE, mustNot(/[*?]/, 'is a pattern, not a file', 'Name one file.')],
  folder: [NOT_EMPTY, RELATIVE, INSIDE],
  module: [
    NOT_EMPTY,
    must(
      /^\.\/[^#]+\.[cm]?[jt]sx?#[\p{L}_$][\p{L}\p{N}_$]*$/u,
      'is not a module and its export',
      'Write "./file.ts#export", relative to the project.',
    ),
    INSIDE,
  ],
  variable: [
    NOT_EMPTY,
    must(/^[^\s=*]+$/, 'is not the name of a variable', 'Write the name of one environment variable, such as "LEVEL".'),
  ],
  variables: [
    NOT_EMPTY,
    must(
      /^[^\s=*]*\*?$/,
      'is not the name of a variable',
      'Write a name without a value, such as "NODE_ENV"; a "*" may only stand at its end.',
    ),
  ],
  package: [
    NOT_EMPTY,
    must(
      /^(?:@[\w.~-]+\/)?[\w~][\w.~-]*$/,
      'is not the name of a package',
      'Write the name of an npm package without a version, such as "esbuild".',
    ),
  ],
  digest: [must(/^[0-9a-f]{4,64}$/, 'is not a digest', 'Write 4 to 64 of the characters 0-9 and a-f.')],
  place: [
    NOT_EMPTY,
    mustNot(/^~[^\\/]/, "is in another user's home", 'Write "~/…" for your own home folder, or the whole path.'),
  ],
  namespace: [
    must(
      NAMESPACE,
      'is not a namespace',
      'Write names of letters, digits, "-" and "_", with "/" between them, such as "trusted" or "pr/17".',
    ),
  ],
  publicKey: [
    must(
      /^(?:-----BEGIN PUBLIC KEY-----)?\s*MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=\s*(?:-----END PUBLIC KEY-----\s*)?$/,
      'is not a public Ed25519 key',
      'Write what "openssl pkey -in key.pem -pubout" prints, between its first and last line.',
    ),
  ],
  size: [
    {
      ...must(
        new RegExp(SIZE_PATTERN),
        'is not a size',
        'Write a size such as "500MB" or "5GB"; units are powers of 1024.',
      ),
      code: 'INVALID_SIZE',
    },
  ],
  duration: [
    {
      ...must(new RegExp(DURATION_PATTERN), 'is not a duration', 'Write a duration such as "90s", "1h30m" or "7d".'),
      code: 'INVALID_DURATION',
    },
  ],
};

/** The first rule of the format that the text breaks. */
export function brokenRule(format: Format, text: string): Rule | undefined {
  return FORMATS[format].find(({ pattern, want }) => pattern.test(text) !== want);
}
