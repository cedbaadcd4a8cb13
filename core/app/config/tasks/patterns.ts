/** Paths and patterns that are written in a package, as they are seen from the project. */
import { FlecheError } from '../../../base/errors.ts';
import { normalRel, type RelPath } from '../../../base/paths.ts';
import { textsOf } from '../../../base/table.ts';
import { expandBraces } from '../../../files/globs/braces.ts';
import type { Package } from '../../packages/packages.ts';
import { brokenRule } from '../text/formats.ts';
import { label } from '../text/problems.ts';
import type { Spot } from './task-text.ts';

/** A path as it is seen from the project, of one that is written in a package. */
export function pathOf(text: string, { folder }: Package): RelPath {
  const path = text.replaceAll('\\', '/');
  if (path.startsWith('//')) return normalRel(path.replace(/^\/+/, './'));
  return normalRel(folder === '.' ? path : `${folder}/${path}`);
}

/**
 * Patterns in normal form and as they are seen from the project, so that equal ones are written alike; none if the form of
 * one is wrong. `spot` leads to the list, or to one of its elements.
 */
export function readPatterns(
  value: unknown,
  format: 'pattern' | 'output',
  home: Package,
  spot: (...index: readonly number[]) => Spot,
): readonly string[] {
  const written = textsOf(value);
  if (written.length === 0 || !notePatterns(written, format, spot)) return [];
  const patterns = written.map((pattern) => patternFrom(home, pattern));
  for (const [index, pattern] of patterns.entries()) noteAround(pattern, () => spot(index));
  return patterns;
}

/** Notes what is wrong with a list of patterns beyond their form; false if the form of one is wrong. */
export function notePatterns(
  written: readonly string[],
  format: 'pattern' | 'output',
  spot: (...index: readonly number[]) => Spot,
): boolean {
  if (written.some((pattern) => brokenRule(format, pattern) !== undefined)) return false;
  const add = ({ path, problems }: Spot, message: string, hint: string): void =>
    problems.add({ code: 'CONFIG_INVALID', message: `${label(path)} ${message}`, hint, path, on: 'value' });
  if (written.length > 0 && written.every((pattern) => pattern.startsWith('!'))) {
    add(spot(), 'only takes files away', 'Put a pattern without "!" before the others, such as "**".');
  }
  for (const [index, pattern] of written.entries()) {
    if (!isTooWide(pattern)) continue;
    add(spot(index), 'stands for too many words', 'Use * or ** instead of so many alternatives in braces.');
  }
  return true;
}

/**
 * Notes a pattern, as it is seen from the project, that walks through all that is around it, which may be a whole disk.
 * What it names beside the project, a file or a folder, it may read.
 */
export function noteAround(pattern: string, spot: () => Spot): void {
  const outside = /^!?(?:\.\.\/)*\.\.(?:\/([^/]*)|$)/.exec(pattern);
  if (outside === null || (outside[1] !== undefined && !/[*?[\](){}]/.test(outside[1]))) return;
  const { path, problems } = spot();
  const message = `${label(path)}: "${pattern}" walks through everything around the project`;
  const hint =
    'Patterns end at the root of the project; beside it a file or folder has to be named, such as "../shared/*.json".';
  problems.add({ code: 'CONFIG_INVALID', message, hint, path, on: 'value' });
}

function isTooWide(pattern: string): boolean {
  if (!pattern.includes('{')) return false;
  try {
    expandBraces(pattern);
    return false;
  } catch (error) {
    if (error instanceof FlecheError && error.code === 'CONFIG_INVALID') return true;
    throw error;
  }
}

/** A pattern as it is seen from the project. */
export function patternFrom({ folder }: Package, pattern: string): string {
  const negation = pattern.startsWith('!') ? '!' : '';
  const text = pattern.slice(negation.length);
  if (/^[\\/]{2}/.test(text)) return negation + normalPattern(text);
  if (folder === '.') return negation + normalPattern(text);
  const [, up = '', rest = ''] = /^((?:\.\.?[\\/]+)*)(.*)$/s.exec(text) ?? [];
  const base = normalRel(`${folder}/${up.replaceAll('\\', '/')}`);
  return negation + normalPattern(base === '.' ? rest : `${base}/${rest}`);
}

/** An empty step, one of a single dot, or a backslash. */
const ABNORMAL = /\\|^\/|\/\/|\/$|(?:^|\/)\.(?:\/|$)/;

function normalPattern(pattern: string): string {
  if (!ABNORMAL.test(pattern)) return pattern;
  const steps = pattern.replaceAll('\\', '/').split('/');
  const kept = steps.filter((step) => step !== '' && step !== '.');
  return kept.length === 0 ? '**' : kept.join('/');
}
