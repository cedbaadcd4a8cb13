/**
 * Text that came from elsewhere, made fit for a terminal: names and paths must not move the cursor, what tasks print
 * may have colours and nothing else. Also widths, in cells.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A name or path with its control characters and direction overrides spelt out, such as `\x1b`. */
export function harmless(text: string): string {
  return text.replace(HARMFUL, (char) => {
    const code = char.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Escape sequences: operating system and device strings, then control sequences, then what is left of others. */
const ESCAPE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|\u001b[ -/]*[0-~]?/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const COLOR = /^\u001b\[[0-9;:]*m$/;
/** Every control character but tab and escape, and what turns the direction of text around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001a\u001c-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
const RESET = '\u001b[0m';

/**
 * One line of a task's output as it may be shown: what a carriage return has overwritten is gone, colours are kept if
 * wanted and end with the line, everything else that would act on the terminal is dropped.
 */
export function tameLine(line: string, colors: boolean): string {
  let text = line;
  if (text.includes('\r')) {
    text = text.replace(/\r+$/, '');
    text = text.slice(text.lastIndexOf('\r') + 1);
  }
  let colored = false;
  text = text.replace(ESCAPE, (sequence) => {
    if (!colors || !COLOR.test(sequence)) return '';
    colored = true;
    return sequence;
  });
  text = text.replace(CONTROL, '');
  return colored ? text + RESET : text;
}

/** Ranges of code points that take two cells: Hangul, CJK and its symbols, full-width forms, emoji. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x23e9, 0x23ec],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1faff],
  [0x20000, 0x3fffd],
];
const NARROW = /^[\u0020-\u007e]*$/;
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

function cellsOf(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (ZERO.test(char)) return 0;
  return WIDE.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** How many cells a text without control characters takes. */
export function widthOf(text: string): number {
  if (NARROW.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += cellsOf(char);
  return width;
}

/** The text, or as much of it as fits `width` cells with `…` at its end. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let left = width - 1;
  let kept = '';
  for (const char of text) {
    left -= cellsOf(char);
    if (left < 0) break;
    kept += char;
  }
  return width <= 0 ? '' : `${kept}…`;
}

/** The text, or the beginning and the end of it with `…` between them, in `width` cells: names differ most at their ends. */
export function squeezed(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let end = '';
  let left = Math.ceil((width - 1) / 2);
  for (const char of [...text].toReversed()) {
    left -= cellsOf(char);
    if (left < 0) break;
    end = char + end;
  }
  return cut(text, width - widthOf(end)) + end;
}

/** The text with blanks at its end up to `width` cells. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}
