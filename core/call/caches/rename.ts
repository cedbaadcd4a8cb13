/** Re-filing the calls of a function that was renamed or moved, so that its past answers stay answers. */
import { digest } from '../../base/digest.ts';
import { FlecheError } from '../../base/errors.ts';
import type { CallRecord, Part } from '../../store/record.ts';
import { fingerprint } from '../fingerprint.ts';
import type { CacheCore } from './cache-core.ts';
import { collect } from './transfer.ts';

/** A function as records know it. A module that is left out means any (from) or the same as before (to). */
export interface FunctionName {
  readonly name?: string;
  readonly module?: string | null;
}

export interface RenameReport {
  readonly renamed: number;
  /** Left as they are, because the new name has an answer to the same call. */
  readonly conflicts: number;
}

/** Files every call of `from` as a call of `to`. A call that `to` has on file already is left where it is. */
export async function rename(cache: CacheCore, from: FunctionName, to: FunctionName): Promise<RenameReport> {
  if (from.name === undefined && from.module === undefined) {
    throw new FlecheError('USAGE', 'say which function is renamed: a name, a module, or both', {
      hint: "Pass it as the second argument, such as { name: 'old' }.",
    });
  }
  const report = { renamed: 0, conflicts: 0 };
  const terms =
    from.name === undefined ? { kind: 'function' as const } : { kind: 'function' as const, name: from.name };
  for (const record of await collect(cache.find(terms))) {
    if (from.module !== undefined && record.module !== from.module) continue;
    const renamed = refiled(record, to);
    if (renamed.key === record.key) continue;
    if ((await cache.lookup(renamed.key)) !== undefined) {
      report.conflicts++;
      continue;
    }
    if (await cache.file(renamed)) {
      await cache.flush();
      await cache.evict(record.key);
      report.renamed++;
    }
  }
  await cache.flush();
  return report;
}

function refiled(record: CallRecord, to: FunctionName): CallRecord {
  const name = to.name ?? record.name;
  const module = to.module === undefined ? record.module : to.module;
  const identity: Readonly<Record<string, unknown>> = { name, module };
  const parts = record.parts.map(
    (part): Part =>
      part.kind === 'identity' && part.name in identity ? { ...part, digest: digest(identity[part.name]) } : part,
  );
  return { ...record, ...fingerprint(parts), name, module };
}
