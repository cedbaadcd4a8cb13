/**
 * Optional peer packages: installed only by those who use a storage that needs one, and loaded when it is first used.
 * Loading by a name that is not written at the call keeps bundlers from following it.
 */
import { createRequire } from 'node:module';
import { FlecheError, messageOf, systemCode } from '../base/errors.ts';

const require = createRequire(import.meta.url);

/**
 * The CommonJS package `name`, at once. `purpose` says what needs it, such as `a SQLite calls store`. Throws
 * `PEER_MISSING` if it is not installed, or not for this platform.
 */
export function requirePeer(name: string, purpose: string): unknown {
  try {
    return require(name);
  } catch (error) {
    throw missing(name, purpose, error);
  }
}

/** The ES module `name`; rejects like `requirePeer`. */
export async function importPeer(name: string, purpose: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (error) {
    throw missing(name, purpose, error);
  }
}

function missing(name: string, purpose: string, cause: unknown): FlecheError {
  const code = systemCode(cause);
  const absent = code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
  const problem = absent ? 'is not installed' : `does not load: ${messageOf(cause)}`;
  // `h5wasm/node` is a part of the package `h5wasm`.
  const root = name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : name.split('/')[0];
  return new FlecheError('PEER_MISSING', `${purpose} needs the package "${root}", which ${problem}`, {
    hint: `npm install ${root}`,
    cause,
  });
}
