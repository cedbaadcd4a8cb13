/**
 * What an unchanged workspace costs: the time of `Workspace.inputs` over that of a plain lstat loop over the same files.
 * Run by hand: node --import tsx tests/bench/listing.ts [files] [folders]
 */
import { lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AbsPath } from '../../core/base/paths.ts';
import { Workspace } from '../../core/files/inputs/workspace.ts';
import { CountingState } from '../files/_fakes.ts';

const [files = 10_000, folders = 500] = process.argv.slice(2).map(Number);
const root = mkdtempSync(join(tmpdir(), 'fleche-')) as AbsPath;
try {
  const paths = Array.from({ length: files }, (_, at) => {
    const folder = at % folders;
    return `src/part${folder % 20}/unit${folder}/file${at}.ts`;
  });
  for (const path of paths) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), `export const value = ${JSON.stringify(path)};\n`.repeat(20));
  }
  const state = new CountingState();
  // Nothing may look young: a young file is read again.
  const clock = (): number => Date.now() + 60_000;
  const list = (workspace: Workspace): number => workspace.inputs(['src/**/*.ts'], () => false).tree.entries.length;
  const time = (work: () => unknown): number => {
    const start = performance.now();
    work();
    return performance.now() - start;
  };
  const first = time(() => list(new Workspace(root, state, clock)));
  const resident = new Workspace(root, state, clock);
  list(resident);
  const rounds = Array.from({ length: 15 }, () => ({
    plain: time(() => {
      for (const path of paths) lstatSync(`${root}/${path}`);
    }),
    cold: time(() => list(new Workspace(root, state, clock))),
    warm: time(() => list(resident)),
  }));
  const median = (kind: 'plain' | 'cold' | 'warm'): number => rounds.map((r) => r[kind]).sort((a, b) => a - b)[7] ?? 0;
  const plain = median('plain');
  const row = (name: string, ms: number): string =>
    `${name.padEnd(34)}${ms.toFixed(1).padStart(8)} ms  ${(ms / plain).toFixed(2)}`;
  console.log(`${files} files in ${folders} folders, median of 15, and the ratio to the plain loop`);
  console.log(row('plain lstat loop', plain));
  console.log(row('inputs, nothing known', first));
  console.log(row('inputs, snapshot in the store', median('cold')));
  console.log(row('inputs, snapshot in memory', median('warm')));
} finally {
  rmSync(root, { recursive: true, force: true });
}
