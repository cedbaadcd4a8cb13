import { sep } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheSpec, StorageSpec } from '../../../../core/app/config/caches/cache-spec.ts';
import { loadSettings, type Settings } from '../../../../core/app/config/settings.ts';
import { assertErrors, inHome, load } from '../_project.ts';

/** Without positions and with the folder of the project as `P`, the home folder as `H`. */
function shown(spec: CacheSpec | undefined, root: string, home: string): unknown {
  const text = JSON.stringify(spec, (key, value: unknown) => (key === 'at' || key === 'name' ? undefined : value));
  const folders = [root, home].map((folder) => JSON.stringify(folder).slice(1, -1));
  const [project = '', user = ''] = folders;
  return JSON.parse(
    text.replaceAll(project, 'P').replaceAll(user, 'H').replaceAll(JSON.stringify(sep).slice(1, -1), '/'),
  );
}

function cache(toml: string): unknown {
  return inHome({ 'p/fleche.config.toml': toml }, (home) => {
    const { caches, root = '' } = loadSettings(`${home}/p`, { home });
    return shown(caches.get('c'), root, home);
  });
}

const single = (storage: object, more: object = {}): object => ({
  kind: 'single',
  readOnly: false,
  storage: { options: {}, ...storage },
  ...more,
});

test('a cache in short form is one storage', () => {
  assert.equal(cache('[caches.c]\ntype = "Memory"'), single({ type: 'Memory' }));
  assert.equal(cache('[caches.c]\ntype = "Void"\nread_only = true'), single({ type: 'Void' }, { readOnly: true }));
  assert.equal(
    cache('[caches.c]\ntype = "Lmdb"\nroot = ".fleche"\nmax_size = "5GB"'),
    single({ type: 'Lmdb', root: 'P/.fleche' }, { maxSize: 5 * 2 ** 30 }),
  );
  assert.equal(
    cache('[caches.c]\ntype = "Lmdb"\nmax_size = 1000'),
    single({ type: 'Lmdb', root: 'P/.fleche' }, { maxSize: 1000 }),
  );
  assert.equal(
    cache('[caches.c]\ntype = "Sql"\nurl = "postgres://h/x"\npool = "small"\nretries = { times = 2 }'),
    single({ type: 'Sql', url: 'postgres://h/x', options: { pool: 'small', retries: { times: 2 } } }),
  );
});

test('a cache in long form has a storage for each side, and storages nest', () => {
  const found = cache(`[caches.c]
values.type = "CompressedStorage"
values.compression = "gzip"
values.inner.type = "File"
values.inner.root = "~/.cache/fleche/values"
calls.type = "Sql"
calls.url = "sqlite:calls.db"
max_size = "1MB"
read_only = true
`);
  const inner = { type: 'File', root: 'H/.cache/fleche/values', options: {} };
  assert.equal(found, {
    kind: 'pair',
    maxSize: 2 ** 20,
    readOnly: true,
    values: { type: 'CompressedStorage', inner, options: { compression: 'gzip' } },
    calls: { type: 'Sql', url: 'sqlite:P/calls.db', options: {} },
  });
});

test('a cache may be a stack of others, the built-in ones included', () => {
  const stack = cache('[caches.a]\ntype = "Memory"\n[caches.c]\nstack = ["memory", "a", "default"]');
  assert.equal(stack, { kind: 'stack', members: ['memory', 'a', 'default'] });
});

test('folders are found from home, from the file that names them, or are absolute', () => {
  const root = (text: string): unknown => cache(`[caches.c]\ntype = "File"\nroot = ${JSON.stringify(text)}`);
  for (const [text, folder] of [
    ['~', 'H'],
    ['~/x', 'H/x'],
    ['x', 'P/x'],
    ['./x/../y', 'P/y'],
    ['..', 'H'],
    ['../x', 'H/x'],
    ['x~', 'P/x~'],
    ['/x', '/x'],
  ]) {
    if (sep === '\\' && folder?.startsWith('/')) continue;
    assert.equal(root(text ?? ''), single({ type: 'File', root: folder }), text);
  }
});

test('an address of an SQLite file is one of an absolute path', () => {
  const url = (text: string): unknown => cache(`[caches.c]\ntype = "Sql"\nurl = "${text}"`);
  for (const [text, address] of [
    ['sqlite:calls.db', 'sqlite:P/calls.db'],
    ['SQLite:calls.db', 'sqlite:P/calls.db'],
    ['sqlite:///calls.db', 'sqlite:P/calls.db'],
    ['sqlite:////var/calls.db', 'sqlite:/var/calls.db'],
    ['sqlite:/var/calls.db', 'sqlite:/var/calls.db'],
    ['sqlite:~/calls.db', 'sqlite:H/calls.db'],
    ['sqlite:///~/calls.db', 'sqlite:H/calls.db'],
    ['calls.db', 'sqlite:P/calls.db'],
    ['sqlite:', 'sqlite::memory:'],
    ['sqlite://', 'sqlite::memory:'],
    ['sqlite::memory:', 'sqlite::memory:'],
    ['sqlite:///:memory:', 'sqlite::memory:'],
    ['postgresql://me@host/db', 'postgresql://me@host/db'],
  ]) {
    if (sep === '\\' && address?.includes('/var')) continue;
    assert.equal(url(text ?? ''), single({ type: 'Sql', url: address }), text);
  }
});

test('an address of another storage is left as it is', () => {
  assert.equal(
    cache('[caches.c]\ntype = "File"\nroot = "/x"\nurl = "x:y"'),
    single({ type: 'File', root: '/x', url: 'x:y' }),
  );
});

test('without a configured cache there is LMDB beside the configuration, or memory where there is none', () => {
  inHome({ 'p/fleche.config.toml': '' }, (home) => {
    const standard = (settings: Settings): unknown =>
      shown(settings.caches.get(settings.defaults.cache), settings.root ?? '/nowhere', home);
    const project = loadSettings(`${home}/p`, { home });
    assert.equal(standard(project), single({ type: 'Lmdb', root: 'P/.fleche' }));
    assert.equal([...project.caches.keys()], ['memory', 'void', 'default']);
    assert.equal(standard(loadSettings(home, { home })), single({ type: 'Memory' }));
  });
});

test('positions tell where a cache, a storage and an option are written', () => {
  const { caches } = load(
    '[caches.a]\ntype = "Memory"\n\n[caches.c]\nvalues.type = "Memory"\nvalues.x = 1\n  calls.type = "Void"\n',
  );
  const at = (spec: CacheSpec | StorageSpec | undefined): string => `${spec?.at?.line}:${spec?.at?.column}`;
  const spec = caches.get('c');
  if (spec?.kind !== 'pair') throw new Error('not a pair');
  assert.is(at(caches.get('a')), '1:9');
  assert.is(at(spec), '4:9');
  assert.is(at(spec.values), '5:1');
  assert.is(at(spec.calls), '7:3');
  const option = spec.values.optionAt('x');
  assert.is(`${option?.line}:${option?.column}`, '6:8');
  assert.is(caches.get('memory')?.at, undefined);
});

const FORMS = 'Add a storage, such as type = "Lmdb", or values.type and calls.type, or a stack of other caches.';

test('a cache is one storage, two, or a stack', () => {
  assertErrors([
    [
      'caches.c = ▸"local"',
      ['CONFIG_TYPE', 'caches.c must be a table, not a string', 'Write it like this: local = { type = "Lmdb" }'],
    ],
    ['[caches.▸c]', ['CONFIG_INVALID', 'caches.c has neither "type", "values" nor "stack"', FORMS]],
    ['[caches.▸c]\nmax_size = "1GB"', ['CONFIG_INVALID', 'caches.c has neither "type", "values" nor "stack"', FORMS]],
    [
      '[caches.▸c]\nvalues.type = "Memory"',
      ['CONFIG_INVALID', 'caches.c has no "calls"', 'Add it, such as calls.type = "Memory"'],
    ],
    [
      '[caches.▸c]\ncalls.type = "Memory"',
      ['CONFIG_INVALID', 'caches.c has no "values"', 'Add it, such as values.type = "Memory"'],
    ],
    [
      '[caches.c]\ntype = "Memory"\n▸stack = ["memory"]',
      ['CONFIG_INVALID', 'caches.c has both "type" and "stack"', 'Keep one of them.'],
    ],
    [
      '[caches.c]\ntype = "Memory"\n▸values.type = "Void"',
      ['CONFIG_INVALID', 'caches.c has both "type" and "values"', 'Keep one of them.'],
    ],
    [
      '[caches.c]\nstack = ["memory"]\n▸read_only = true',
      [
        'CONFIG_INVALID',
        'caches.c: "read_only" does not go with "stack"',
        'Remove it, or use "type" or "values" instead.',
      ],
    ],
    [
      '[caches.c]\nvalues.type = "Memory"\ncalls.type = "Memory"\n▸x = 1',
      ['CONFIG_UNKNOWN_KEY', 'unknown key "x" in caches.c', 'Known: values, calls, max_size, read_only.'],
    ],
  ]);
});

test('a storage has a type that there is, and what the type needs', () => {
  const folder = 'Add it, such as root = "~/.cache/fleche"';
  const address = 'Add it, such as url = "sqlite:calls.db"';
  const inner = 'Add it, such as inner = { type = "File", root = "values" }';
  assertErrors([
    ['[caches.c]\ntype = ▸"lmdb"', ['CONFIG_INVALID', 'caches.c.type: "lmdb" is not known', 'Did you mean "Lmdb"?']],
    [
      '[caches.c]\ntype = ▸"constructor"',
      [
        'CONFIG_INVALID',
        'caches.c.type: "constructor" is not known',
        'Known: Lmdb, Memory, Void, File, PickleFile, CloudpickleFile, DillFile, BagOfHoldingH5File, Sql, Redis, Http, Directory, ….',
      ],
    ],
    ['[caches.c]\ntype = ▸1', ['CONFIG_TYPE', 'caches.c.type must be a string, not 1', 'Put it in quotes: "1"']],
    ['[caches.▸c]\ntype = "File"', ['CONFIG_INVALID', 'caches.c has no "root"', folder]],
    ['[caches.▸c]\ntype = "PickleFile"', ['CONFIG_INVALID', 'caches.c has no "root"', folder]],
    ['[caches.▸c]\ntype = "Sql"', ['CONFIG_INVALID', 'caches.c has no "url"', address]],
    [
      '[caches.c]\nvalues.type = "Memory"\n▸calls.type = "Sql"',
      ['CONFIG_INVALID', 'caches.c.calls has no "url"', address],
    ],
    ['[caches.▸c]\ntype = "CompressedStorage"', ['CONFIG_INVALID', 'caches.c has no "inner"', inner]],
    [
      '[caches.c]\ntype = "CompressedStorage"\n▸inner.root = "x"',
      ['CONFIG_INVALID', 'caches.c.inner has no "type"', 'Add it, such as type = "Lmdb"'],
    ],
    [
      '[caches.c]\ntype = "CompressedStorage"\ninner = ▸"File"',
      [
        'CONFIG_TYPE',
        'caches.c.inner must be a table, not a string',
        'Write it like this: inner = { type = "File", root = "values" }',
      ],
    ],
    [
      '[caches.c]\nvalues = ▸"Memory"\ncalls.type = "Memory"',
      ['CONFIG_TYPE', 'caches.c.values must be a table, not a string', 'Write it like this: values.type = "Memory"'],
    ],
    [
      '[caches.c]\ntype = "File"\nroot = ▸""',
      ['CONFIG_INVALID', 'caches.c.root is empty', 'Write something, or remove it.'],
    ],
    [
      '[caches.c]\ntype = "File"\nroot = ▸"~you/x"',
      [
        'CONFIG_INVALID',
        `caches.c.root: "~you/x" is in another user's home`,
        'Write "~/…" for your own home folder, or the whole path.',
      ],
    ],
  ]);
});

test('another spelling of a known key is no option', () => {
  for (const key of ['maxSize', 'max-size', 'MAX_SIZE', 'maxsize']) {
    assertErrors([
      [
        `[caches.c]\ntype = "Memory"\n▸${key} = 1`,
        ['CONFIG_UNKNOWN_KEY', `unknown key "${key}" in caches.c`, 'Did you mean "max_size"?'],
      ],
    ]);
  }
});

test('a size is a size', () => {
  const hint = 'Write a size such as "500MB" or "5GB"; units are powers of 1024.';
  const message = 'caches.c.max_size must be a string or a whole number, 0 or more, not';
  assertErrors([
    [
      '[caches.c]\ntype = "Memory"\nmax_size = ▸"5 apples"',
      ['INVALID_SIZE', 'caches.c.max_size: "5 apples" is not a size', hint],
    ],
    ['[caches.c]\ntype = "Memory"\nmax_size = ▸""', ['INVALID_SIZE', 'caches.c.max_size is not a size', hint]],
    [
      '[caches.c]\ntype = "Memory"\nmax_size = ▸"9000PB"',
      [
        'INVALID_SIZE',
        'caches.c.max_size: "9000PB" is too large',
        'Write a size below 8PB, or leave it out for no limit.',
      ],
    ],
    [
      '[caches.c]\ntype = "Memory"\nmax_size = ▸-1',
      ['CONFIG_TYPE', `${message} -1`, 'Write it like this: max_size = "5GB"'],
    ],
    [
      '[caches.c]\ntype = "Memory"\nmax_size = ▸true',
      ['CONFIG_TYPE', `${message} true`, 'Write it like this: max_size = "5GB"'],
    ],
  ]);
});

test('reserved names stay what they are', () => {
  for (const [name, what] of [
    ['memory', 'the cache in memory'],
    ['void', 'the cache that keeps nothing'],
    ['default', 'the cache that is used when none is configured'],
  ]) {
    const message = `caches.${name}: the name "${name}" is reserved for ${what}`;
    assertErrors([[`[caches.▸${name}]\ntype = "Memory"`, ['CONFIG_INVALID', message, 'Choose another name.']]]);
  }
});

test('a cache that is named is there, and a stack has no stacks', () => {
  const twice = 'Remove one of them.';
  assertErrors([
    [
      'default.cache = ▸"memry"',
      ['CONFIG_UNKNOWN_CACHE', 'default.cache: there is no cache "memry"', 'Did you mean "memory"?'],
    ],
    [
      '[caches.c]\nstack = ["memory", ▸"toString"]',
      ['CONFIG_UNKNOWN_CACHE', 'caches.c.stack[1]: there is no cache "toString"', 'Known: c, memory, void, default.'],
    ],
    [
      '[caches.c]\nstack = [▸"c"]',
      ['CONFIG_INVALID', 'caches.c.stack[0]: "c" is a stack itself', 'List the caches of that stack instead.'],
    ],
    [
      'caches.d.stack = ["void"]\n[caches.c]\nstack = ["memory", ▸"d"]',
      ['CONFIG_INVALID', 'caches.c.stack[1]: "d" is a stack itself', 'List the caches of that stack instead.'],
    ],
    [
      '[caches.c]\nstack = ▸[]',
      ['CONFIG_INVALID', 'caches.c.stack is empty', 'Write it like this: stack = ["local", "shared"]'],
    ],
    ['[caches.c]\nstack = ["void", ▸"void"]', ['CONFIG_INVALID', 'caches.c.stack[1]: "void" is there already', twice]],
  ]);
});

test.run();
