import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Task } from '../../../../core/graph/tasks/task.ts';
import { assertErrors, load } from '../_project.ts';

function read(more: string): Task['service'] {
  return load(`[tasks.t]\nrun = "serve"\n${more}`).tasks.get('t')?.service;
}

test('a task is no service unless it says so', () => {
  assert.is(read(''), undefined);
  assert.is(read('persistent = false'), undefined);
  assert.equal(read('persistent = true'), { ready: undefined });
  assert.equal(read('ready = { log = "up" }')?.ready?.when, { kind: 'log', text: 'up' }, 'only a service can be ready');
});

test('readiness by port, log and command', () => {
  assert.equal(read('persistent = true\nready = { port = 3000 }'), {
    ready: { when: { kind: 'port', port: 3000 }, timeout: 60_000 },
  });
  assert.equal(read('persistent = true\nready = { log = "listening", timeout = "5s" }'), {
    ready: { when: { kind: 'log', text: 'listening' }, timeout: 5000 },
  });
  assert.equal(read('persistent = true\nready = { command = "curl -sf x" }'), {
    ready: { when: { kind: 'command', command: 'curl -sf x' }, timeout: 60_000 },
  });
});

test('what a service cannot have is an error at its place', () => {
  const REMOVE = 'Remove it, or remove persistent.';
  const service = '[tasks.t]\nrun = "x"\npersistent = true\n';
  assertErrors([
    [
      `${service}▸outputs = ["dist/**"]\n▸retries = 1`,
      ['CONFIG_INVALID', 'tasks.t.outputs: a service has no outputs', REMOVE],
      ['CONFIG_INVALID', 'tasks.t.retries: a service is not tried again', REMOVE],
    ],
    [
      '[tasks.t]\n▸call = "./a.ts#a"\npersistent = true',
      ['CONFIG_INVALID', 'tasks.t.call: a service is a command', REMOVE],
    ],
    [
      '[tasks.t]\nrun = "x"\npersistent = false\n▸ready = { port = 1 }',
      ['CONFIG_INVALID', 'tasks.t.ready: only a service has to be ready', 'Write persistent = true, or remove it.'],
    ],
    [
      `${service}▸ready = { port = 70000 }`,
      ['CONFIG_INVALID', 'tasks.t.ready: there is no port 70000', 'The last one is 65535.'],
    ],
  ]);
});

test('what says nothing of when it is ready is an error', () => {
  assertErrors([
    [
      '[tasks.t]\nrun = "x"\npersistent = true\n▸ready = { timeout = "5s" }',
      [
        'CONFIG_INVALID',
        'tasks.t.ready has neither "port", "log" nor "command"',
        'Say when it is ready: by a port, a log or a command.',
      ],
    ],
  ]);
});

test.run();
