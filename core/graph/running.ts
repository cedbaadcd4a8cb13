/**
 * The commands that run, noted in a folder, so that none of them outlives the process that started it: one that ends by
 * itself takes them along, and after one that was killed the next one finds them here.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../base/errors.ts';
import { identityOf, isRunning, SELF } from '../store/owner.ts';
import { ProcessGroup } from './process-group.ts';

const running = new Set<ProcessGroup>();
process.on('exit', () => {
  for (const group of running) group.kill();
});

export interface RunningEntry {
  /** The group has ended. */
  remove(): void;
}

/** Notes in a folder, which is made if it is missing, that a group runs. */
export function noteRunning(folder: string, group: ProcessGroup): RunningEntry {
  const file = join(folder, String(group.id));
  running.add(group);
  const text = JSON.stringify({ owner: SELF, leader: identityOf(group.id) });
  try {
    writeFileSync(file, text);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text);
  }
  return {
    remove: () => {
      running.delete(group);
      rmSync(file, { force: true });
    },
  };
}

/**
 * Ends every noted group whose process is gone, and waits until it has ended. Groups of processes that live are left
 * alone. Returns how many were ended.
 */
export async function endOrphans(folder: string): Promise<number> {
  const orphans = namesIn(folder).flatMap((name) => (/^[1-9]\d+$/.test(name) ? (orphanOf(folder, name) ?? []) : []));
  for (const group of orphans) group.kill();
  await Promise.all(orphans.map((group) => group.gone(REAP)));
  for (const group of orphans) rmSync(join(folder, String(group.id)), { force: true });
  return orphans.length;
}

const REAP = 1000;

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The group of an entry if it is nobody's any more. An entry of an earlier start of the machine is removed. */
function orphanOf(folder: string, name: string): ProcessGroup | undefined {
  const file = join(folder, name);
  const entry = entryOf(file);
  if (entry !== undefined && isRunning(entry.owner)) return undefined;
  const group = new ProcessGroup(Number(name));
  // A group's number is not given to a new process while anyone is left in it; a leader that is another process by now
  // shows that nobody was.
  const now = identityOf(group.id);
  const isSame = entry !== undefined && entry.owner.host === SELF.host && (now === null || now === entry.leader);
  if (isSame && group.alive()) return group;
  rmSync(file, { force: true });
  return undefined;
}

interface Entry {
  readonly owner: typeof SELF;
  readonly leader: string | null;
}

function entryOf(file: string): Entry | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Entry;
  } catch {
    // Cut short when its process was killed, or removed meanwhile.
    return undefined;
  }
}
