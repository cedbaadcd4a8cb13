/** What a single call wants of the cache: `f.with({ … })(…)`. Never part of a key. */
import { parseDuration } from '../../../base/duration.ts';
import { FlecheError } from '../../../base/errors.ts';
import { suggest } from '../../../base/nearest.ts';

/**
 * `default`: served from the cache, else made and filed. `bypass`: made, neither looked up nor filed. `refresh`: made
 * and filed, whatever is on file. `only`: served from the cache, never made.
 */
export type CacheMode = 'default' | 'bypass' | 'refresh' | 'only';

export interface CallOptions {
  readonly cache?: CacheMode;
  /** Nothing older is served, whatever the function's options say: `"10m"` or ms; 0 is always made anew. */
  readonly maxAge?: string | number;
  /** Ends waiting for the answer with `ABORTED`. What was begun goes on, since others may wait for it too. */
  readonly signal?: AbortSignal;
}

/** The same, checked. */
export interface Controls {
  readonly mode: CacheMode;
  /** ms; infinite if nothing is said. */
  readonly maxAge: number;
  readonly signal: AbortSignal | undefined;
}

/** Of calls that want nothing in particular. */
export const ORDINARY: Controls = { mode: 'default', maxAge: Number.POSITIVE_INFINITY, signal: undefined };

const MODES: readonly CacheMode[] = ['default', 'bypass', 'refresh', 'only'];
const KEYS: readonly (keyof CallOptions)[] = ['cache', 'maxAge', 'signal'];

/** Throws `USAGE` for unknown keys and modes, `INVALID_DURATION`. */
export function controlsOf(options: CallOptions): Controls {
  for (const key of Object.keys(options)) {
    if (KEYS.some((known) => known === key)) continue;
    throw new FlecheError('USAGE', `with() knows no option "${key}"`, { hint: suggest(key, KEYS) });
  }
  const { cache = 'default', maxAge, signal } = options;
  if (!MODES.includes(cache)) {
    throw new FlecheError('USAGE', `with() knows no cache mode "${String(cache)}"`, {
      hint: suggest(String(cache), MODES),
    });
  }
  return { mode: cache, maxAge: maxAge === undefined ? ORDINARY.maxAge : parseDuration(maxAge), signal };
}

export function aborted(signal: AbortSignal): FlecheError {
  return new FlecheError('ABORTED', 'the call was aborted', { cause: signal.reason });
}

/** The answer, unless the signal comes first. */
export function orAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(aborted(signal));
    const done = (): void => signal.removeEventListener('abort', stop);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    answer.then(resolve, reject).then(done, done);
  });
}
