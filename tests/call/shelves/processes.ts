/** Shelves that processes share, and what is left of them when a process is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { check } from './_desk.ts';
import { edit } from './_steps.ts';

const CHILD = join(import.meta.dirname, '_child.ts');
const KILLS = process.env['FLECHE_TEST_PROFILE'] === 'nightly' ? 100 : 4;

interface Child {
  readonly process: ChildProcess;
  readonly lines: readonly string[];
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** `each` is called with every line. */
function startChild(args: readonly (string | number)[], each: (child: Child) => void = () => {}): Child {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), CHILD, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines: string[] = [];
  let rest = '';
  const ended = new Promise<number | string>((done) =>
    child.on('close', (code, signal) => done(code ?? signal ?? 'unknown')),
  );
  const made: Child = { process: child, lines, ended };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const pieces = (rest + text).split('\n');
    rest = pieces.pop() ?? '';
    for (const line of pieces) {
      lines.push(line);
      each(made);
    }
  });
  return made;
}

/** The map after save number `count`. */
function mapAfter(seed: number, count: number): Map<string, unknown> {
  const map = new Map<string, unknown>();
  if (count > 0) for (const done of edit(map, seed)) if (done === count) break;
  return map;
}

check(
  'points 15 and 18: a shelf whose process is killed holds what was saved last, and leaves no orphans',
  async ({ start, root }) => {
    for (let kill = 0; kill < KILLS; kill++) {
      const seed = Date.now() + kill;
      const dir = join(root, String(kill));
      // From one kill to the next at another moment, as far as that can be said.
      const enough = 5 + ((seed * 7) % 60);
      const child = startChild(['edit', dir, seed], ({ process, lines }) => {
        if (lines.length === enough) process.kill('SIGKILL');
      });
      assert.is(await child.ended, 'SIGKILL');
      const acknowledged = Number(child.lines.at(-1));
      const desk = start({ dir });
      const found = [...desk.shelf('a')];
      // The save that was under way may be there, or not, but never in part.
      const candidates = [acknowledged, acknowledged + 1].map((count) => [...mapAfter(seed, count)]);
      assert.ok(
        candidates.some((expected) => JSON.stringify(expected) === JSON.stringify(found)),
        `seed ${seed}, save ${acknowledged}`,
      );
      await desk.shelf('a').set('later', 1).save();
      await desk.close();
      const last = start({ dir });
      assert.is([...last.shelf('a').keys()].at(-1), 'later');
      await last.close();
    }
    const clean = start({ dir: join(root, 'clean') });
    await clean.shelf('a').set('k', 1).save();
    await clean.close();
    const filesOf = (dir: string): readonly string[] =>
      readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' }).sort();
    assert.equal(filesOf('0'), filesOf('clean'));
  },
);

check('point 15: processes that write different keys at the same time lose nothing', async ({ start, root }) => {
  const COUNT = 60;
  const children = ['one', 'two', 'three'].map((name) => startChild(['write', root, name, COUNT]));
  for (const child of children) {
    assert.is(await child.ended, 0);
    assert.equal(child.lines, ['0 conflicts']);
  }
  const shelf = start({ dir: root }).shelf<string, number>('a');
  assert.is(shelf.size, 3 * COUNT);
  for (const name of ['one', 'two', 'three']) {
    for (let at = 0; at < COUNT; at++) assert.is(shelf.get(`${name} ${at}`), at);
  }
});

check('what was not saved is saved when the process ends, however it does', async ({ start, root }) => {
  for (const [how, code] of [
    ['return', 0],
    ['exit', 0],
    ['throw', 1],
  ] as const) {
    const dir = join(root, how);
    assert.is(await startChild(['end', dir, how]).ended, code);
    const shelf = start({ dir }).shelf<string, unknown, unknown>('a');
    assert.is(shelf.get('k'), how);
  }
});

check('what takes time to be saved is saved when the process ends by itself', async ({ start, root }) => {
  assert.is(await startChild(['end', root, 'return', 'slow']).ended, 0);
  assert.is(start({ dir: root }).shelf('a').get('k'), 'return');
});

check('point 13: an invalidation by another process is for good', async ({ start, root }) => {
  const first = start({ dir: root });
  const a = first.shelf('a').set('k', 1);
  const b = first.shelf('b', { dependsOn: [a] }).set('k', 1);
  await first.save();
  assert.is(await startChild(['invalidate', root, 'a']).ended, 0);
  b.set('l', 2);
  await b.save();
  assert.is(b.size, 0);
  await first.close();
  for (const name of ['a', 'b']) assert.is(start({ dir: root }).shelf(name).size, 0);
});

test.run();
