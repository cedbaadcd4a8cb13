/** A file system with little room. Only root can mount one, and only on Linux: elsewhere a test says so and passes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs `work` in a folder on a file system of `megabytes`, if there can be one. */
export async function onSmallDisk(megabytes: number, work: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]).status === 0;
  try {
    if (mounted) await work(folder);
    else console.log('NOT TESTED: a full disk (no file system can be mounted here; run the tests as root on Linux)');
  } finally {
    if (mounted) spawnSync('umount', [folder]);
    rmSync(folder, { recursive: true, force: true });
  }
}
