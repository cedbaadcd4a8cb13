/**
 * What outputs cost: taking in, finding right, and putting back. The store is in memory, so that only the workspace side
 * is measured. Run by hand: node --import tsx tests/bench/outputs.ts [files] [folders]
 */
import { lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AbsPath } from '../../core/base/paths.ts';
import { Globs } from '../../core/files/globs/globs.ts';
import { Outputs } from '../../core/files/outputs/outputs.ts';
import { MemoryStateStore, MemoryValueStore } from '../../core/store/memory.ts';

const [files = 10_000, folders = 500] = process.argv.slice(2).map(Number);
const base = mkdtempSync(join(tmpdir(), 'fleche-'));
const root = join(base, 'root') as AbsPath;
try {
  const state = new MemoryStateStore();
  const values = new MemoryValueStore();
  const open = (): Outputs =>
    new Outputs(root, state, values, {
      trashDir: join(base, 'trash') as AbsPath,
      onWarning: (message) => console.log(message),
      // Nothing may look young: a young file is read again.
      clock: () => Date.now() + 60_000,
    });
  const globs = new Globs(['dist/**']);
  const paths = Array.from({ length: files }, (_, at) => `dist/part${at % 20}/unit${at % folders}/file${at}.js`);
  const time = (name: string, work: () => unknown): void => {
    const start = performance.now();
    work();
    const ms = performance.now() - start;
    console.log(
      `${name.padEnd(44)}${ms.toFixed(1).padStart(9)} ms ${((ms * 1000) / files).toFixed(2).padStart(8)} µs a file`,
    );
  };
  mkdirSync(root);
  const prepared = open().prepare('task', globs, true);
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `export const value = ${JSON.stringify(path)};\n`.repeat(80));
  }
  console.log(`${files} files of about 4 KB in ${folders} folders`);
  let tree = open().capture(prepared).tree;
  time('capture, contents in the store', () => {
    tree = open().capture(prepared).tree;
  });
  for (let round = 1; round <= 3; round++) {
    time('plain lstat loop', () => {
      for (const path of paths) lstatSync(`${root}/${path}`);
    });
    time('restore, nothing to do, ledger in the store', () => open().restore('task', globs, tree));
  }
  const resident = open();
  resident.restore('task', globs, tree);
  time('restore, nothing to do, ledger in memory', () => resident.restore('task', globs, tree));
  // Moved away and not removed: a file system makes files slowly just after many were removed.
  renameSync(join(root, 'dist'), join(base, 'away'));
  time('restore, everything', () => open().restore('task', globs, tree));
  time('the first look after it', () => open().restore('task', globs, tree));
  time('prepare, removing everything', () => open().prepare('task', globs, true));
} finally {
  rmSync(base, { recursive: true, force: true });
}
