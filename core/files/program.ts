/**
 * Where the programs are that fleche runs beside itself, in threads and processes: built, beside the rest of it; in
 * development as source, which takes a loader.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

export interface Program {
  readonly file: URL;
  /** The module that lets Node load the file; undefined if it needs none. */
  readonly loader: URL | undefined;
}

/** The program whose source (`name.ts`) is at `source`. */
export function programOf(source: URL): Program {
  const name = source.pathname.slice(source.pathname.lastIndexOf('/') + 1).replace(/\.ts$/, '.js');
  const built = new URL(`./${name}`, import.meta.url);
  if (existsSync(built)) return { file: built, loader: undefined };
  return { file: source, loader: pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm')) };
}
