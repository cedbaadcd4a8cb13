import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Config, loadConfig } from '../../../core/app/config/load.ts';
import { loadSettings, type Settings } from '../../../core/app/config/settings.ts';
import { FlecheError } from '../../../core/base/errors.ts';
import { FOUNDING_EXAMPLE, PROJECT_EXAMPLE } from './_examples.ts';
import { inHome, load, marked, thrown } from './_project.ts';

const USER = '.config/fleche/cache.toml';

test('a whole project is loaded', () => {
  const { tasks, defaults, caches } = load(PROJECT_EXAMPLE);
  assert.equal([...tasks.keys()], ['codegen', 'bundle', 'report']);
  assert.equal(tasks.get('report')?.needs, ['bundle']);
  assert.equal(defaults, {
    tasks: ['report'],
    cache: 'local',
    metadata: ['Runtime', 'CallInfo'],
    jobs: undefined,
    strict: false,
  });
  assert.equal([...caches.keys()], ['local', 'archive', 'shared', 'team', 'memory', 'void', 'default']);
});

test('an empty configuration has the defaults', () => {
  const { tasks, defaults } = load('');
  assert.is(tasks.size, 0);
  assert.equal(defaults, { tasks: [], cache: 'default', metadata: ['Runtime'], jobs: undefined, strict: false });
});

test('everything in [default] arrives', () => {
  const { defaults } = load(
    '[default]\ntasks = ["t"]\ncache = "void"\nmetadata = []\njobs = 3\nstrict = true\nroot = true\n[tasks]\nt = "x"',
  );
  assert.equal(defaults, { tasks: ['t'], cache: 'void', metadata: [], jobs: 3, strict: true });
});

test('the founding example is a user-wide file as it stands', () => {
  inHome({ [USER]: FOUNDING_EXAMPLE }, (home) => {
    const { file, root, files, defaults, caches } = loadSettings(home, { home });
    assert.equal([file, root], [undefined, undefined]);
    assert.equal(files, [join(home, USER)]);
    assert.equal([defaults.cache, defaults.metadata], ['persistent', ['Runtime', 'CallInfo']]);
    assert.equal([...caches.keys()], ['persistent', 'fast', 'compressed', 'memory', 'void', 'default']);
    const compressed = caches.get('compressed');
    if (compressed?.kind !== 'pair') throw new Error('not a pair');
    assert.equal(compressed.values.options, { compression: 'gzip' });
    assert.is(compressed.values.inner?.type, 'BagOfHoldingH5File');
    assert.is(compressed.values.inner?.root, join(home, '.cache/fleche/compressed_values'));
    assert.is(compressed.calls.root, join(home, '.cache/fleche/compressed_calls'));
  });
});

test('the user-wide file lies where XDG_CONFIG_HOME says, if that is a whole path', () => {
  inHome({ [USER]: '[a]\ntype = "Memory"', 'xdg/fleche/cache.toml': '[b]\ntype = "Memory"' }, (home) => {
    const names = (xdgConfigHome?: string): boolean[] => {
      const { caches } = loadSettings(home, { home, xdgConfigHome });
      return [caches.has('a'), caches.has('b')];
    };
    assert.equal(names(), [true, false]);
    assert.equal(names(join(home, 'xdg')), [false, true]);
    assert.equal(names('xdg'), [true, false]);
    assert.equal(names(''), [true, false]);
  });
});

test('the nearest configuration upward is the project', () => {
  const files = {
    'a/fleche.config.toml': 'tasks.far = "x"',
    'a/b/fleche.config.toml': 'tasks.near = "x"',
    'a/b/c/d/x': '',
  };
  inHome(files, (home) => {
    const from = (folder: string): Config => loadConfig(join(home, folder), { home });
    for (const folder of ['a/b', 'a/b/c', 'a/b/c/d']) {
      const { file, root, tasks } = from(folder);
      assert.equal(
        [file, root, [...tasks.keys()]],
        [join(home, 'a/b/fleche.config.toml'), join(home, 'a/b'), ['near']],
      );
    }
    assert.equal([...from('a').tasks.keys()], ['far']);
  });
});

test('a folder of that name is no configuration', () => {
  inHome({ 'fleche.config.toml': '', 'a/fleche.config.toml/x': '' }, (home) => {
    assert.is(loadConfig(join(home, 'a'), { home }).root, home);
  });
});

test('no configuration is an error, but settings are there', () => {
  inHome({ [USER]: '[a]\ntype = "Memory"', 'p/x': '' }, (home) => {
    assert.throws(
      () => loadConfig(join(home, 'p'), { home }),
      (error: unknown) => error instanceof FlecheError && error.code === 'CONFIG_NOT_FOUND' && error.hint !== undefined,
    );
    assert.ok(loadSettings(join(home, 'p'), { home }).caches.has('a'));
  });
});

test('of each cache, and of each setting, the nearest counts', () => {
  const files = {
    'a/b/fleche.config.toml': '[caches.x]\ntype = "Memory"\n[default]\njobs = 1',
    'a/fleche.config.toml':
      '[caches.x]\ntype = "Void"\n[caches.y]\ntype = "Lmdb"\nroot = "r"\n[default]\njobs = 2\ncache = "y"\ntasks = ["t"]\n[tasks]\nt = "x"',
    [USER]:
      '[default]\njobs = 3\ncache = "z"\nmetadata = ["Git"]\nstrict = true\n[y]\ntype = "Void"\n[z]\ntype = "Memory"',
  };
  inHome(files, (home) => {
    const { caches, defaults, files } = loadConfig(join(home, 'a/b'), { home });
    assert.equal(files, [join(home, 'a/b/fleche.config.toml'), join(home, 'a/fleche.config.toml'), join(home, USER)]);
    const type = (name: string): unknown => {
      const spec = caches.get(name);
      return spec?.kind === 'single' ? [spec.storage.type, spec.storage.root] : undefined;
    };
    assert.equal(type('x'), ['Memory', undefined]);
    assert.equal(type('y'), ['Lmdb', join(home, 'a/r')], 'a path is relative to the file that says it');
    assert.equal(type('z'), ['Memory', undefined]);
    assert.equal(defaults, { tasks: [], cache: 'y', metadata: ['Git'], jobs: 1, strict: true });
  });
});

test('root = true leaves everything farther alone', () => {
  const files = {
    'a/b/fleche.config.toml': '',
    'a/fleche.config.toml': '[default]\nroot = true\n[caches.x]\ntype = "Memory"',
    'fleche.config.toml': 'this is not read',
    [USER]: 'neither is this',
  };
  inHome(files, (home) => {
    const { caches, files } = loadConfig(join(home, 'a/b'), { home });
    assert.is(files.length, 2);
    assert.equal([...caches.keys()], ['x', 'memory', 'void', 'default']);
  });
});

test('the walk ends at the home folder', () => {
  inHome({ 'fleche.config.toml': 'this is not read', 'home/fleche.config.toml': '', 'home/p/x': '' }, (outside) => {
    const home = join(outside, 'home');
    assert.is(loadConfig(join(home, 'p'), { home }).root, home);
  });
});

test('tasks of a configuration farther up are its own affair', () => {
  const files = {
    'p/fleche.config.toml': 'tasks.t = "x"',
    'fleche.config.toml': '[default]\ntasks = ["gone"]\n[tasks.t]\nrnu = 1\n[unheard]\nof = 1',
  };
  inHome(files, (home) => assert.equal([...loadConfig(join(home, 'p'), { home }).tasks.keys()], ['t']));
});

test('settings do not care about tasks', () => {
  inHome({ 'fleche.config.toml': '[default]\ntasks = ["gone"]\nstrict = true\n[tasks.t]\nneeds = ["t"]' }, (home) => {
    assert.is(loadSettings(home, { home }).defaults.strict, true);
  });
});

test('errors of all files are told, the nearest file first', () => {
  const files = {
    'p/fleche.config.toml': '[tasks.t]\nrnu = "x"',
    'fleche.config.toml': '[caches.x]\ntype = "Lmbd"',
    [USER]: '[y]\nstack = ["z"]\n[default]\ncahce = 1',
  };
  inHome(files, (home) => {
    try {
      loadConfig(join(home, 'p'), { home });
    } catch (error) {
      if (!(error instanceof FlecheError)) throw error;
      const place = (name: string): string => join(home, name);
      assert.is(error.message, '5 errors in the configuration');
      assert.is(
        error.describe().replace(/^ .*\n?/gm, ''),
        `${place('p/fleche.config.toml')}:1:8: tasks.t has neither "run" nor "call"
${place('p/fleche.config.toml')}:2:1: unknown key "rnu" in tasks.t
${place('fleche.config.toml')}:2:8: caches.x.type: "Lmbd" is not known
${place(USER)}:2:10: y.stack[0]: there is no cache "z"
${place(USER)}:4:1: unknown key "cahce" in default
`,
      );
      return;
    }
    assert.unreachable();
  });
});

test('in the user-wide file every section but [default] is a cache', () => {
  inHome({ [USER]: '[default]\ntasks = []\n[tasks]\n[memory]\ntype = "Memory"' }, (home) => {
    assert.equal(thrown(() => loadSettings(home, { home })).errors, [
      'CONFIG_UNKNOWN_KEY 2:1 unknown key "tasks" in default',
      'CONFIG_INVALID 3:2 tasks has neither "type", "values" nor "stack"',
      'CONFIG_INVALID 4:2 memory: the name "memory" is reserved for the cache in memory',
    ]);
  });
});

test('a text that is not TOML is an error at its place', () => {
  for (const [text, message] of [
    ['[tasks]\na = ▸x', 'invalid value'],
    ['[tasks\n▸', 'illegal character in key'],
    ['a = 1\r\n▸a = 2', 'trying to redefine an already defined table or value'],
    ['a = ▸"x', 'unfinished string'],
    ['n = ▸9007199254740993', 'integer value cannot be represented losslessly'],
  ]) {
    const { text: toml, places } = marked(text ?? '');
    const { errors, hints } = thrown(() => load(toml));
    assert.is(errors.length, 1);
    assert.ok(errors[0]?.startsWith('CONFIG_SYNTAX'), errors[0]);
    if (message !== 'illegal character in key') assert.is(errors[0], `CONFIG_SYNTAX ${places[0]} ${message}`);
    assert.equal(hints, ['The file must be TOML in UTF-8, see https://toml.io.']);
  }
});

test('a file in another encoding is refused, a byte order mark is not', () => {
  inHome({ 'fleche.config.toml': '\ufefftasks.t = 1' }, (home) => {
    const { errors } = thrown(() => loadConfig(home, { home }));
    assert.equal(errors, ['CONFIG_TYPE 1:11 tasks.t must be a string or a table, not 1']);
    writeFileSync(join(home, 'fleche.config.toml'), Buffer.from('# \xe4', 'latin1'));
    assert.equal(thrown(() => loadConfig(home, { home })).errors, ['CONFIG_SYNTAX 1:1 the file is not UTF-8']);
  });
});

test('a file that cannot be read is an error', () => {
  if (process.platform === 'win32' || process.getuid?.() === 0) return;
  inHome({ 'fleche.config.toml': '' }, (home) => {
    chmodSync(join(home, 'fleche.config.toml'), 0);
    assert.throws(
      () => loadConfig(home, { home }),
      (error: unknown) => error instanceof FlecheError && error.code === 'CONFIG_INVALID',
    );
  });
});

test('loading touches nothing', () => {
  inHome({ 'p/fleche.config.toml': PROJECT_EXAMPLE }, (home) => {
    const root = join(home, 'p');
    mkdirSync(join(root, 'src'));
    const before = readdirSync(home, { recursive: true });
    loadConfig(join(root, 'src'), { home });
    assert.equal(readdirSync(home, { recursive: true }), before);
    assert.is(readFileSync(join(root, 'fleche.config.toml'), 'utf8'), PROJECT_EXAMPLE);
  });
});

test('what is loaded is plain data, positions included', () => {
  const config: Settings & Pick<Config, 'tasks'> = load('[tasks]\nt = "x"\n\n  [tasks.u]\n  run = "y"');
  const at = structuredClone([...config.tasks.values()]).map((task) => `${task.at.line}:${task.at.column}`);
  assert.equal(at, ['2:1', '4:10']);
});

test.run();
