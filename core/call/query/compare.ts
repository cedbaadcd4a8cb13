/** An order among any values, for sorting calls by what they were made with. */
import { byCodeUnit } from '../../base/order.ts';

/**
 * Numbers by size, text by code unit, dates by time, false before true; among different kinds: undefined, null, booleans,
 * numbers, dates, text, then everything else, which stays as it is. NaN and invalid dates come after the rest of their kind.
 */
export function byValue(a: unknown, b: unknown): number {
  const kind = rank(a);
  const difference = kind - rank(b);
  if (difference !== 0) return difference;
  if (typeof a === 'string' && typeof b === 'string') return byCodeUnit(a, b);
  return kind < OTHER ? bySize(a as number, b as number) : 0;
}

const OTHER = 6;

function rank(value: unknown): number {
  switch (typeof value) {
    case 'undefined':
      return 0;
    case 'boolean':
      return 2;
    case 'number':
    case 'bigint':
      return 3;
    case 'string':
      return 5;
    default:
      return value === null ? 1 : value instanceof Date ? 4 : OTHER;
  }
}

/** For whatever `<` compares as numbers. */
function bySize(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(Number(a))) - Number(Number.isNaN(Number(b)));
}
