/** Which file the URL of a SQLite database names. Touches nothing: paths are left for the caller to make absolute. */

/** What a database without a file is called. */
export const IN_MEMORY = ':memory:';

/** A single letter is that of a drive. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

/**
 * `calls.db` of `sqlite:calls.db`, `sqlite:///calls.db` or of itself, `/var/calls.db` of `sqlite:/var/calls.db` or
 * `sqlite:////var/calls.db` (so it is in SQLAlchemy, where the form comes from), `:memory:` of `sqlite::memory:`,
 * `sqlite://` or of itself. Undefined for another scheme.
 */
export function sqlitePath(url: string): string | undefined {
  const scheme = url === IN_MEMORY ? undefined : SCHEME.exec(url)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'sqlite') return undefined;
  const rest = scheme === undefined ? url : url.slice('sqlite:'.length);
  // With an authority, which is empty, the path begins after the slash that ends it.
  const path = scheme === undefined ? rest : rest.replace(/^\/\/\/?/, '');
  return path === '' ? IN_MEMORY : path;
}
