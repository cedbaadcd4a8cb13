import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../../../core/app/config/load.ts';
import { type JsonObject, jsonSchema, SCHEMA_NAMES } from '../../../../core/app/config/schema/json-schema.ts';
import { TASK_KEYS } from '../../../../core/app/config/schema/task-schema.ts';
import { FOUNDING_EXAMPLE, PROJECT_EXAMPLE } from '../_examples.ts';
import { inHome, load, thrown } from '../_project.ts';

const ajv = new Ajv({ strict: true, strictRequired: false, strictTypes: false });
const accepts = { project: ajv.compile(jsonSchema('project')), user: ajv.compile(jsonSchema('user')) };

function isAccepted(file: 'project' | 'user', text: string): boolean {
  return accepts[file](JSON.parse(JSON.stringify(parse(text))));
}

test('the schema accepts the examples', () => {
  assert.ok(isAccepted('project', PROJECT_EXAMPLE), JSON.stringify(accepts.project.errors));
  assert.ok(isAccepted('user', FOUNDING_EXAMPLE), JSON.stringify(accepts.user.errors));
  assert.ok(isAccepted('project', ''));
});

/** Keys of a task with values that are right and others that are not. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  run: ['"x"', '""', '1', '"""a\nb"""'],
  stdin: ['"x"', '""', '{ file = "a/b" }', '{ file = "*" }', '{}', '1'],
  call: ['"./a.ts#b"', '"./ä.ts#größe"', '"a.ts"', '"./a.ts#b c"', '"./../a.ts#b"'],
  args: [
    '{}',
    '[]',
    '{ a = 1, b = { c = { d = [] } } }',
    '{ a = { from = "u" } }',
    '{ a = { from = "u", x = 1 } }',
    '{ a = { env = "A", default = "" } }',
    '{ a = { env = "A", default = 1 } }',
    '{ a = { glob = "x" }, b = { glob = ["x", "!y"] } }',
    '{ a = { glob = [] } }',
    '{ a = { file = "a/b" } }',
    '{ a = { file = "*" } }',
    '{ a = { digest = "abcd" }, b = { digest = "x" } }',
    '{ a = { value = { from = 1, file = 2 } } }',
    '{ a = { file = "a", env = "b" } }',
  ],
  needs: ['["u"]', '[]', '["u", "u"]', '"u"', '[""]'],
  inputs: ['["src/**", "!x", "../y", "src/**"]', '["/x"]', '["a/../b"]', '["", "x"]', '[1]', '["../../a", "./b"]'],
  foreach: [
    '{ glob = "docs/**/*.md" }',
    '{ glob = ["docs/**/*.md", "!**/_*"] }',
    '["en", 1, { a = true }]',
    '[]',
    '{ glob = [] }',
    '{ glob = "a", from = "u" }',
    '{ list = "u" }',
    '{}',
    '"docs/*.md"',
  ],
  discovered: [
    '{ depfile = "out/a.d" }',
    '{ metafile = "meta.json" }',
    '{ list = "l" }',
    '{ tsc = true }',
    '{ tsc = "out/files.txt" }',
    '{ depfile = "../a.d" }',
    '{ depfile = "*.d" }',
    '{ depfile = "a", list = "b" }',
    '{}',
    '"a.d"',
  ],
  outputs: ['["dist/**", "!dist/x"]', '["../x"]', '["a..b", "..."]', '["{a,../b}"]', '["C:/x"]'],
  optional_outputs: ['["dist/x"]', '["../x"]'],
  env: ['["A", "B_*", "*"]', '["A=1"]', '["*A"]'],
  pass_env: ['["A"]', '{}'],
  tools: ['["esbuild", "@a/b"]', '["a@1"]'],
  dir: ['"a/b"', '"."', '".."', '"/x"'],
  lock: ['false', '0'],
  clean: ['true', '"true"'],
  cache: ['false', '0'],
  stale_after: ['"1h30m"', '"soon"'],
  weight: ['1', '0', '1.5', '"1"'],
  limit: ['{ group = "g" }', '{ group = "g", slots = 1 }', '{ slots = 1 }', '{ group = "g", slots = 0 }', '"g"'],
  retries: ['0', '2', '-1'],
  retry_delay: ['"5s"', '"soon"'],
  timeout: ['"5m"', '5'],
  persistent: ['false', 'true', '1'],
  ready: [
    '{ port = 3000 }',
    '{ log = "up", timeout = "5s" }',
    '{ command = "x" }',
    '{ port = 1, log = "x" }',
    '{}',
    '3000',
  ],
  description: ['"x"', '" "'],
  other: ['1'],
};
const CACHES = [
  'type = "Memory"',
  'type = "Lmdb"\nmax_size = "5GB"\nread_only = true',
  'type = "Lmdb"\nmax_size = " 1.5 gib "',
  'type = "Lmdb"\nmax_size = 5',
  'type = "Lmdb"\nmax_size = "5 apples"',
  'type = "lmdb"',
  'type = "File"',
  'type = "File"\nroot = "~/x"\noption = { a = 1 }',
  'type = "File"\nroot = "~x"',
  'type = "Sql"\nurl = "x"',
  'values.type = "Memory"\ncalls.type = "Void"',
  'values.type = "Memory"',
  'values.type = "CompressedStorage"\nvalues.inner.type = "Memory"\ncalls.type = "Void"',
  'values.type = "CompressedStorage"\nvalues.inner.root = "x"\ncalls.type = "Void"',
  'stack = ["memory", "void"]',
  'stack = []',
  'stack = ["memory"]\ntype = "Memory"',
  'max_size = 1',
];

/** Keys of one form of a task. */
const COMMAND_KEYS = ['run', 'stdin', 'call', 'args'];

/** A value of the key, more often one that is right: the first of the list. */
const oneOf = (values: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 15, arbitrary: fc.constant(values[0] ?? '') },
    { weight: 1, arbitrary: fc.constantFrom(...values) },
  );
// What makes a service of a task, or has it done for each of many items, goes with few other keys.
const {
  run = [],
  stdin = [],
  call = [],
  args = [],
  other = [],
  persistent: _p,
  ready: _r,
  foreach: _f,
  ...common
} = VALUES;
const keysOf = (values: Readonly<Record<string, readonly string[]>>, required: string): fc.Arbitrary<string> =>
  fc
    .record(Object.fromEntries(Object.entries(values).map(([key, list]) => [key, oneOf(list)])), {
      requiredKeys: [required],
    })
    .map((task) =>
      Object.entries(task)
        .map(([key, value]) => `${key} = ${value}\n`)
        .join(''),
    );
const settings = fc.subarray(['jobs = 2', 'metadata = ["Git"]', 'cache = "void"', 'strict = true', 'root = false']);

const documents = fc
  .record({
    task: fc.oneof(
      keysOf({ run, stdin, ...common }, 'run'),
      keysOf({ call, args, ...common }, 'call'),
      keysOf({ ...VALUES, other }, 'run'),
    ),
    cache: fc.constantFrom('', ...CACHES.map((cache) => `[caches.c]\n${cache}\n`)),
    settings: settings.map((lines) => `[default]\n${lines.join('\n')}\n`),
    name: fc.constantFrom('t', 't', 't', '"a b"', '-t', '""'),
  })
  .map(({ task, cache, settings, name }) => `${settings}${cache}[tasks]\nu = "x"\n[tasks.${name}]\n${task}`);

test('what is accepted when it is loaded is accepted by the schema', () => {
  let loaded = 0;
  inHome({}, (home) => {
    fc.assert(
      fc.property(documents, (text) => {
        writeFileSync(join(home, 'fleche.config.toml'), text);
        if (thrown(() => loadConfig(home, { home })).errors.length > 0) return;
        loaded++;
        assert.ok(isAccepted('project', text), `${text}\n${JSON.stringify(accepts.project.errors)}`);
      }),
      { numRuns: 300 },
    );
  });
  assert.ok(loaded > 10 && loaded < 290, `${loaded} of 300 were right`);
});

test('values one by one: the schema and the loading agree', () => {
  const judge = (text: string): readonly [boolean, boolean] => [
    thrown(() => load(text)).errors.length === 0,
    isAccepted('project', text),
  ];
  let right = 0;
  for (const [key, values] of Object.entries(VALUES)) {
    for (const value of values) {
      const body = key === 'run' ? '' : key === 'call' ? '' : key === 'args' ? 'call = "./a.ts#b"\n' : 'run = "x"\n';
      const text = `tasks.u = "x"\n[tasks.t]\n${body}${key} = ${value}`;
      const [isLoaded, isValid] = judge(text);
      assert.is(isLoaded, isValid, text);
      if (isLoaded) right++;
    }
  }
  for (const cache of CACHES) {
    const [isLoaded, isValid] = judge(`[caches.c]\n${cache}`);
    assert.is(isLoaded, isValid, cache);
    if (isLoaded) right++;
  }
  assert.ok(right > 20);
});

test('every key of a task is among those that are tried here', () => {
  const tried = new Set(Object.keys(VALUES));
  assert.equal(
    [...COMMAND_KEYS, ...Object.keys(TASK_KEYS)].filter((key) => !tried.has(key)),
    [],
  );
});

test('there is a schema of every kind of file, with a title of its own', () => {
  const schemas = SCHEMA_NAMES.map((name) => jsonSchema(name));
  for (const schema of schemas) assert.ok(ajv.validateSchema(schema));
  assert.is(new Set(schemas.map(({ title }) => title)).size, SCHEMA_NAMES.length);
});

test('every key has a text, and defaults are valid', () => {
  let keys = 0;
  const visit = (schema: JsonObject): void => {
    const properties = schema['properties'];
    if (typeof properties === 'object' && properties !== null && 'type' in schema) {
      for (const [name, key] of Object.entries(properties as Record<string, JsonObject>)) {
        assert.type(key['description'], 'string', name);
        if (key['default'] !== undefined)
          assert.ok(ajv.validate({ ...key, definitions: jsonSchema()['definitions'] }, key['default']), name);
        keys++;
      }
    }
    for (const value of Object.values(schema)) {
      for (const inner of Array.isArray(value) ? value : [value])
        if (typeof inner === 'object' && inner !== null) visit(inner as JsonObject);
    }
  };
  visit(jsonSchema());
  assert.ok(keys > 30);
});

test.run();
