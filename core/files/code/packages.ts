/** Installed npm packages, found as Node finds them: the nearest `node_modules` upward from a folder. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode } from '../../base/errors.ts';

/** The version of the package that code in `dir` (absolute) would import as `name`, or undefined if none is installed. */
export function installedVersion(dir: string, name: string): string | undefined {
  for (let folder = dir; ; folder = dirname(folder)) {
    const version = versionIn(join(folder, 'node_modules', name, 'package.json'));
    if (version !== undefined) return version;
    if (dirname(folder) === folder) return undefined;
  }
}

function versionIn(manifest: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(manifest, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  } catch {
    // A manifest that is not JSON names no version; the package counts as not installed.
  }
  return undefined;
}
