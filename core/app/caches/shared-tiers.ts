/**
 * Makes shared tiers of their descriptions. Here, and nowhere else, credentials come out of the environment or out of a
 * helper command; they go to the client of the server and to nobody else.
 */
import { FlecheError } from '../../base/errors.ts';
import { SharedTier } from '../../call/shared/shared-tier.ts';
import { DirectoryRemote } from '../../store/remote/directory-remote.ts';
import { HttpRemote } from '../../store/remote/http-remote.ts';
import { proxyFor } from '../../store/remote/proxy.ts';
import { RedisRemote } from '../../store/remote/redis-remote.ts';
import { NAMESPACE, RemoteFault, type RemoteStore } from '../../store/remote/remote.ts';
import { Signer, Verifier } from '../../store/remote/signing.ts';
import type { SharedCacheSpec } from '../config/caches/cache-spec.ts';
import type { Environment } from '../terminal/style.ts';
import { sharedMode } from './shared-mode.ts';

interface TierSurroundings {
  readonly env: Environment;
  readonly strict: boolean;
  readonly onTrouble: (message: string) => void;
}

/** Connections to one server, and questions at a time. */
const WIDTH = 16;
/** The helper may ask a person. */
const HELPER_TIMEOUT = 60_000;
/** Shorter parts of secrets stand in many texts by accident. */
const LEAST_WORD = 16;
const LEAST_PASSWORD = 6;

/** Undefined for one that is neither read nor written here. Throws `CONFIG_INVALID` for keys and names that are none. */
export function openTier(spec: SharedCacheSpec, { env, strict, onTrouble }: TierSurroundings): SharedTier | undefined {
  const { reads, writes } = sharedMode(spec, env);
  if (!reads && !writes) return undefined;
  const namespace = namespaceOf(spec, env);
  const signingKey = variable(env, spec.signingKeyEnv);
  const token = variable(env, spec.tokenEnv);
  const login = credentials(spec, token);
  return at(spec, () => {
    const verifier = spec.publicKeys === undefined ? undefined : new Verifier(spec.publicKeys);
    const signer = spec.publicKeys === undefined || signingKey === undefined ? undefined : new Signer(signingKey);
    if (writes && signer !== undefined && spec.publicKeys?.length && verifier?.knows(signer.key) === false)
      onTrouble(
        `the shared cache "${spec.name}": ${spec.signingKeyEnv} is the key to none of its public_keys: who has these believes nothing that is sent with it`,
      );
    return new SharedTier({
      name: spec.name,
      store: storeOf(spec, namespace, login, env),
      namespace,
      reads,
      writes,
      verifier,
      signer,
      producer: variable(env, spec.producerEnv) ?? null,
      require: spec.require || strict,
      maxAnswer: spec.maxAnswer,
      secrets: async () => [signingKey, await login().catch(() => undefined)].flatMap(forms),
      onTrouble,
      now: () => performance.now(),
      width: WIDTH,
      exitMs: spec.exitMs,
    });
  });
}

function namespaceOf({ namespace, namespaceEnv, at }: SharedCacheSpec, env: Environment): string {
  const given = variable(env, namespaceEnv);
  if (given === undefined) return namespace;
  if (NAMESPACE.test(given)) return given;
  throw new FlecheError('CONFIG_INVALID', `${namespaceEnv} is not a namespace: ${JSON.stringify(given)}`, {
    at,
    hint: 'Set it to names of letters, digits, "-" and "_", with "/" between them, such as "pr/17".',
  });
}

/** Says where in the configuration a key is named that is none. */
function at<T>(spec: SharedCacheSpec, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof FlecheError) || error.at !== undefined) throw error;
    const { code, message, hint } = error;
    throw new FlecheError(code, `the cache "${spec.name}": ${message}`, { hint, at: spec.at });
  }
}

/** What of a secret must not be printed: all of it, its words, such as the middle of a key, and the password of a login. */
function forms(secret: string | undefined): readonly string[] {
  if (secret === undefined) return [];
  const words = secret.split(/\s+/).filter((word) => word.length >= LEAST_WORD && !word.startsWith('-----'));
  const password = secret.slice(secret.indexOf(':') + 1);
  return [...new Set([secret, ...words, ...(password.length >= LEAST_PASSWORD ? [password] : [])])];
}

/** An empty variable counts as none: that is how CI systems hand over secrets that a job may not have. */
function variable(env: Environment, name: string | undefined): string | undefined {
  const value = name === undefined ? undefined : env[name]?.trim();
  return value === '' ? undefined : value;
}

/** `env`: where proxies are named. */
function storeOf(
  spec: SharedCacheSpec,
  namespace: string,
  token: () => Promise<string | undefined>,
  env: Environment,
): RemoteStore {
  const { place, connectMs, timeoutMs } = spec;
  switch (place.type) {
    case 'Directory':
      return new DirectoryRemote({ root: place.root, namespace, now: Date.now });
    case 'Http':
      return new HttpRemote({
        url: place.url,
        namespace,
        authorization: async () => header(place.auth, await token()),
        connectMs,
        timeoutMs,
        connections: WIDTH,
        proxy: proxyFor(new URL(place.url), env),
      });
    case 'Redis':
      return new RedisRemote({
        url: place.url,
        namespace,
        login: async () => login(await token()),
        connectMs,
        timeoutMs,
      });
  }
}

function header(auth: 'bearer' | 'basic', token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  return auth === 'bearer' ? `Bearer ${token}` : `Basic ${Buffer.from(token).toString('base64')}`;
}

function login(token: string | undefined): { readonly username?: string; readonly password: string } | undefined {
  if (token === undefined) return undefined;
  const colon = token.indexOf(':');
  return colon < 0 ? { password: token } : { username: token.slice(0, colon), password: token.slice(colon + 1) };
}

/** The token, from its variable or from its helper, which is asked once. */
function credentials({ tokenHelper }: SharedCacheSpec, token: string | undefined): () => Promise<string | undefined> {
  if (token !== undefined || tokenHelper === undefined) return () => Promise.resolve(token);
  let asked: Promise<string> | undefined;
  return () => {
    asked ??= helped(tokenHelper);
    return asked;
  };
}

async function helped(command: string): Promise<string> {
  const { execFile } = await import('node:child_process');
  const isWindows = process.platform === 'win32';
  const [shell, ...words] = isWindows ? ['cmd.exe', '/d', '/s', '/c', command] : ['/bin/sh', '-c', command];
  return new Promise((resolve, reject) => {
    execFile(shell ?? '', words, { timeout: HELPER_TIMEOUT, windowsHide: true }, (error, stdout) => {
      const token = stdout.trim();
      // What the helper printed may be a part of the secret.
      if (error !== null || token === '') reject(new RemoteFault('refused', 'the helper gave no token'));
      else resolve(token);
    });
  });
}
