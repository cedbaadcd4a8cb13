/**
 * Programs that tests start as processes of their own, as one file each: started many at a time, they would otherwise
 * spend their time on being compiled.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

/** Inside the project, so that packages are found from there. */
const FOLDER = resolve(import.meta.dirname, '../node_modules/.cache/fleche-tests');

/** Path of the program made of a source file (absolute). It is removed with this process. */
export function bundled(source: string): string {
  mkdirSync(FOLDER, { recursive: true });
  const folder = mkdtempSync(join(FOLDER, 'program-'));
  const outfile = join(folder, `${basename(source, '.ts')}.mjs`);
  buildSync({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return outfile;
}
