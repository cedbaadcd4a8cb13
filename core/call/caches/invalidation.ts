/**
 * Invalidation: an explicit act by which calls, and everything made of what they made, are no longer on file. All of
 * them are removed in one step, so that no dependent outlives what it was made of.
 */
import { digest } from '../../base/digest.ts';
import { FlecheError } from '../../base/errors.ts';
import { asKey, type Digest, isDigest, type Key } from '../../base/hash.ts';
import { nearestName } from '../../base/nearest.ts';
import type { RelPath } from '../../base/paths.ts';
import { FileRef } from '../../files/refs.ts';
import type { CallRecord } from '../../store/record.ts';
import { idOf, tellInvalidated } from '../follower.ts';
import { Lineage } from '../lineage.ts';
import { LISTED } from '../listed.ts';
import { expandKey } from '../prefix.ts';
import { disown } from '../under-way.ts';
import type { CacheCore } from './cache-core.ts';
import { collect } from './transfer.ts';

/**
 * What is no longer to be relied on: a call by its key or the beginning of one, all calls of a function or task by name,
 * all calls that read or wrote a file. A text stands for the first of these that there is.
 */
export type Invalidatable =
  | string
  | { readonly key: string }
  | { readonly name: string; readonly module?: string | null; readonly kind?: CallRecord['kind'] }
  /** `file` is relative to the project; `content` is the digest of its bytes, by which functions know it. */
  | { readonly file: string; readonly content?: Digest };

export interface InvalidateOptions {
  /** Only tell what would be invalidated. */
  readonly dryRun?: boolean;
}

/** A call that was, or would be, invalidated. Each stands where it was first met. */
export interface InvalidatedCall {
  readonly key: Key;
  readonly kind: CallRecord['kind'];
  readonly name: string;
  readonly module: string | null;
  /** ms since the epoch. */
  readonly filed: number;
  /** The part by which it depends on the call above it, such as `arg:x`; null for what was named itself. */
  readonly through: string | null;
  readonly dependents: readonly InvalidatedCall[];
}

export interface Invalidation {
  readonly dryRun: boolean;
  /** How many calls there are in `calls`, dependents included. */
  readonly count: number;
  readonly calls: readonly InvalidatedCall[];
}

/**
 * Removes calls and, transitively, all that used what they made. Throws `CALL_UNKNOWN` for what is not on file,
 * `DIGEST_AMBIGUOUS`, and `CACHE_READ_ONLY` where nothing can be removed.
 */
export async function invalidate(
  cache: CacheCore,
  what: Invalidatable | readonly Invalidatable[],
  { dryRun = false }: InvalidateOptions = {},
): Promise<Invalidation> {
  const lineage = new Lineage(cache);
  const named: CallRecord[] = [];
  for (const each of isList(what) ? what : [what]) named.push(...(await recordsOf(cache, lineage, each)));
  const seen = new Set<Key>();
  const nodes: Node[] = [];
  const add = (record: CallRecord, through: string | null, to: Node[], queue: Node[]): void => {
    if (seen.size === seen.add(record.key).size) return;
    const node: Node = { record, through, dependents: [] };
    nodes.push(node);
    to.push(node);
    queue.push(node);
  };
  const roots: Node[] = [];
  const queue: Node[] = [];
  for (const record of named) add(record, null, roots, queue);
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    for (const { record, through } of await lineage.dependentsOf(node.record, node.through)) {
      add(record, through, node.dependents, queue);
    }
  }
  if (!dryRun && seen.size > 0) {
    const functions = functionsAmong(nodes);
    const ids = new Set(functions.map(idOf));
    disown((call) => ids.has(idOf(call.of)));
    const removed = await cache.evictAll(seen);
    if (removed === 0) throw new FlecheError('CACHE_READ_ONLY', 'this cache does not let calls be removed');
    await cache.flush();
    await Promise.all(functions.map((each) => tellInvalidated(each)));
  }
  return { dryRun, count: seen.size, calls: roots.map(told) };
}

interface Node {
  readonly record: CallRecord;
  readonly through: string | null;
  readonly dependents: Node[];
}

/** Each function whose calls are among these, once. */
function functionsAmong(nodes: readonly Node[]): readonly CallRecord[] {
  const calls = nodes.map(({ record }) => record).filter(({ kind }) => kind === 'function');
  return [...new Map(calls.map((record) => [idOf(record), record])).values()];
}

function told({ record, through, dependents }: Node): InvalidatedCall {
  const { key, kind, name, module, filed } = record;
  return { key, kind, name, module, filed, through, dependents: dependents.map(told) };
}

/** `Array.isArray` does not narrow a read-only array type. */
function isList(what: Invalidatable | readonly Invalidatable[]): what is readonly Invalidatable[] {
  return Array.isArray(what);
}

async function recordsOf(cache: CacheCore, lineage: Lineage, what: Invalidatable): Promise<readonly CallRecord[]> {
  if (typeof what === 'string') return recordsMeant(cache, lineage, what);
  if ('key' in what) return required(await recordsUnder(cache, what.key), `under ${what.key}`);
  if ('file' in what)
    return required(await recordsAbout(lineage, what.file, what.content), `about the file ${what.file}`);
  const { name, module, kind } = what;
  const records = await collect(cache.find(kind === undefined ? { name } : { name, kind }));
  const wanted = module === undefined ? records : records.filter((record) => record.module === module);
  return required(wanted, `of "${name}"`);
}

async function recordsMeant(cache: CacheCore, lineage: Lineage, text: string): Promise<readonly CallRecord[]> {
  if (isDigest(text)) return required(await recordsUnder(cache, text), `under ${text}`);
  const named = await collect(cache.find({ name: text }));
  if (named.length > 0) return named;
  const keyed = /^[0-9a-f]{4,}$/i.test(text) ? await recordsUnder(cache, text) : [];
  if (keyed.length > 0) return keyed;
  const about = await recordsAbout(lineage, text);
  return about.length > 0 ? about : required([], `for "${text}"`, await nearestOnFile(cache, text));
}

/** A name on file that may have been meant. */
async function nearestOnFile(cache: CacheCore, text: string): Promise<string | undefined> {
  const names = new Set((await collect(cache.find({}))).map(({ name }) => name));
  return nearestName(
    text,
    [...names].filter((name) => !name.endsWith(LISTED)),
  );
}

async function recordsUnder(cache: CacheCore, prefix: string): Promise<readonly CallRecord[]> {
  let key: Key;
  try {
    key = isDigest(prefix) ? asKey(prefix) : await expandKey(cache, prefix);
  } catch (error) {
    if (error instanceof FlecheError && error.code === 'DIGEST_UNKNOWN') return [];
    throw error;
  }
  const record = await cache.lookup(key);
  return record === undefined ? [] : [record];
}

async function recordsAbout(lineage: Lineage, path: string, content?: Digest): Promise<readonly CallRecord[]> {
  const about = await lineage.callsAbout(path);
  if (content === undefined) return about;
  const versions = [false, true].map((executable) => digest(new FileRef('', path as RelPath, content, executable)));
  const found: CallRecord[] = [...about];
  for (const version of versions) found.push(...(await lineage.usersOf(version)).map(({ record }) => record));
  return found;
}

function required(records: readonly CallRecord[], what: string, near?: string): readonly CallRecord[] {
  if (records.length > 0) return records;
  throw new FlecheError('CALL_UNKNOWN', `no call is on file ${what}`, {
    hint:
      near === undefined
        ? 'Name a function or task, a key or the beginning of one, or a file relative to the project.'
        : `Did you mean "${near}"?`,
  });
}
