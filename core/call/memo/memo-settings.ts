/** From what a user says about a function to the settings of its memo. */
import { parseDuration } from '../../base/duration.ts';
import { FlecheError } from '../../base/errors.ts';
import { parseSize } from '../../base/size.ts';
import { increasing } from '../clock.ts';
import { metrics } from '../metrics/metrics.ts';
import { Freshness } from './answering/freshness.ts';
import type { FunctionIdentity } from './function/function-identity.ts';
import type { MemoSettings } from './memo.ts';
import type { FlecheOptions } from './memoised.ts';

const wallClock = increasing(Date.now);
const elapsed = performance.now.bind(performance);
const CLEANUP_INTERVAL = '1d';

/** Throws `INVALID_DURATION`, `INVALID_SIZE`, and `USAGE` for what has no meaning together. */
export function settingsOf(options: FlecheOptions, { name, module }: FunctionIdentity): MemoSettings {
  const { maxEntrySize, waitTimeout, shouldCache, validate, now } = options;
  return {
    ignore: options.ignore ?? [],
    require: options.require ?? [],
    meta: options.meta ?? [],
    strict: options.strict ?? false,
    exclusive: options.exclusive ?? true,
    waitMs: waitTimeout === undefined ? undefined : parseDuration(waitTimeout),
    onWaitTimeout: options.onWaitTimeout ?? 'compute',
    freshness: new Freshness(options),
    purgeMs: purgeMs(options),
    validate: validate === undefined ? undefined : (value, record) => validate.call(options, value, record),
    shouldCache: shouldCache === undefined ? undefined : (value) => shouldCache.call(options, value),
    maxBytes: maxEntrySize === undefined ? Number.POSITIVE_INFINITY : parseSize(maxEntrySize),
    onIndigestible: options.onIndigestible ?? 'throw',
    onWarning: (message) => process.emitWarning(message, 'FlecheWarning'),
    now: now === undefined ? wallClock : increasing(now),
    elapsed,
    tally: metrics().tally(name, module),
  };
}

function purgeMs({ cleanupStale = false, cleanupInterval, staleAfter }: FlecheOptions): number | undefined {
  if (!cleanupStale) return undefined;
  if (staleAfter !== undefined) return parseDuration(cleanupInterval ?? CLEANUP_INTERVAL);
  throw new FlecheError('USAGE', 'cleanupStale has no meaning without staleAfter', {
    hint: 'Say with staleAfter from when on an answer is old.',
  });
}
