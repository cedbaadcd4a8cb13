import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Scheduling } from '../../../../core/graph/tasks/task.ts';
import { assertErrors, load, thrown } from '../_project.ts';

function read(text: string): Scheduling | undefined {
  return load(text).tasks.get('t')?.scheduling;
}

test('a task of which nothing is said has no scheduling of its own', () => {
  assert.is(read('tasks.t = "x"'), undefined);
});

test('what is said arrives, the rest is filled in', () => {
  assert.equal(read('[tasks.t]\nrun = "x"\nweight = 3'), { weight: 3, retries: 0, retryDelay: 1000 });
  assert.equal(
    read(
      '[tasks.t]\nrun = "x"\nretries = 2\nretry_delay = "1m30s"\ntimeout = "2h"\nlimit = { group = "db", slots = 2 }',
    ),
    {
      weight: 1,
      retries: 2,
      retryDelay: 90_000,
      timeout: 7_200_000,
      limit: { group: 'db', slots: 2, size: undefined },
    },
  );
});

test('a group has the size that is said, wherever that stands', () => {
  const text = '[tasks.t]\nrun = "x"\nlimit = { group = "db" }\n[limits]\ndb = 3\n';
  assert.equal(read(text)?.limit, { group: 'db', slots: 1, size: 3 });
});

const LESS = 'Let it take less, or say that there are more.';

test('a task that takes more than there is is an error, at the task', () => {
  assertErrors([
    [
      '[limits]\ndb = 1\n[tasks.▸t]\nrun = "x"\nlimit = { group = "db", slots = 2 }',
      ['CONFIG_INVALID', 'task "t" takes 2 places of "db", more than there are: [limits] db = 1', LESS],
    ],
    [
      '[default]\njobs = 2\n[tasks.▸t]\nrun = "x"\nweight = 3',
      ['CONFIG_INVALID', 'task "t" takes 3 jobs, more than there are: jobs = 2', LESS],
    ],
  ]);
});

test('what the machine has is no matter of the configuration', () => {
  assert.is(read('[tasks.t]\nrun = "x"\nweight = 300')?.weight, 300);
});

test('a wrong form is an error at its place', () => {
  const { errors } = thrown(() => load('[limits]\ndb = 0\n[tasks.t]\nrun = "x"\nweight = 0\ntimeout = "soon"'));
  assert.equal(errors, [
    'CONFIG_TYPE 2:6 limits.db must be a whole number, 1 or more, not 0',
    'CONFIG_TYPE 5:10 tasks.t.weight must be a whole number, 1 or more, not 0',
    'INVALID_DURATION 6:11 tasks.t.timeout: "soon" is not a duration',
  ]);
});

test.run();
