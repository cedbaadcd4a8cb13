/** How many tasks may run at once. Pure. */
import { FlecheError } from '../base/errors.ts';

/** `4`, or `50%` of the processors; at least 1. Without a wish what is configured, else one a processor. Throws `USAGE`. */
export function parseJobs(wish: string | undefined, configured: number | undefined, cpus: number): number {
  if (wish === undefined) return configured ?? cpus;
  const match = /^(\d{1,6})(%?)$/.exec(wish);
  const count = Number(match?.[1]);
  if (match === null || count === 0) {
    throw new FlecheError('USAGE', `"${wish}" is not a number of jobs`, {
      hint: 'Write a number of at least 1, or a part of the processors such as 50%.',
    });
  }
  return match[2] === '%' ? Math.max(1, Math.floor((cpus * count) / 100)) : count;
}
