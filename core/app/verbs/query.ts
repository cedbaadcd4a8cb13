/** `fleche query`: the calls on file that match, newest first. */
import { inspect } from 'node:util';
import { digest } from '../../base/digest.ts';
import { formatDuration, parseDuration } from '../../base/duration.ts';
import { FlecheError } from '../../base/errors.ts';
import type { Digest } from '../../base/hash.ts';
import { nearestName } from '../../base/nearest.ts';
import { LISTED } from '../../call/listed.ts';
import type { CallTerms, SyncCallStore } from '../../store/calls.ts';
import { decodeValue } from '../../store/codecs/value-codec.ts';
import type { CallRecord, Json } from '../../store/record.ts';
import type { SyncValueStore } from '../../store/values.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { Invocation } from '../cli/invocation.ts';
import type { VerbContext } from '../cli/verb.ts';
import { counted } from '../reporters/task-line.ts';
import { columnsText } from '../terminal/columns.ts';
import { type Style, styleFor } from '../terminal/style.ts';

/** So many are shown where nothing else is said. */
const SHOWN = 20;
const SHORT_DIGEST = 12;
export const KINDS = ['function', 'task', 'transform'] as const;

export async function query(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const project = await context.open();
  try {
    const { values, calls } = project.stores();
    const now = project.now();
    const limit = limitOf(invocation.text('limit'));
    const records: CallRecord[] = [];
    let more = 0;
    for (const record of calls.find(termsOf(invocation, now))) {
      if (record.name.endsWith(LISTED) || (invocation.flag('failed') && record.failure === null)) continue;
      if (records.length < limit) records.push(record);
      else more++;
    }
    const text = invocation.flag('json')
      ? records.map((record) => `${JSON.stringify({ type: 'call', ...record })}\n`).join('')
      : records.length === 0
        ? noneText(invocation.args[0], calls)
        : queryText(records, more, values, styleFor(machine.stdout), now);
    machine.stdout.write(text);
    return EXIT.done;
  } finally {
    await project.close();
  }
}

function termsOf(invocation: Invocation, now: number): CallTerms {
  const kind = invocation.choice('kind', KINDS);
  const [name] = invocation.args;
  const module = invocation.text('module');
  const since = invocation.text('after');
  const until = invocation.text('before');
  const arg = invocation.text('arg');
  const tag = invocation.text('tag');
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(name === undefined ? {} : { name }),
    ...(module === undefined ? {} : { module }),
    ...(since === undefined ? {} : { since: momentOf('after', since, now) }),
    ...(until === undefined ? {} : { until: momentOf('before', until, now) }),
    ...(arg === undefined ? {} : { parts: argumentOf(arg) }),
    ...(tag === undefined ? {} : { tags: tagOf(tag) }),
  };
}

/** `2h` is two hours ago; else a date. */
function momentOf(option: string, text: string, now: number): number {
  const date = Date.parse(text);
  if (/^\d{4}-/.test(text) && !Number.isNaN(date)) return date;
  try {
    return now - parseDuration(text);
  } catch (error) {
    throw new FlecheError('USAGE', `--${option}: "${text}" is no moment`, {
      hint: 'Write how long ago it was, such as 2h or 7d, or a date such as 2026-01-31.',
      cause: error,
    });
  }
}

function assignment(option: string, text: string): readonly [name: string, value: unknown] {
  const at = text.indexOf('=');
  if (at < 1) {
    throw new FlecheError('USAGE', `--${option}: "${text}" has no value`, { hint: `Write --${option} name=value.` });
  }
  return [text.slice(0, at), parsedOr(text.slice(at + 1))];
}

/** JSON where it is some, else the text itself. */
function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function argumentOf(text: string): Readonly<Record<string, Digest>> {
  const [name, value] = assignment('arg', text);
  return { [`arg:${name}`]: digest(value) };
}

function tagOf(text: string): NonNullable<CallTerms['tags']> {
  const [name, value] = assignment('tag', text);
  const isPlain = value === null || ['string', 'number', 'boolean'].includes(typeof value);
  return { [name]: isPlain ? (value as string | number | boolean | null) : text.slice(text.indexOf('=') + 1) };
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return SHOWN;
  if (text === 'all') return Number.POSITIVE_INFINITY;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new FlecheError('USAGE', `--limit: "${text}" is no count`, { hint: 'Write a whole number above 0, or "all".' });
}

/** With the name that was most likely meant, if no call at all has the one that was asked for. */
function noneText(name: string | undefined, calls: SyncCallStore): string {
  const near = name === undefined ? undefined : nearestOnFile(name, calls);
  return `no call is on file that matches${near === undefined ? '' : `; did you mean "${near}"?`}\n`;
}

function nearestOnFile(name: string, calls: SyncCallStore): string | undefined {
  const known = new Set<string>();
  for (const call of calls.find({})) if (!call.name.endsWith(LISTED)) known.add(call.name);
  return known.has(name) ? undefined : nearestName(name, known);
}

function queryText(
  records: readonly CallRecord[],
  more: number,
  values: SyncValueStore,
  style: Style,
  now: number,
): string {
  const columns = [
    { title: 'call', most: 40 },
    { title: 'kind' },
    { title: 'key' },
    { title: 'ago', right: true },
    { title: 'took', right: true },
    { title: 'made of', most: 48 },
    { title: 'tags', most: 24 },
  ] as const;
  const rows = records.map((record) => {
    const { name, kind, key, filed, failure } = record;
    const took = Number(record.metadata['runtime']?.['walltime'] ?? Number.NaN);
    return [
      failure === null ? name : `${name} (failed)`,
      kind,
      key.slice(0, SHORT_DIGEST),
      formatDuration(Math.max(0, now - filed)),
      Number.isFinite(took) && took >= 0 ? formatDuration(took) : '',
      madeOf(record, values),
      tagsText(record.metadata['tags']),
    ];
  });
  const rest = more === 0 ? '' : `${style.dim(`and ${counted(more, 'more call')}; --limit all shows them`)}\n`;
  return columnsText(columns, rows, style) + rest;
}

/** Arguments by name, as far as their values are kept. */
function madeOf({ parts }: CallRecord, values: SyncValueStore): string {
  return parts
    .flatMap(({ kind, name, blob, digest }) => {
      if (kind !== 'argument') return [];
      const bytes = blob === null ? undefined : values.get(blob);
      return [
        `${name.slice(name.indexOf(':') + 1)}=${bytes === undefined ? digest.slice(0, SHORT_DIGEST) : shown(bytes)}`,
      ];
    })
    .join(', ');
}

function shown(bytes: Uint8Array): string {
  try {
    return inspect(decodeValue(bytes), { depth: 1, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 6 });
  } catch {
    // An encoding of another version, or a tree: there is a value, and it cannot be shown.
    return '…';
  }
}

function tagsText(tags: Readonly<Record<string, Json>> | undefined): string {
  return Object.entries(tags ?? {})
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}
