/** What may be done with a shared cache in this process: what the configuration says, narrowed by the environment. */
import type { SharedCacheSpec } from '../config/caches/cache-spec.ts';
import type { Environment } from '../terminal/style.ts';

interface SharedMode {
  readonly reads: boolean;
  readonly writes: boolean;
}

const NARROWED: Readonly<Record<string, SharedMode>> = {
  off: { reads: false, writes: false },
  read: { reads: true, writes: false },
  write: { reads: false, writes: true },
};

/** `FLECHE_SHARED_MODE` is `off`, `read` or `write`. Without the key to sign with nothing is written. */
export function sharedMode(spec: SharedCacheSpec, env: Environment): SharedMode {
  const wish = NARROWED[(env['FLECHE_SHARED_MODE'] ?? '').trim().toLowerCase()];
  const canSign = spec.publicKeys === undefined || (env[spec.signingKeyEnv ?? ''] ?? '').trim() !== '';
  return { reads: spec.reads && wish?.reads !== false, writes: spec.writes && canSign && wish?.writes !== false };
}
