/** What the URL of a SQL store means. Touches nothing: paths are left for the caller to make absolute. */
import { FlecheError } from '../../base/errors.ts';

export type SqlPlace =
  /** A path as it stands in the URL, relative or not, or `:memory:`. */
  { readonly kind: 'sqlite'; readonly path: string } | { readonly kind: 'postgres'; readonly url: string };

const SCHEME = /^([a-z][a-z0-9+.-]+):/i;
const MEMORY = ':memory:';

/**
 * `sqlite:calls.db`, `sqlite:///calls.db` (both relative), `sqlite:/var/calls.db`, `sqlite:////var/calls.db` (both
 * absolute), `sqlite::memory:`, `sqlite://` and `:memory:` (no file), a bare path, or `postgres://…` (`postgresql://…`).
 * Throws `CONFIG_INVALID` for any other scheme.
 */
export function sqlPlace(url: string): SqlPlace {
  if (url === MEMORY) return { kind: 'sqlite', path: MEMORY };
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) return { kind: 'sqlite', path: url };
  if (scheme === 'postgres' || scheme === 'postgresql') return { kind: 'postgres', url };
  if (scheme !== 'sqlite') {
    throw new FlecheError('CONFIG_INVALID', `there is no SQL store for "${scheme}:" URLs`, {
      hint: 'Use "sqlite:calls.db" for a file or "postgres://user@host/database" for a server.',
    });
  }
  const rest = url.slice('sqlite:'.length);
  // With an authority, which is empty, the path begins after the slash that ends it.
  const path = rest.startsWith('//') ? rest.replace(/^\/\/\/?/, '') : rest;
  return { kind: 'sqlite', path: path === '' ? MEMORY : path };
}
