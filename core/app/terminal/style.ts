/** Colours: whether they are wanted, and how text gets them. Knows no streams. */

export type ColorMode = 'auto' | 'always' | 'never';

/** The environment of the process: names to values. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether to colour: `--color` decides, else `FORCE_COLOR` (`0` and `false` mean no), else `NO_COLOR` (anything but
 * empty), else whether a terminal other than a dumb one is there.
 */
export function wantsColors(mode: ColorMode, env: Environment, isTTY: boolean): boolean {
  if (mode !== 'auto') return mode === 'always';
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if (env['NO_COLOR']) return false;
  return isTTY && env['TERM'] !== 'dumb';
}

/** Whether lines may be redrawn: a terminal that can, and no machine that only records. */
export function wantsLive(env: Environment, isTTY: boolean): boolean {
  const ci = env['CI'];
  return isTTY && env['TERM'] !== 'dumb' && (ci === undefined || ci === '' || ci === '0' || ci === 'false');
}

type Paint = (text: string) => string;

/** Text to text with a look; the same text where colours are off. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
  /** One of a few colours to tell things apart, by their number. */
  readonly hue: (index: number, text: string) => string;
}

/** Those that can be read on dark and on light; red is for what went wrong. */
const HUES = [36, 35, 94, 32, 33, 95];

function paint(open: number, close: number): Paint {
  return (text) => (text === '' ? '' : `\u001b[${open}m${text}\u001b[${close}m`);
}

const plain: Paint = (text) => text;

const COLORED: Style = {
  bold: paint(1, 22),
  dim: paint(2, 22),
  red: paint(31, 39),
  green: paint(32, 39),
  yellow: paint(33, 39),
  cyan: paint(36, 39),
  hue: (index, text) => paint(HUES[index % HUES.length] ?? 36, 39)(text),
};

const PLAIN: Style = {
  bold: plain,
  dim: plain,
  red: plain,
  green: plain,
  yellow: plain,
  cyan: plain,
  hue: (_, text) => text,
};

export function styleFor(terminal: { readonly colors: boolean }): Style {
  return terminal.colors ? COLORED : PLAIN;
}
