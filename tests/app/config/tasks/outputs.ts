import { test } from 'uvu';
import { assertErrors, load } from '../_project.ts';

const NARROW = 'A task must not write what it reads: narrow the outputs, or take the file away from them with "!".';
const reads = (path: string, text: string): readonly [string, string, string] => [
  'CONFIG_OVERLAP',
  `tasks.${path}: the outputs cover "${text}", which the task reads`,
  NARROW,
];
const task = (name: string, keys: string): string => `[tasks.${name}]\nrun = "x"\n${keys}\n`;

test('an output belongs to one task', () => {
  const hint = 'Let one task write these files, and the other need it.';
  assertErrors([
    [
      task('a', 'outputs = ["dist/**"]') + task('b', 'outputs = ["x", ▸"./dist//**"]'),
      ['CONFIG_OVERLAP', 'tasks.b.outputs[1]: "dist/**" is an output of "a" too', hint],
    ],
    [
      task('a', 'outputs = ["a", ▸"./a"]'),
      ['CONFIG_OVERLAP', 'tasks.a.outputs[1]: "a" is there already', 'Remove one of them.'],
    ],
    [
      task('a', 'outputs = [▸"dist/app.js"]') + task('b', 'outputs = ["src", "dist/*.js"]'),
      [
        'CONFIG_OVERLAP',
        'tasks.a.outputs[0]: "dist/app.js" is covered by the outputs of "b", "dist/*.js"',
        'Add "!dist/app.js" to the outputs of "b", or let one task write both.',
      ],
    ],
    [
      task('a', 'outputs = ["dist"]') + task('b', 'outputs = [▸"dist/app.js"]'),
      [
        'CONFIG_OVERLAP',
        'tasks.b.outputs[0]: "dist/app.js" is covered by the outputs of "a", "dist"',
        'Add "!dist/app.js" to the outputs of "a", or let one task write both.',
      ],
    ],
    [
      task('a', 'outputs = ["**/*.js"]') + task('b', 'outputs = [▸"app.js"]'),
      [
        'CONFIG_OVERLAP',
        'tasks.b.outputs[0]: "app.js" is covered by the outputs of "a", "**/*.js"',
        'Add "!app.js" to the outputs of "a", or let one task write both.',
      ],
    ],
  ]);
});

test('outputs that need not be written are outputs too', () => {
  assertErrors([
    [
      task('a', 'outputs = ["x"]\noptional_outputs = ["dist"]') + task('b', 'outputs = [▸"dist/app.js"]'),
      [
        'CONFIG_OVERLAP',
        'tasks.b.outputs[0]: "dist/app.js" is covered by the outputs of "a", "dist"',
        'Add "!dist/app.js" to the outputs of "a", or let one task write both.',
      ],
    ],
    [
      task('a', 'outputs = ["x"]\noptional_outputs = ["y", ▸"x"]'),
      ['CONFIG_OVERLAP', 'tasks.a.optional_outputs[1]: "x" is there already', 'Remove one of them.'],
    ],
    [task('a', 'optional_outputs = ▸["*.toml"]'), reads('a.optional_outputs', 'fleche.config.toml')],
  ]);
});

test('outputs that are told apart are no error', () => {
  load(task('a', 'outputs = ["dist/**", "!dist/report.html"]') + task('b', 'outputs = ["dist/report.html"]'));
  load(task('a', 'outputs = ["dist/*.js"]') + task('b', 'outputs = ["dist/a.css", "dist2/a.js", "dist/x/a.js"]'));
  load(task('a', 'outputs = ["dist/**", "!tmp"]') + task('b', 'outputs = ["out/**", "!tmp"]'));
});

test('a task does not write what it reads', () => {
  assertErrors([
    [task('a', 'inputs = ["src/**", ▸"dist/in.txt"]\noutputs = ["dist/**"]'), reads('a.inputs[1]', 'dist/in.txt')],
    [task('a', 'inputs = [▸"a.txt"]\noutputs = ["a.txt"]'), reads('a.inputs[0]', 'a.txt')],
    [task('a', 'inputs = [▸"src"]\noutputs = ["src/**"]'), reads('a.inputs[0]', 'src')],
    [task('a', 'inputs = [▸"src/**/*.ts"]\noutputs = ["src/**/*.ts"]'), reads('a.inputs[0]', 'src/**/*.ts')],
    ['[tasks.a]\ncall = ▸"./tasks/a.ts#a"\noutputs = ["tasks/*"]', reads('a.call', 'tasks/a.ts')],
    [
      '[tasks.a]\ncall = "./a.ts#a"\nargs.x = { file = ▸"data/x.json" }\noutputs = ["data/**"]',
      reads('a.args.x.file', 'data/x.json'),
    ],
    [task('a', 'outputs = ▸["**"]'), reads('a.outputs', 'fleche.config.toml')],
    [task('a', 'outputs = ▸["*.toml"]'), reads('a.outputs', 'fleche.config.toml')],
  ]);
});

test('a task may write beside what it reads', () => {
  load(task('a', 'inputs = ["src/**"]\noutputs = ["src/generated/**"]'));
  load(task('a', 'inputs = ["src"]\noutputs = ["src/generated/**"]'));
  load(task('a', 'inputs = ["dist/in.txt"]\noutputs = ["dist/**", "!dist/in.txt"]'));
  load(task('a', 'inputs = ["dist/in.txt"]\noutputs = ["dist/*.js"]'));
  load(task('a', 'inputs = ["**", "!dist"]\noutputs = ["**/*.js"]'));
});

test('outputs that are wrong in themselves do not lead to further errors', () => {
  assertErrors([
    [
      task('a', 'inputs = ["a"]\noutputs = ["a", ▸"../b"]'),
      [
        'CONFIG_INVALID',
        'tasks.a.outputs[1]: "../b" leaves the project',
        'Write a path below the folder of fleche.config.toml, without "..".',
      ],
    ],
    [
      task('a', 'outputs = ["a/b", ▸"a/{1..2000}"]') + task('b', 'outputs = ["a/c"]'),
      [
        'CONFIG_INVALID',
        'tasks.a.outputs[1] stands for too many words',
        'Use * or ** instead of so many alternatives in braces.',
      ],
    ],
  ]);
});

test.run();
