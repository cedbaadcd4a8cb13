/** The switch for the whole process: with caching off every memoised function runs as if it were none. */
import { type Restorable, restorable } from './context.ts';

let on = true;

/** Whether memoised functions use caches. */
export function caching(): boolean;
/** Switches caching on or off for all functions of the process, until restored. */
export function caching(wanted: boolean): Restorable;
export function caching(wanted?: boolean): boolean | Restorable {
  if (wanted === undefined) return on;
  const before = on;
  on = wanted;
  return restorable(() => {
    on = before;
  });
}
