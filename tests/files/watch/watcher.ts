/** The watcher with real folders and real events. What is waited for is told; nothing waits for time to pass. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AbsPath, RelPath } from '../../../core/base/paths.ts';
import { Globs } from '../../../core/files/globs/globs.ts';
import { openChokidar } from '../../../core/files/watch/chokidar-watch.ts';
import type { OpenWatch } from '../../../core/files/watch/folder-watches.ts';
import type { WatchScope } from '../../../core/files/watch/watch-places.ts';
import { Watcher, type WatcherOptions } from '../../../core/files/watch/watcher.ts';

/** An event that has not come by then never does, ms. */
const LOST = 10_000;

interface Rig {
  readonly root: AbsPath;
  readonly watcher: Watcher;
  readonly troubles: string[];
  /** Paths that were told since the last `heard`. */
  readonly told: Set<string>;
  /** Waits until all these paths are told; "anything" is told as `*`. */
  heard(...paths: readonly string[]): Promise<void>;
  /**
   * Writes a file until it is told under its own name. Before its folder is watched all of that is told, but something is
   * told of each write.
   */
  heardWriting(path: string): Promise<void>;
  write(path: string, text?: string): void;
  at(path: string): string;
}

/** What patterns, single paths and links of tasks make of a scope. */
function scopeOf(
  patterns: readonly string[],
  more: Partial<Record<'paths' | 'links', readonly string[]>> = {},
): WatchScope {
  const globs = patterns.length === 0 ? undefined : new Globs(patterns);
  const paths = (more.paths ?? []) as readonly RelPath[];
  const links = (more.links ?? []) as readonly RelPath[];
  return {
    patterns: new Set([JSON.stringify(patterns)]),
    bases: globs?.bases ?? [],
    paths,
    links,
    enters: (folder) =>
      globs?.enters(folder) === true ||
      globs?.bases.some((base) => base.startsWith(`${folder}/`)) === true ||
      paths.some((path) => path.startsWith(`${folder}/`)),
  };
}

async function watched(
  files: readonly string[],
  scope: WatchScope,
  use: (rig: Rig) => Promise<void>,
  options: Partial<WatcherOptions> = {},
): Promise<void> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'fleche-')));
  const root = join(base, 'project') as AbsPath;
  mkdirSync(root);
  const told = new Set<string>();
  const troubles: string[] = [];
  let wake = (): void => {};
  const tell = (path: string): void => {
    told.add(path);
    wake();
  };
  const at = (path: string): string => join(root, path);
  const write = (path: string, text = 'text'): void => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };
  for (const file of files) write(file);
  const listener = {
    path: tell,
    folder: tell,
    anything: () => tell('*'),
    trouble: (text: string) => void troubles.push(text),
  };
  const watcher = new Watcher({ root, listener, ...options });
  const until = (isEnough: () => boolean, what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing was told of ${what}, but of ${[...told]}`)), LOST);
      wake = () => {
        if (!isEnough()) return;
        clearTimeout(timer);
        wake = () => {};
        resolve();
      };
      wake();
    });
  const heard = async (...paths: readonly string[]): Promise<void> => {
    await until(() => paths.every((path) => told.has(path)), paths.join());
    told.clear();
  };
  const heardWriting = async (path: string): Promise<void> => {
    for (let turn = 0; !told.has(path); turn++) {
      told.clear();
      write(path, `turn ${turn}`);
      await until(() => [...told].some((place) => path === place || path.startsWith(`${place}/`)), path);
    }
    told.clear();
  };
  try {
    await watcher.follow(scope);
    await use({ root, watcher, troubles, told, heard, heardWriting, write, at });
  } finally {
    await watcher.close();
    rmSync(base, { recursive: true, force: true });
  }
}

const SOURCES = scopeOf(['src/**/*.ts']);

test('what is written, made, removed, touched and made executable is told', () =>
  watched(['src/a.ts', 'src/deep/b.ts'], SOURCES, async ({ heard, write, at }) => {
    write('src/a.ts', 'other');
    await heard('src/a.ts');
    write('src/new.ts');
    await heard('src/new.ts');
    rmSync(at('src/deep/b.ts'));
    await heard('src/deep/b.ts');
    utimesSync(at('src/a.ts'), 1, 1);
    await heard('src/a.ts');
    chmodSync(at('src/a.ts'), 0o755);
    await heard('src/a.ts');
  }));

test('a save by renaming is told, and so is the one after it', () =>
  watched(['src/a.ts'], SOURCES, async ({ heard, write, at }) => {
    for (let save = 0; save < 5; save++) {
      write('src/.a.ts.swp', `save ${save}`);
      renameSync(at('src/a.ts'), at('src/a.ts~'));
      renameSync(at('src/.a.ts.swp'), at('src/a.ts'));
      rmSync(at('src/a.ts~'));
      await heard('src/a.ts', 'src/a.ts~', 'src/.a.ts.swp');
    }
    write('src/a.ts', 'in place');
    await heard('src/a.ts');
  }));

test('folders that are made with what is in them are told, and what is written there later', () =>
  watched(['src/a.ts'], SOURCES, async ({ heard, write }) => {
    write('src/x/y/z/new.ts');
    await heard('src/x');
    // From the moment on at which a folder is told nothing below it is missed.
    write('src/x/y/z/later.ts');
    await heard('src/x/y/z/later.ts');
  }));

test('a renamed folder is told under both names, and watched under the new one', () =>
  watched(['src/old/deep/a.ts'], SOURCES, async ({ heard, heardWriting, at }) => {
    renameSync(at('src/old'), at('src/new'));
    await heard('src/old', 'src/new');
    await heardWriting('src/new/deep/a.ts');
    renameSync(at('src/new'), at('src/old'));
    await heard('src/old', 'src/new');
    await heardWriting('src/old/deep/a.ts');
  }));

test('a folder that is removed and made again is watched again', () =>
  watched(['src/deep/a.ts'], SOURCES, async ({ heard, heardWriting, write, at }) => {
    for (let turn = 0; turn < 20; turn++) {
      rmSync(at('src/deep'), { recursive: true });
      write('src/deep/a.ts', `turn ${turn}`);
      await heard('src/deep');
      await heardWriting(`src/deep/late${turn}.ts`);
    }
  }));

test('what comes to be in a folder while that comes to be is told of the file or of a folder around it', () =>
  watched(['src/a.ts'], SOURCES, async ({ heard, heardWriting, at }) => {
    for (let turn = 0; turn < 50; turn++) {
      const folder = `src/${turn}`;
      mkdirSync(at(`${folder}/x`), { recursive: true });
      await heard(folder);
      // Nobody knows how far the watcher is; what it is told of must do in every case.
      setImmediate(() => mkdirSync(at(`${folder}/x/y/z`), { recursive: true }));
      await heardWriting(`${folder}/x/y/b.ts`);
    }
  }));

test('a file in a folder of the same name, and that folder when it is gone', () =>
  watched(['src/src/src/a.ts', 'src/src/src/src/b.ts'], SOURCES, async ({ heard, heardWriting, write, at }) => {
    write('src/src/src/src/b.ts', 'other');
    await heard('src/src/src/src/b.ts');
    rmSync(at('src/src/src/src'), { recursive: true });
    await heard('src/src/src/src');
    await heardWriting('src/src/src/a.ts');
    write('src/src/src/src', 'a file now');
    await heard('src/src/src/src');
    await heardWriting('src/src/src/a.ts');
  }));

test('folders that go away with all that is in them leave no watch behind', () => {
  const open = new Set<string>();
  const openWatch: OpenWatch = (folder, onEvent, onError) => {
    const watch = openChokidar(folder, onEvent, onError);
    assert.not.ok(open.has(folder), `${folder} is watched once`);
    open.add(folder);
    return {
      ready: watch.ready,
      close: () => {
        open.delete(folder);
        watch.close();
      },
    };
  };
  const all = (at: (path: string) => string): readonly string[] =>
    [...open].map((folder) => relative(at('.'), folder)).sort();
  return watched(
    ['src/a/b/c/1.ts', 'src/a/d/2.ts', 'src/e/3.ts'],
    SOURCES,
    async ({ heard, at }) => {
      assert.equal(all(at), ['', 'src', 'src/a', 'src/a/b', 'src/a/b/c', 'src/a/d', 'src/e']);
      rmSync(at('src/a'), { recursive: true });
      await heard('src/a');
      assert.equal(all(at), ['', 'src', 'src/e']);
      renameSync(at('src/e'), at('src/f'));
      await heard('src/e', 'src/f');
      assert.equal(all(at), ['', 'src', 'src/f']);
    },
    { openWatch },
  );
});

test('the project itself may be moved away and made anew', () =>
  watched(['src/a.ts'], SOURCES, async ({ root, heard, write, at }) => {
    renameSync(root, `${root}-moved`);
    await heard('.');
    write('src/a.ts', 'anew');
    await heard('*');
    write('src/b.ts');
    await heard('src/b.ts');
    rmSync(at('src'), { recursive: true });
    await heard('src');
  }));

test('the folder where watching begins may go and come back', () =>
  watched(['src/a.ts'], SOURCES, async ({ heard, write, at }) => {
    rmSync(at('src'), { recursive: true });
    await heard('src');
    write('src/b.ts');
    await heard('src');
  }));

test('what stands for another file through links is told when that changes', () =>
  watched([], scopeOf(['src/**'], { links: ['src/link.ts'] }), async ({ heard, write, at, watcher }) => {
    write('elsewhere/real.ts');
    write('elsewhere/other.ts');
    mkdirSync(at('src'));
    symlinkSync('../elsewhere/real.ts', at('src/link.ts'));
    await watcher.follow(scopeOf(['src/**', 'src/*'], { links: ['src/link.ts'] }));
    write('elsewhere/real.ts', 'other');
    await heard('src/link.ts');
    write('elsewhere/.real.ts', 'by renaming');
    renameSync(at('elsewhere/.real.ts'), at('elsewhere/real.ts'));
    await heard('src/link.ts');
    rmSync(at('src/link.ts'));
    symlinkSync('../elsewhere/other.ts', at('src/link.ts'));
    await heard('src/link.ts');
  }));

test('a folder that is named through a link is watched where it is', () =>
  watched([], scopeOf(['src/**']), async ({ heard, write, at, watcher }) => {
    write('real/deep/a.ts');
    symlinkSync('real', at('src'));
    await watcher.follow(scopeOf(['src/**', 'src/*']));
    write('real/deep/a.ts', 'other');
    await heard('src/deep/a.ts');
    write('real/new.ts', 'other');
    await heard('src/new.ts');
  }));

test('what is outside the project is watched, and told as it is named', () =>
  watched([], scopeOf([], { paths: ['../beside/a.txt'] }), async ({ heard, write, watcher }) => {
    write('../beside/a.txt');
    await watcher.follow(scopeOf(['../beside/*'], { paths: ['../beside/a.txt'] }));
    write('../beside/a.txt', 'other');
    await heard('../beside/a.txt');
    write('../beside/b.txt');
    await heard('../beside/b.txt');
  }));

test('a path that matters and is not there is waited for, even where its folder is not there', () =>
  watched([], scopeOf([], { paths: ['lib/types/index.ts', 'tsconfig.json'] }), async ({ heard, write }) => {
    write('tsconfig.json');
    await heard('tsconfig.json');
    write('lib/types/index.ts');
    await heard('lib');
    write('lib/types/index.ts', 'other');
    await heard('lib/types/index.ts');
  }));

test('nothing is told of folders in which nothing matters', () =>
  watched(['src/a.ts', 'other/deep/b.ts', 'node_modules/x/c.ts'], SOURCES, async ({ heard, write, told }) => {
    write('other/deep/b.ts', 'other');
    write('node_modules/x/c.ts', 'other');
    write('src/a.ts', 'other');
    const all = new Promise<readonly string[]>((resolve) => setImmediate(() => resolve([...told])));
    await heard('src/a.ts');
    assert.equal(
      (await all).filter((path) => path.startsWith('other/') || path.startsWith('node_modules/')),
      [],
    );
  }));

/** A system on which one thing goes wrong, at once or later. */
function broken(code: string, when: 'at once' | 'later'): OpenWatch {
  const error = Object.assign(new Error(`${code}: watch '/somewhere'`), { code, path: '/somewhere' });
  return (_, __, onError) => {
    if (when === 'at once') throw error;
    setImmediate(() => onError(error));
    return { ready: Promise.resolve(), close: () => {} };
  };
}

for (const [code, what] of [
  ['ENOSPC', /allows no more watches.*every 500 ms instead.*max_user_watches/],
  ['EMFILE', /no more open files.*every 500 ms instead.*max_user_instances/],
  ['ENFILE', /no more open files.*every 500 ms instead/],
  ['EACCES', /may not be watched.*every 500 ms instead/],
  ['EPERM', /may not be watched.*every 500 ms instead/],
] as const) {
  test(`${code}: it says so once, and everything is looked at now and then`, () =>
    watched(
      ['src/a.ts'],
      SOURCES,
      async ({ heard, troubles }) => {
        await heard('*');
        await heard('*');
        assert.is(troubles.length, 1);
        assert.match(troubles[0] ?? '', what);
      },
      { openWatch: broken(code, 'at once') },
    ));
}

test('another trouble is told, everything is looked at, and watching goes on', () =>
  watched(
    ['src/a.ts'],
    SOURCES,
    async ({ heard, troubles }) => {
      await heard('*');
      assert.match(troubles[0] ?? '', /watching went wrong.*EOTHER/);
    },
    { openWatch: broken('EOTHER', 'later') },
  ));

test('asked to, it watches nothing and looks at everything now and then', () =>
  watched(
    ['src/a.ts'],
    SOURCES,
    async ({ heard, troubles }) => {
      for (let turn = 0; turn < 3; turn++) await heard('*');
      assert.equal(troubles, []);
    },
    { poll: 10, openWatch: broken('ENOSPC', 'at once') },
  ));

test.run();
