/** Which tasks a word on the command line means. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_MANIFEST } from '../../../core/app/packages/manifest.ts';
import { Packages } from '../../../core/app/packages/packages.ts';
import { chosenTask, chosenTasks, taskNamed } from '../../../core/app/selection/targets.ts';
import type { FlecheError } from '../../../core/base/errors.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import { TaskGraph } from '../../../core/graph/tasks/graph.ts';
import { commandTask } from '../../graph/_tasks.ts';

const at = (name: string, folder: string) => ({ ...NO_MANIFEST, name, folder: folder as RelPath });
const packages = new Packages(at('//', '.'), [
  at('@s/a', 'packages/a'),
  at('b', 'packages/b'),
  at('@s/two', 'packages/c'),
  at('@t/two', 'packages/d'),
]);
const graph = new TaskGraph(
  new Map(
    ['build', '@s/a#build', 'b#build', 'b#test', 'codegen'].map((name) => [name, commandTask(name, `make ${name}`)]),
  ),
);
const root = { graph, packages, here: undefined, defaults: ['build'] };
const inB = { ...root, here: packages.named('b') };

test('a name is that task wherever there is one', () => {
  assert.equal(chosenTasks(['build', 'test', 'build'], root), ['build', '@s/a#build', 'b#build', 'b#test']);
  assert.equal(chosenTasks([], root), ['build', '@s/a#build', 'b#build']);
});

test('in a package it is the task of that package', () => {
  assert.equal(chosenTasks(['build'], inB), ['b#build']);
  assert.equal(chosenTasks(['@s/a#build', '//#codegen'], inB), ['@s/a#build', 'codegen']);
  assert.throws(() => chosenTasks(['codegen'], inB), /^b has no task "codegen"$/);
});

test('one task is meant where there is one', () => {
  assert.is(chosenTask('test', root), 'b#test');
  assert.throws(() => chosenTask('build', root), /several packages have a task "build"/);
});

test('a package is meant without its scope too, where that is enough', () => {
  assert.is(chosenTask('a#build', root), '@s/a#build');
  assert.is(taskNamed('a#build', root), '@s/a#build');
  assert.is(taskNamed('//#build', root), 'build');
  assert.is(taskNamed('build', inB), 'b#build');
  assert.is(taskNamed('two#build', root), undefined);
  assert.throws(
    () => chosenTasks(['two#build'], root),
    ({ hint }: FlecheError) => hint === 'Write its scope: @s/two, @t/two.',
  );
});

test('what is not there is an error', () => {
  assert.throws(() => chosenTasks(['biuld'], root), /^there is no task "biuld"$/);
  assert.throws(
    () => chosenTasks(['@s/aa#build'], root),
    (error: FlecheError) => error.message === 'there is no package "@s/aa"' && error.hint === 'Did you mean "@s/a"?',
  );
  assert.throws(() => chosenTasks(['b#x'], root), /^b has no task "x"$/);
});

test.run();
