/** A template of calls, and what it asks of a cache. A field that is left out matches anything; null matches null. */
import { types } from 'node:util';
import { type Awaitable, chain } from '../../base/awaitable.ts';
import { digest } from '../../base/digest.ts';
import { FlecheError } from '../../base/errors.ts';
import type { Digest } from '../../base/hash.ts';
import type { CallTerms } from '../../store/calls.ts';
import type { CallRecord, Json, Metadata } from '../../store/record.ts';
import type { CacheCore } from '../caches/cache-core.ts';
import { ARGUMENT } from '../memo/answering/question.ts';
import { all, completeRefs, containRef } from '../references.ts';

/** Matches any value, as long as there is one. */
export const ANY: unique symbol = Symbol('ANY');

export type Outcome = 'success' | 'failure' | 'any';

/** By field name: the value that must be there, or `ANY`. An empty object: the namespace must be there. */
export type MetadataTemplate = Readonly<Record<string, Readonly<Record<string, Json | typeof ANY>>>>;

export interface QueryTemplate {
  readonly kind?: CallRecord['kind'];
  readonly name?: string;
  readonly module?: string | null;
  readonly version?: string | number | null;
  /** By name: the value, a reference to it, or `ANY`. Compared by digest. */
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** The value, or a reference to it. Compared by digest. */
  readonly result?: unknown;
  readonly metadata?: MetadataTemplate;
  /** Filed at this time or later. Numbers are ms since the epoch. */
  readonly since?: Date | number;
  /** Filed before this time. */
  readonly until?: Date | number;
  /** `success` by default: failed calls have no result. */
  readonly outcome?: Outcome;
}

/** What a template asks of one cache. */
export interface Plan {
  /** Terms the cache finds records by. */
  readonly terms: CallTerms;
  /** Whether a record that has the terms also has the rest. */
  readonly accepts: (record: CallRecord) => boolean;
}

const FIELDS = new Set<string>([
  'kind',
  'name',
  'module',
  'version',
  'arguments',
  'result',
  'metadata',
  'since',
  'until',
  'outcome',
]);

export class QueryCall {
  readonly template: QueryTemplate;

  /** Throws `USAGE` for a field that templates do not have. */
  constructor(template: QueryTemplate = {}) {
    for (const field of Object.keys(template)) {
      if (FIELDS.has(field)) continue;
      throw new FlecheError('USAGE', `a query has no field "${field}"`, { hint: `It has: ${[...FIELDS].join(', ')}.` });
    }
    this.template = template;
  }

  /**
   * What to ask of a cache; undefined when a digest prefix names no value in it, so that nothing can match. Throws
   * `INDIGESTIBLE` for a value without a digest, `DIGEST_AMBIGUOUS` or `DIGEST_TOO_SHORT` for such a prefix.
   */
  plan(cache: CacheCore): Awaitable<Plan | undefined> {
    const { template } = this;
    const named = Object.entries(template.arguments ?? {});
    const wanted = named.filter(([, value]) => value !== ANY);
    const present = named.flatMap(([name, value]) => (value === ANY ? [ARGUMENT + name] : []));
    const hasResult = 'result' in template;
    const digests = all([
      ...wanted.map(([name, value]) => digestIn(cache, value, name)),
      ...(hasResult ? [digestIn(cache, template.result, 'result')] : []),
    ]);
    return chain(digests, (digests) => {
      if (digests.includes(undefined)) return undefined;
      const known = digests as readonly Digest[];
      const parts = Object.fromEntries(wanted.map(([name], at) => [ARGUMENT + name, known[at] as Digest]));
      return {
        terms: this.#terms(parts, hasResult ? known[wanted.length] : undefined),
        accepts: (record) => this.#accepts(record, present),
      };
    });
  }

  #terms(args: Readonly<Record<string, Digest>>, result: Digest | undefined): CallTerms {
    const { kind, name, module, version, metadata, since, until } = this.template;
    const tags = Object.entries(metadata?.['tags'] ?? {}).filter(
      (entry): entry is [string, string | number | boolean | null] => isScalar(entry[1]),
    );
    const parts = version === undefined ? args : { ...args, version: digest(version) };
    return {
      ...(kind !== undefined && { kind }),
      ...(name !== undefined && { name }),
      ...(module != null && { module }),
      ...(Object.keys(parts).length > 0 && { parts }),
      ...(result !== undefined && { result }),
      ...(tags.length > 0 && { tags: Object.fromEntries(tags) }),
      ...(since !== undefined && { since: Number(since) }),
      ...(until !== undefined && { until: Number(until) }),
    };
  }

  #accepts(record: CallRecord, present: readonly string[]): boolean {
    const { module, outcome = 'success', metadata } = this.template;
    if (module === null && record.module !== null) return false;
    if (outcome !== 'any' && (record.failure === null) !== (outcome === 'success')) return false;
    if (!present.every((name) => record.parts.some((part) => part.name === name))) return false;
    return metadata === undefined || fits(metadata, record.metadata);
  }
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** The digest of a value in a template; undefined when it has a prefix that names nothing here. */
function digestIn(cache: CacheCore, value: unknown, name: string): Awaitable<Digest | undefined> {
  if (!containRef([value])) return digest(value, name);
  const unknown = (error: unknown): undefined => {
    if (error instanceof FlecheError && error.code === 'DIGEST_UNKNOWN') return undefined;
    throw error;
  };
  try {
    const found = chain(completeRefs(cache, value), (complete) => digest(complete, name));
    return types.isPromise(found) ? found.catch(unknown) : found;
  } catch (error) {
    return unknown(error);
  }
}

function fits(template: MetadataTemplate, metadata: Metadata): boolean {
  return Object.entries(template).every(([namespace, fields]) => {
    const own = metadata[namespace];
    return own !== undefined && Object.entries(fields).every(([field, value]) => matches(value, own, field));
  });
}

function matches(value: Json | typeof ANY, own: Readonly<Record<string, Json>>, field: string): boolean {
  if (!Object.hasOwn(own, field)) return false;
  return value === ANY || digest(own[field]) === digest(value);
}
