/**
 * A process that uses an environment: `_lmdb-user.ts <what> <folder> …`. It leaves lines in `log` beside the folder, and
 * waits for files there.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import type { Database } from 'lmdb';
import { layoutOf } from '../../../core/store/layout.ts';
import { Root } from '../../../core/store/lmdb/lmdb-root.ts';
import { alone, Mark } from '../../../core/store/lmdb/lmdb-users.ts';

const [what, root = '', ...rest] = argv.slice(2);
const layout = layoutOf(root);
const say = (line: string): void => appendFileSync(join(root, 'log'), `${line}\n`);
const TABLE = { name: 'counts', encoding: 'binary', keyEncoding: 'binary' } as const;
const SETTINGS = { encoding: 'binary', keyEncoding: 'binary', noSync: true, overlappingSync: false } as const;

type Counts = Database<Uint8Array, Uint8Array>;

function enter(): { readonly env: Root; readonly counts: Counts } {
  const settings = { ...SETTINGS, ...{ eventTurnBatching: false } };
  const env = Root.enter(layout, { settings, readOnly: false, isSound: () => true });
  if (env === undefined) throw new Error('not sound');
  return { env, counts: env.transact(() => env.database.openDB<Uint8Array, Uint8Array>(TABLE)) };
}

function countOf(counts: Counts, name: string): number {
  return Number(counts.getBinary(Buffer.from(name))?.toString() ?? 0);
}

/** Adds one to a count of its own and to the one that all share. Fails if what it wrote last is not there. */
function addOne({ env, counts }: ReturnType<typeof enter>, name: string, before: number): void {
  env.transact(() => {
    const own = countOf(counts, name);
    if (own !== before) throw new Error(`${name} had written ${before}, and found ${own}`);
    counts.putSync(Buffer.from(name), Buffer.from(String(own + 1)));
    counts.putSync(Buffer.from('all'), Buffer.from(String(countOf(counts, 'all') + 1)));
  });
}

const TASKS: Readonly<Record<string, () => void>> = {
  /** Commits all the time. */
  write() {
    const [name = '', times = '0'] = rest;
    const opened = enter();
    for (let done = 0; done < Number(times); done++) addOne(opened, name, done);
    opened.env.leave();
  },
  /** Opens and closes it all the time, with a commit each. */
  visit() {
    const [name = '', times = '0'] = rest;
    for (let done = 0; done < Number(times); done++) {
      const opened = enter();
      addOne(opened, name, done);
      opened.env.leave();
    }
  },
  /** Says what the counts are by now. */
  tell() {
    const { env, counts } = enter();
    for (const name of rest) say(`${name} ${countOf(counts, name)}`);
    env.leave();
  },
  commit() {
    say('wants to commit');
    new Mark(layout).during(() => say('committed'));
  },
  open() {
    say('wants to open');
    alone(layout, () => say('opened'));
  },
  /** A commit, or an opening, that lasts until there is a file `go`. */
  commitLong() {
    new Mark(layout).during(() => waitFor('go'));
  },
  openLong() {
    alone(layout, () => waitFor('go'));
  },
};

function waitFor(name: string): void {
  say('begun');
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(join(root, name))) Atomics.wait(sleeper, 0, 0, 2);
  say('done');
}

TASKS[what ?? '']?.();
