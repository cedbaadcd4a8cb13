import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TaskGraph } from '../../../core/graph/tasks/graph.ts';
import { thrown } from '../../_thrown.ts';
import { commandTask, taskMap } from '../_tasks.ts';

const diamond = new TaskGraph(
  taskMap(
    commandTask('report', 'report', { needs: ['bundle', 'types'] }),
    commandTask('bundle', 'bundle', { needs: ['codegen'] }),
    commandTask('types', 'types', { needs: ['codegen'] }),
    commandTask('codegen', 'codegen'),
    commandTask('lint', 'lint'),
  ),
);

test('a closure holds what is needed, each task before what needs it, and nothing else', () => {
  assert.equal(diamond.closure(['report']), ['codegen', 'bundle', 'types', 'report']);
  assert.equal(diamond.closure(['lint', 'types']), ['lint', 'codegen', 'types']);
});

test('the upstream of a task is its closure without itself', () => {
  assert.equal(diamond.upstreamOf('report'), ['codegen', 'bundle', 'types']);
  assert.equal(diamond.upstreamOf('codegen'), []);
});

test('a task is upstream of another exactly if it is in the upstream of the other', () => {
  const needs = fc.array(fc.array(fc.nat(99), { maxLength: 4 }), { minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(needs, (needs) => {
      const tasks = needs.map((places, at) =>
        commandTask(`t${at}`, '', { needs: [...new Set(places.filter((place) => place < at))].map((at) => `t${at}`) }),
      );
      const graph = new TaskGraph(taskMap(...tasks.toReversed()));
      for (const name of graph.names) {
        const upstream = graph.names.filter((other) => graph.isUpstream(other, name));
        assert.equal(upstream.sort(), [...graph.upstreamOf(name)].sort());
      }
    }),
  );
  assert.is(diamond.isUpstream('nothing', 'report'), false);
  assert.is(diamond.isUpstream('report', 'nothing'), false);
});

test('dependents are those that need a task directly', () => {
  assert.equal(diamond.dependentsOf('codegen'), ['bundle', 'types']);
  assert.equal(diamond.dependentsOf('report'), []);
});

test('a cycle is refused with its whole path', () => {
  const tasks = taskMap(
    commandTask('a', 'a', { needs: ['b'] }),
    commandTask('b', 'b', { needs: ['c'] }),
    commandTask('c', 'c', { needs: ['b'] }),
  );
  const error = thrown(() => new TaskGraph(tasks));
  assert.is(error.code, 'CONFIG_CYCLE');
  assert.match(error.message, 'b → c → b');
});

test('an unknown task is refused with the nearest name', () => {
  const error = thrown(() => diamond.closure(['bundel']));
  assert.is(error.code, 'CONFIG_UNKNOWN_TASK');
  assert.is(error.hint, 'Did you mean "bundle"?');
});

test.run();
