/**
 * Shows what was thrown: code, place, message, the line of the source with a caret below it, and the way out. Knows
 * neither streams nor exit codes.
 */
import { ConfigErrors, FlecheError, type SourcePosition, systemCode } from '../../base/errors.ts';
import type { Style } from '../terminal/style.ts';
import { harmless } from '../terminal/text.ts';
import { isSystemError } from './exit-code.ts';

interface FailureView {
  readonly style: Style;
  /** The text of a source file as an error names it, or undefined if it cannot be read. */
  readonly read: (file: string) => string | undefined;
  /** A file as an error names it, as it should be shown. */
  readonly show: (file: string) => string;
}

/** The error as lines for a person, with a line break at the end. */
export function failureText(error: unknown, view: FailureView): string {
  if (error instanceof ConfigErrors) return error.errors.map((single) => failureText(single, view)).join('');
  const { style } = view;
  if (error instanceof FlecheError && error.code !== 'BUG') {
    const place = error.at === undefined ? '' : `${placeText(error.at, view)}: `;
    const source = error.at === undefined ? '' : sourceText(error.at, view);
    const hint = error.hint === undefined ? '' : `  ${style.cyan('hint')}: ${tame(error.hint)}\n`;
    return `${head(error.code, style)}: ${place}${tame(error.message)}\n${source}${hint}`;
  }
  if (isSystemError(error)) return `${head(systemCode(error) ?? 'SYSTEM', style)}: ${tame(error.message)}\n`;
  return `${head('BUG', style)}: ${tame(stackOf(error))}\n  ${style.cyan('hint')}: This is a fault of fleche itself; please report it with the lines above.\n`;
}

/** The same as one plain object, for `--json`. */
export function failureRecord(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof ConfigErrors && error.errors.length > 1) {
    return { ...failureRecord(error.errors[0]), errors: error.errors.map((single) => failureRecord(single)) };
  }
  if (error instanceof FlecheError) {
    const { code, message, hint, at } = error;
    return { type: 'error', code, message, hint: hint ?? null, at: at ?? null };
  }
  const code = isSystemError(error) ? (systemCode(error) ?? 'SYSTEM') : 'BUG';
  return { type: 'error', code, message: error instanceof Error ? error.message : String(error), hint: null, at: null };
}

function head(code: string, style: Style): string {
  return style.bold(style.red(`error[${code}]`));
}

function placeText({ file, line, column }: SourcePosition, view: FailureView): string {
  return view.style.bold(`${harmless(view.show(file))}:${line}:${column}`);
}

/** The line at fault, with its number, and a caret under the column. */
function sourceText(at: SourcePosition, view: FailureView): string {
  const line = view.read(at.file)?.split('\n')[at.line - 1];
  if (line === undefined) return '';
  const { style } = view;
  const number = String(at.line);
  const gutter = (text: string): string => style.dim(`  ${text.padStart(number.length)} | `);
  const before = line.slice(0, at.column - 1).replace(/[^\t]/g, ' ');
  const source = harmless(line.replace(/\r$/, '').replaceAll('\t', '    '));
  return `${gutter(number)}${source}\n${gutter('')}${before.replaceAll('\t', '    ')}${style.red('^')}\n`;
}

/** Messages may have several lines; their other control characters are spelt out. */
function tame(text: string): string {
  return text.split('\n').map(harmless).join('\n');
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
