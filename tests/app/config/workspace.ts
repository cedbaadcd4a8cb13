/** Workspaces: which packages there are, which tasks they have, what these need and where their paths lead. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Config, loadConfig } from '../../../core/app/config/load.ts';
import { loadSettings } from '../../../core/app/config/settings.ts';
import { inHome, thrown } from './_project.ts';

const json = (value: unknown): string => JSON.stringify(value);
const pkg = (name: string, dependencies: readonly string[] = [], more: object = {}): string =>
  json({ name, dependencies: Object.fromEntries(dependencies.map((one) => [one, '*'])), ...more });

/** `app` needs `ui`, which needs `core`; `docs` has no script `build`. */
const PACKAGES = {
  'p/packages/core/package.json': pkg('core', [], { scripts: { build: 'tsc', test: 'uvu' } }),
  'p/packages/ui/package.json': pkg('ui', ['core', 'left-pad'], { scripts: { build: 'tsc -p .' } }),
  'p/packages/app/package.json': pkg('app', ['ui'], { scripts: { build: 'esbuild', test: 'uvu' } }),
  'p/packages/docs/package.json': pkg('docs', [], { devDependencies: { core: '*' } }),
};
const WORKSPACE = '[workspace]\npackages = ["packages/*"]\n';

function load(config: string, files: Readonly<Record<string, string>> = PACKAGES, from = 'p'): Config {
  const all = { ...files, 'p/fleche.config.toml': config };
  return inHome(all, (home) => loadConfig(join(home, from), { home }));
}

function faults(config: string, files: Readonly<Record<string, string>> = PACKAGES): ReturnType<typeof thrown> {
  return thrown(() => load(config, files));
}

const needsOf = ({ tasks }: Config): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries([...tasks].map(([name, { needs }]) => [name, needs]));
const commands = ({ tasks }: Config): Readonly<Record<string, string>> =>
  Object.fromEntries([...tasks].map(([name, { body }]) => [name, body.kind === 'command' ? body.command : '']));

test('a template without a command is for the packages that have a script of its name', () => {
  const config = load(`${WORKSPACE}[templates.build]\n[templates.test]\n`);
  assert.equal(commands(config), {
    'app#build': 'esbuild',
    'app#test': 'uvu',
    'core#build': 'tsc',
    'core#test': 'uvu',
    'ui#build': 'tsc -p .',
  });
  assert.is(config.tasks.get('ui#build')?.dir, 'packages/ui');
});

test('a template with a command is for every package, or for those that it names', () => {
  const of = (template: string): readonly string[] => [...load(`${WORKSPACE}${template}`).tasks.keys()];
  assert.equal(of('[templates]\nlint = "lint ."'), ['app#lint', 'core#lint', 'docs#lint', 'ui#lint']);
  assert.equal(of('[templates.lint]\nrun = "x"\npackages = ["!docs"]'), ['app#lint', 'core#lint', 'ui#lint']);
  assert.equal(of('[templates.lint]\nrun = "x"\npackages = ["./packages/u*", "c*"]'), ['core#lint', 'ui#lint']);
});

test('an entry of the package replaces keys of the template', () => {
  const files = {
    ...PACKAGES,
    'p/packages/ui/fleche.config.toml': '[tasks.build]\nenv = ["MODE"]\n[tasks.docs]\nrun = "make"\nneeds = ["build"]',
    'p/packages/core/fleche.config.toml': '[tasks.build]\nrun = "make core"\n[tasks.test]\n',
  };
  const config = load(`${WORKSPACE}[templates.build]\nenv = ["NODE_ENV"]\noutputs = ["dist"]\n`, files);
  assert.equal(commands(config), {
    'app#build': 'esbuild',
    'core#build': 'make core',
    'core#test': 'uvu',
    'ui#build': 'tsc -p .',
    'ui#docs': 'make',
  });
  const { env, outputs } = config.tasks.get('ui#build') ?? {};
  assert.equal([env, outputs], [['MODE'], ['packages/ui/dist']]);
  assert.equal(config.tasks.get('ui#docs')?.needs, ['ui#build']);
});

test('needs lead to the same package, to others, to the root, and to all packages below', () => {
  const config = load(`${WORKSPACE}[templates.build]
needs = ["^build", "//#codegen"]
[templates.test]
needs = ["build", "core#build"]
[tasks.codegen]
run = "x"
[tasks.all]
run = "x"
needs = ["^build"]
`);
  assert.equal(needsOf(config), {
    codegen: [],
    all: ['app#build', 'core#build', 'ui#build'],
    'app#build': ['core#build', 'ui#build', 'codegen'],
    'app#test': ['app#build', 'core#build'],
    'core#build': ['codegen'],
    'core#test': ['core#build'],
    'ui#build': ['core#build', 'codegen'],
  });
});

test('what a package needs only to be developed is not passed on to who uses it', () => {
  const files = {
    ...PACKAGES,
    'p/packages/tool/package.json': pkg('tool', [], { scripts: { build: 'x' } }),
    'p/packages/ui/package.json': pkg('ui', ['core'], { devDependencies: { tool: '*' }, scripts: { build: 'x' } }),
  };
  const { 'app#build': app, 'ui#build': ui } = needsOf(
    load(`${WORKSPACE}[templates.build]\nneeds = ["^build"]`, files),
  );
  assert.equal(
    [ui, app],
    [
      ['core#build', 'tool#build'],
      ['core#build', 'ui#build'],
    ],
  );
});

test('a task of its package that only some have is left out of what a template needs', () => {
  const config = load(`${WORKSPACE}[templates.build]\n[templates.lint]\nrun = "x"\nneeds = ["build"]`);
  assert.equal([config.tasks.get('docs#lint')?.needs, config.tasks.get('ui#lint')?.needs], [[], ['ui#build']]);
});

test('paths are relative to the package, to the root with //', () => {
  const files = {
    ...PACKAGES,
    'p/packages/ui/fleche.config.toml': `[tasks.t]
run = "x"
inputs = ["src/**", "!./src/*.tmp", "../../tsconfig.base.json", "../core/x", "//.env", "!//packages/ui/no", "../../../out"]
outputs = ["dist", "//dist/ui/**"]
dir = "src"
[tasks.f]
call = "./tasks/f.ts#f"
args = { a = { file = "a.json" }, b = { glob = "//b/*" }, c = { from = "t" }, d = { from = "//#r" } }
`,
  };
  const { tasks } = load(`${WORKSPACE}tasks.r = "x"\n`.replace('tasks.r', '[tasks]\nr'), files);
  const task = tasks.get('ui#t');
  assert.equal(task?.inputs, [
    'packages/ui/src/**',
    '!packages/ui/src/*.tmp',
    'tsconfig.base.json',
    'packages/core/x',
    '.env',
    '!packages/ui/no',
    '../out',
  ]);
  assert.equal([task?.outputs, task?.dir], [['packages/ui/dist', 'dist/ui/**'], 'packages/ui/src']);
  const { body, needs } = tasks.get('ui#f') ?? {};
  assert.equal(body, {
    kind: 'function',
    module: 'packages/ui/tasks/f.ts',
    export: 'f',
    args: {
      a: { kind: 'file', path: 'packages/ui/a.json' },
      b: { kind: 'glob', patterns: ['b/*'] },
      c: { kind: 'from', task: 'ui#t' },
      d: { kind: 'from', task: 'r' },
    },
  });
  assert.equal(needs, ['ui#t', 'r']);
});

test('the folders of packages can be those of npm, yarn or pnpm', () => {
  const template = 'templates.lint = "x"';
  const names = (packages: string, files: Readonly<Record<string, string>>): readonly string[] =>
    load(`workspace.packages = ${packages}\n${template}`, { ...PACKAGES, ...files }).packages.names;
  const npm = '"package.json"';
  const pnpm = '"pnpm-workspace.yaml"';
  const three = ['app', 'core', 'ui'];
  assert.equal(names(npm, { 'p/package.json': json({ workspaces: ['packages/*', '!packages/docs'] }) }), three);
  assert.equal(names(npm, { 'p/package.json': json({ workspaces: { packages: ['./packages/ui/'] } }) }), ['ui']);
  const yaml = '# all\npackages:\n  - \'packages/*\' # but\n  - "!packages/docs"\ncatalog:\n  a: 1\n';
  assert.equal(names(pnpm, { 'p/pnpm-workspace.yaml': yaml }), three);
  assert.equal(names(pnpm, { 'p/pnpm-workspace.yaml': 'packages: [packages/ui, "packages/app"]\r\n' }), ['app', 'ui']);
  const other = 'all: &all\n  - packages/*\npackages:\n  [\n    packages/ui, # one\n    "packages/core"\n  ]\n';
  assert.equal(names(pnpm, { 'p/pnpm-workspace.yaml': other }), ['core', 'ui']);
  assert.equal(names(pnpm, { 'p/pnpm-workspace.yaml': 'a: &a [packages/app]\npackages: *a' }), ['app']);
  assert.equal(names('["packages/**", "!**/d*"]', {}), three);
});

test('a folder without a manifest is a package if it has a configuration', () => {
  const files = { 'p/packages/a/fleche.config.toml': 'tasks.t = "x"', 'p/packages/b/x': '' };
  assert.equal([...load(WORKSPACE, files).tasks.keys()], ['a#t']);
});

test('whoever starts in a package is in the project of its workspace', () => {
  const files = { ...PACKAGES, 'p/packages/ui/fleche.config.toml': 'tasks.t = "x"', 'p/other/fleche.config.toml': '' };
  const config = `${WORKSPACE}[default]\ncache = "void"\n`;
  const at = (from: string): readonly unknown[] => {
    const { here, tasks, defaults } = load(config, { ...files, [`p/${from}/src/x`]: '' }, `p/${from}/src`);
    return [here?.name, [...tasks.keys()], defaults.cache];
  };
  assert.equal(at('packages/ui'), ['ui', ['ui#t'], 'void']);
  assert.equal(at('packages/core'), ['core', ['ui#t'], 'void']);
  assert.equal(
    at('other'),
    [undefined, [], 'void'],
    'what is no package is a project of its own, with the caches around',
  );
  inHome({ ...files, 'p/fleche.config.toml': config }, (home) => {
    assert.is(loadSettings(join(home, 'p/packages/ui'), { home }).root, join(home, 'p'), 'so are memoised functions');
  });
  const cut = { ...files, 'p/packages/ui/fleche.config.toml': 'default.root = true\ntasks.t = "x"' };
  assert.equal([...load(config, cut, 'p/packages/ui').tasks.keys()], ['t'], 'but not beyond a root');
});

test('two packages of one name are an error', () => {
  const files = { ...PACKAGES, 'p/packages/z/package.json': pkg('ui') };
  assert.equal(faults(WORKSPACE, files), {
    errors: ['DUPLICATE_NAME 2:12 two packages have the name "ui": packages/ui and packages/z'],
    hints: ['Give packages/z another name in its package.json, or take it out with "!packages/z".'],
  });
});

test('what is not there is an error with the nearest name', () => {
  const said = (needs: string): readonly string[] => {
    const { errors, hints } = faults(`${WORKSPACE}[templates.build]\nneeds = [${needs}]`);
    return [...errors, ...hints];
  };
  assert.equal(said('"cor#build"'), [
    'CONFIG_UNKNOWN_PACKAGE 4:10 templates.build.needs[0]: there is no package "cor"',
    'Did you mean "core"?',
  ]);
  assert.equal(said('"core#biuld"'), [
    'CONFIG_UNKNOWN_TASK 4:10 templates.build.needs[0]: core has no task "biuld"',
    'Did you mean "build"?',
  ]);
  assert.equal(said('"^biuld"'), [
    'CONFIG_UNKNOWN_TASK 4:10 templates.build.needs[0]: there is no task "biuld"',
    'Did you mean "build"?',
  ]);
  const files = { ...PACKAGES, 'p/packages/ui/fleche.config.toml': '[tasks.t]\nrun = "x"\nneeds = ["codegen", "u"]' };
  assert.equal(faults(`${WORKSPACE}tasks.codegen = "x"`.replace('tasks.', '[tasks]\n'), files), {
    errors: [
      'CONFIG_UNKNOWN_TASK 3:10 tasks.t.needs[0]: ui has no task "codegen"',
      'CONFIG_UNKNOWN_TASK 3:21 tasks.t.needs[1]: ui has no task "u"',
    ],
    hints: ['Write "//#codegen" for the task of the root.', 'Did you mean "t"?'],
  });
});

test('a circle of packages is told by their names', () => {
  const files = { ...PACKAGES, 'p/packages/core/package.json': pkg('core', ['app'], { scripts: { build: 'x' } }) };
  assert.equal(faults(`${WORKSPACE}[templates.build]\nneeds = ["^build"]`, files).errors, [
    'CONFIG_CYCLE 4:10 packages depend on each other in a circle: app → ui → core → app',
  ]);
  assert.is(load(`${WORKSPACE}[templates.build]`, files).tasks.size, 3, 'and does no harm where nobody goes round it');
});

test('a template that no package uses is an error', () => {
  assert.equal(faults(`${WORKSPACE}[templates.biuld]\n[templates.x]\nrun = "y"\npackages = ["z"]`), {
    errors: [
      'CONFIG_INVALID 3:12 templates.biuld: no package uses it',
      'CONFIG_INVALID 4:12 templates.x: no package uses it',
    ],
    hints: [
      'Did you mean "build"? Scripts of packages give templates without "run" their command.',
      'Correct its "packages", or remove it.',
    ],
  });
  assert.match(faults('[templates.x]\nrun = "y"').hints[0] ?? '', 'Say where the packages are');
});

test('what is wrong with a template is said once, what is wrong with a package beside it', () => {
  const files = {
    ...PACKAGES,
    'p/packages/ui/fleche.config.toml': '[tasks.build]\nrun = 1\n[tasks.x]\n[default]\n',
    'p/packages/docs/fleche.config.toml': 'tasks.y = ""',
  };
  const { errors } = faults(`${WORKSPACE}[templates.build]\ninputs = ["!a"]\nouputs = []`, files);
  assert.equal(errors, [
    'CONFIG_INVALID 4:10 templates.build.inputs only takes files away',
    'CONFIG_UNKNOWN_KEY 5:1 unknown key "ouputs" in templates.build',
    'CONFIG_INVALID 1:11 tasks.y is empty',
    'CONFIG_TYPE 2:7 tasks.build.run must be a string, not 1',
    'CONFIG_INVALID 3:8 tasks.x has neither "run" nor "call", and no template and no script of its name gives it one',
    'CONFIG_UNKNOWN_KEY 4:2 unknown key "default" at the top',
  ]);
});

test('a manifest that is not JSON is an error', () => {
  const { errors } = faults(WORKSPACE, { ...PACKAGES, 'p/packages/ui/package.json': '{\n "name": }' });
  assert.is(errors.length, 1);
  assert.match(errors[0] ?? '', /^CONFIG_SYNTAX \d+:\d+ the manifest is not JSON: /);
});

test('outputs of packages are told apart', () => {
  assert.equal(faults(`${WORKSPACE}[templates.build]\noutputs = ["//dist"]\npackages = ["./packages/[cu]*"]`).errors, [
    'CONFIG_OVERLAP 4:12 templates.build.outputs[0]: "dist" is an output of "core#build" too',
  ]);
});

test.run();
