/** The environment's switch for caching, of functions and of tasks alike. */
import type { Environment } from '../terminal/style.ts';

/** Words that switch caching off in the variable FLECHE_CACHE. */
const OFF = new Set(['off', 'no', 'false', '0']);

/** Whether caches may be used: not with `FLECHE_CACHE=off`. */
export function isCachingOn(env: Environment): boolean {
  return !OFF.has((env['FLECHE_CACHE'] ?? '').trim().toLowerCase());
}
