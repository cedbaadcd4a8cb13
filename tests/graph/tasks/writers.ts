/** Who may write a path, and what follows for those who read or write it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../../core/base/paths.ts';
import { TaskGraph } from '../../../core/graph/tasks/graph.ts';
import type { Task } from '../../../core/graph/tasks/task.ts';
import { Writers } from '../../../core/graph/tasks/writers.ts';
import { thrown } from '../../_thrown.ts';
import { commandTask, taskMap } from '../_tasks.ts';

const tasks = taskMap(
  commandTask('code', '', { outputs: ['src/gen/**', '!src/gen/hand/**'] }),
  commandTask('bundle', '', { needs: ['code'], outputs: ['dist/app.js'] }),
  commandTask('styles', '', { outputs: ['dist/*.css'] }),
  commandTask('report', '', { needs: ['bundle'], outputs: ['*.html'] }),
  commandTask('lint', '', {}),
);
const writers = new Writers(new TaskGraph(tasks));

function task(name: string): Task {
  const found = tasks.get(name);
  if (found === undefined) throw new Error(name);
  return found;
}

function paths(...names: readonly string[]): readonly RelPath[] {
  return names as readonly RelPath[];
}

test('near are the tasks that may write something at, below or above a path', () => {
  const near = (...names: readonly string[]): readonly string[] =>
    writers.near(paths(...names)).map(({ name }) => name);
  assert.equal(near('src'), ['code', 'report']);
  assert.equal(near('src/gen/a/b.ts'), ['code', 'report']);
  assert.equal(near('dist'), ['bundle', 'styles', 'report']);
  assert.equal(near('dist/app.js/x'), ['bundle', 'styles', 'report']);
  assert.equal(near('dist/other.js'), ['styles', 'report']);
  assert.equal(near('.'), ['code', 'bundle', 'styles', 'report']);
  assert.equal(near('../elsewhere', 'source'), ['report']);
  assert.equal(near(), []);
});

test('a path is written by the tasks whose outputs match it', () => {
  const of = (path: string): string[] => writers.of(path as RelPath).map(({ name }) => name);
  assert.equal(of('src/gen/a/b.ts'), ['code']);
  assert.equal(of('src/gen/hand/b.ts'), []);
  assert.equal(of('dist/app.js'), ['bundle']);
  assert.equal(of('dist/app.css'), ['styles']);
  assert.equal(of('index.html'), ['report']);
  assert.equal(of('dist/index.html'), []);
  assert.equal(of('dist'), []);
});

test('reading what is needed, directly or through others, is fine; so is reading what nobody writes', () => {
  writers.requireEdges(task('report'), paths('dist/app.js', 'src/gen/x.ts', 'README.md', 'index.html'));
});

test('reading what is not needed is an error that says what to write', () => {
  const error = thrown(() => writers.requireEdges(task('lint'), paths('a.ts', 'dist/app.css')));
  assert.is(error.code, 'CONFIG_OVERLAP');
  assert.is(error.message, 'task "lint" reads dist/app.css, which task "styles" writes, but does not need it');
  assert.is(error.hint, 'Add to [tasks.lint]: needs = ["styles"]');
  assert.is(error.at?.file, 'fleche.config.toml');
});

test('reading what a dependent writes is an error with another way out', () => {
  const { hint } = thrown(() => writers.requireEdges(task('code'), paths('dist/app.js')));
  assert.is(hint, '"bundle" needs "code" already: take dist/app.js out of the inputs of "code".');
});

test('a path with two writers is an error', () => {
  const overlapping = new Writers(
    new TaskGraph(
      taskMap(commandTask('a', '', { outputs: ['out/**'] }), commandTask('b', '', { outputs: ['out/b/*'] })),
    ),
  );
  const a = commandTask('a', '', { outputs: ['out/**'] });
  overlapping.requireSole(a, paths('out/a/x'));
  const { code, message } = thrown(() => overlapping.requireSole(a, paths('out/a/x', 'out/b/x')));
  assert.equal([code, message], ['CONFIG_OVERLAP', 'tasks "a" and "b" both write out/b/x']);
});

test('the digest tells when the answers may be others', () => {
  const digestOf = (...all: readonly Task[]): string => new Writers(new TaskGraph(taskMap(...all))).digest;
  const first = digestOf(commandTask('a', 'x', { outputs: ['o'] }), commandTask('b', 'x'));
  assert.is(digestOf(commandTask('a', 'y', { outputs: ['o'], inputs: ['i'] }), commandTask('b', 'x')), first);
  assert.is.not(digestOf(commandTask('a', 'x', { outputs: ['p'] }), commandTask('b', 'x')), first);
  assert.is.not(digestOf(commandTask('a', 'x', { outputs: ['o'] }), commandTask('b', 'x', { needs: ['a'] })), first);
});

test.run();
