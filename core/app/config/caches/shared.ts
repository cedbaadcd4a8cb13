/**
 * The description of a cache that machines share, out of its table: what the shapes cannot say is checked here. Nothing
 * secret is ever part of a message: an address with a password in it is refused without being shown.
 */
import { parseDuration } from '../../../base/duration.ts';
import type { AbsPath } from '../../../base/paths.ts';
import { parseSize } from '../../../base/size.ts';
import { type Table, textOf, textsOf } from '../../../base/table.ts';
import { brokenRule, type Format } from '../text/formats.ts';
import type { KeyPath, Positions } from '../text/positions.ts';
import { label, type Problems } from '../text/problems.ts';
import type { SharedCacheSpec } from './cache-spec.ts';

interface SharedSurroundings {
  readonly positions: Positions;
  readonly problems: Problems;
  /** A path of the file as an absolute one. */
  readonly resolve: (path: string) => AbsPath;
}

const TYPES: ReadonlySet<unknown> = new Set(['Http', 'Redis', 'Directory']);

/** Whether a table describes a cache that machines share. */
export function isShared({ type }: Table): boolean {
  return TYPES.has(type);
}

/** The cache, or undefined if its table has faults; those that the shapes do not find are noted. */
export function readShared(
  name: string,
  table: Table,
  path: KeyPath,
  around: SharedSurroundings,
): SharedCacheSpec | undefined {
  const place = readPlace(table, path, around);
  const publicKeys = textsOf(table['public_keys']);
  const mode = textOf(table['mode']) ?? 'read';
  const reads = mode !== 'write';
  const unsigned = table['unsigned'] === true;
  const signingKeyEnv = textOf(table['signing_key_env']);
  const wrong = (says: string, hint: string, key?: string): void =>
    around.problems.add({
      code: 'CONFIG_INVALID',
      message: `${label(key === undefined ? path : [...path, key])} ${says}`,
      hint,
      path: key === undefined ? path : [...path, key],
      on: 'key',
    });
  if (unsigned && publicKeys.length > 0) {
    wrong('goes against public_keys', 'Keep one of them: signatures count, or they do not.', 'unsigned');
  }
  if (reads && !unsigned && table['public_keys'] === undefined) {
    wrong(
      'does not say whose answers are believed',
      'Add public_keys, or unsigned = true to believe all who can write.',
    );
  }
  if (mode !== 'read' && !unsigned && signingKeyEnv === undefined) {
    wrong('does not say where its signing key is', 'Add signing_key_env, or mode = "read".');
  }
  if (place === undefined) return undefined;
  const duration = (key: string, standard: string): number => amount('duration', table[key], standard, parseDuration);
  return {
    kind: 'shared',
    name,
    at: around.positions.lazyKey(path),
    place,
    reads,
    writes: mode !== 'read',
    namespace: textOf(table['namespace']) ?? '',
    namespaceEnv: textOf(table['namespace_env']),
    signingKeyEnv,
    producerEnv: textOf(table['producer_env']),
    tokenEnv: textOf(table['token_env']),
    tokenHelper: textOf(table['token_helper']),
    publicKeys: unsigned ? undefined : publicKeys,
    require: table['require'] === true,
    maxAnswer: amount('size', table['max_answer'], '2GB', parseSize),
    exitMs: duration('exit_timeout', '30s'),
    connectMs: duration('connect_timeout', '1s'),
    timeoutMs: duration('timeout', '10s'),
  };
}

/** A text that has the wrong form is noted by the shapes. */
function amount(format: Format, value: unknown, standard: string, parse: (text: string) => number): number {
  const text = textOf(value);
  return parse(text === undefined || brokenRule(format, text) !== undefined ? standard : text);
}

function readPlace(
  table: Table,
  path: KeyPath,
  { problems, resolve }: SharedSurroundings,
): SharedCacheSpec['place'] | undefined {
  if (table['type'] === 'Directory') {
    const root = textOf(table['root']);
    return root === undefined ? undefined : { type: 'Directory', root: resolve(root) };
  }
  const text = textOf(table['url']);
  if (text === undefined) return undefined;
  const type = table['type'] === 'Redis' ? 'Redis' : 'Http';
  const fault = faultOfUrl(text, type, table);
  if (fault !== undefined) {
    const [says, hint] = fault;
    const at = [...path, 'url'];
    problems.add({ code: 'CONFIG_INVALID', message: `${label(at)} ${says}`, hint, path: at, on: 'value' });
    return undefined;
  }
  const url = new URL(text).href.replace(/\/$/, '');
  return type === 'Redis' ? { type, url } : { type, url, auth: table['auth'] === 'basic' ? 'basic' : 'bearer' };
}

const SCHEMES = { Http: ['https:', 'http:'], Redis: ['rediss:', 'redis:'] } as const;

/** What is wrong with an address, and what to do; the address is in neither. */
function faultOfUrl(text: string, type: keyof typeof SCHEMES, table: Table): readonly [string, string] | undefined {
  const [secure, plain] = SCHEMES[type];
  if (!URL.canParse(text)) return ['is not an address', `Write one such as ${secure}//cache.example.com`];
  const { protocol, username, password, search, hash, hostname } = new URL(text);
  if (username !== '' || password !== '') {
    return ['has a user or a password in it', 'Take it out, and name the variable that has it: token_env = "…"'];
  }
  if (protocol !== secure && protocol !== plain) return [`is not one of ${type}`, `It begins with ${secure}//`];
  if (search !== '' || hash !== '') return ['has more than a path', 'Take out what begins with "?" or "#".'];
  if (protocol === secure || isLoopback(hostname)) return undefined;
  if (table['insecure'] !== true) {
    return ['is not encrypted', `Use ${secure}//, or insecure = true for a network that you trust.`];
  }
  const hasToken = table['token_env'] !== undefined || table['token_helper'] !== undefined;
  return hasToken ? ['would send the token to everybody on the way', `Use ${secure}//, or no token.`] : undefined;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
