/** Durations as people write them, `1h30m`, and as the program keeps them: milliseconds. Knows no calendar and no clock. */
import { FlecheError } from './errors.ts';

const MILLISECONDS = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
type Unit = keyof typeof MILLISECONDS;
/** Largest first. */
const UNITS: readonly Unit[] = ['w', 'd', 'h', 'm', 's', 'ms'];

const NUMBER = '\\d+(?:\\.\\d+)?';
/** What `parseDuration` reads, as the source of a regular expression: units once each, from the largest to the smallest. */
export const DURATION_PATTERN: string = `^\\s*(?=\\d)${UNITS.map((unit) => `(?:${NUMBER}${unit}\\s*)?`).join('')}$`;
const DURATION = new RegExp(DURATION_PATTERN);
const PART = new RegExp(`(${NUMBER})(${UNITS.toReversed().join('|')})`, 'g');

/**
 * Milliseconds of `1h30m`, `1.5s`, `2w 3d` or of a number of milliseconds. Throws `INVALID_DURATION` for anything else,
 * a number without a unit in a string included, and for negative and infinite numbers.
 */
export function parseDuration(duration: string | number): number {
  if (typeof duration === 'number') {
    if (Number.isFinite(duration) && duration >= 0) return duration;
    throw invalid(duration);
  }
  if (!DURATION.test(duration)) throw invalid(duration);
  let sum = 0;
  for (const [, count, unit] of duration.matchAll(PART)) sum += Number(count) * MILLISECONDS[unit as Unit];
  if (!Number.isFinite(sum)) throw invalid(duration);
  return sum;
}

function invalid(duration: string | number): FlecheError {
  return new FlecheError('INVALID_DURATION', `${JSON.stringify(duration)} is not a duration`, {
    hint: 'Write a duration such as "90s", "1h30m" or "7d"; units are w, d, h, m, s and ms, the largest first.',
  });
}

/**
 * A duration for people, in a form that `parseDuration` reads: `340ms`, `12.3s`, `1m30s`, `2d4h`. At most two units,
 * rounded to the smaller one. Takes ms, which must be finite and not negative.
 */
export function formatDuration(ms: number): string {
  const whole = Math.round(ms);
  if (whole < 1000) return `${whole}ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${tenths / 10}s`;
  for (const [at, unit] of UNITS.entries()) {
    const lower = UNITS[at + 1];
    if (lower === undefined || lower === 'ms') break;
    const rounded = Math.round(ms / MILLISECONDS[lower]) * MILLISECONDS[lower];
    if (rounded < MILLISECONDS[unit]) continue;
    const count = Math.floor(rounded / MILLISECONDS[unit]);
    const rest = Math.round((rounded - count * MILLISECONDS[unit]) / MILLISECONDS[lower]);
    return rest === 0 ? `${count}${unit}` : `${count}${unit}${rest}${lower}`;
  }
  return `${tenths / 10}s`;
}
