/**
 * Runs one benchmark: `npm run bench <name> -- [arguments]`. Without a name it says which there are. Each is a program of
 * its own, a file of this folder or the `main.ts` of a folder in it, and says in its first lines what it measures.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = import.meta.dirname;

/** The program of each benchmark, by name. */
function programs(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(FOLDER, { withFileTypes: true })) {
    const file = entry.isDirectory() ? join(FOLDER, entry.name, 'main.ts') : join(FOLDER, entry.name);
    if (entry.name === 'main.ts' || entry.name.startsWith('_') || !file.endsWith('.ts') || !existsSync(file)) continue;
    found.set(entry.name.replace(/\.ts$/, ''), file);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The first sentence of a file's header comment. */
function about(file: string): string {
  const header = /^\/\*\*([\s\S]*?)\*\//.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  const text = header.replaceAll(/\s*\n \*?\s*/g, ' ').trim();
  return text.replace(/[.:] [\s\S]*$|\.$/, '');
}

const [name = '', ...args] = process.argv.slice(2);
const known = programs();
const file = known.get(name);
if (file === undefined) {
  for (const [name, file] of known) console.log(`${name.padEnd(12)} ${about(file)}`);
  process.exitCode = name === '' ? 0 : 2;
} else {
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', file, ...args], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
