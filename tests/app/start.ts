/** The process around the command line, with a process that is only looked at. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ProcessHandles, type ProcessStream, start } from '../../core/app/start.ts';

class FakeStream implements ProcessStream {
  text = '';
  readonly #onError: ((error: Error) => void)[] = [];

  write(text: string, done?: (error?: Error | null) => void): boolean {
    this.text += text;
    done?.();
    return true;
  }

  on(_: 'error', listener: (error: Error) => void): void {
    this.#onError.push(listener);
  }

  fail(code = 'EPIPE'): void {
    for (const listener of this.#onError) listener(Object.assign(new Error(code), { code }));
  }
}

interface FakeProcess extends ProcessHandles {
  readonly stdout: FakeStream;
  readonly stderr: FakeStream;
  readonly exits: number[];
  readonly verbs: string[];
  emit(event: string, cause?: unknown): void;
}

function fakeProcess(...argv: readonly string[]): FakeProcess {
  const exits: number[] = [];
  const verbs: string[] = [];
  const listeners = new Map<string, (cause: unknown) => void>();
  return {
    argv,
    cwd: '/',
    env: {},
    stdout: new FakeStream(),
    stderr: new FakeStream(),
    version: '1.2.3',
    settled: () => {},
    on: (event, listener) => void listeners.set(event, listener),
    done: (verb) => verbs.push(verb),
    exit: (code) => exits.push(code),
    exits,
    verbs,
    emit: (event, cause) => listeners.get(event)?.(cause),
  };
}

test('everything is written before the process ends, with the code of the command', async () => {
  const handles = fakeProcess('run', '--help');
  await start(handles);
  assert.match(handles.stdout.text, /^fleche run/);
  assert.equal([handles.exits, handles.verbs], [[0], ['run']]);
  const wrong = fakeProcess('rnu');
  await start(wrong);
  assert.equal([wrong.exits, wrong.verbs], [[3], []]);
  assert.match(wrong.stderr.text, /Did you mean "run"/);
});

test('a reader that goes away ends the process without a word', async () => {
  const handles = fakeProcess('--help');
  const started = start(handles);
  handles.stdout.fail();
  handles.stdout.fail();
  await started;
  assert.is(handles.exits[0], 141);
  assert.is(handles.stdout.text + handles.stderr.text, '');
});

test('output that finds no room is told, and is no success', async () => {
  const handles = fakeProcess('--help');
  const started = start(handles);
  handles.stdout.fail('ENOSPC');
  await started;
  assert.is(handles.exits[0], 1);
  assert.is(handles.stderr.text, 'error[ENOSPC]: standard output cannot be written: ENOSPC\n');
});

test('a terminal that is gone ends the process as the signal does that tells of it', async () => {
  for (const lose of [
    (handles: FakeProcess) => handles.stdout.fail('EIO'),
    (handles: FakeProcess) => handles.emit('SIGHUP'),
  ]) {
    let hangUps = 0;
    const handles = { ...fakeProcess('--help'), hangUp: () => void hangUps++ };
    const started = start(handles);
    lose(handles);
    assert.equal([hangUps, handles.exits], [1, []]);
    await started;
  }
});

test('that nobody reads errors is no reason to end', async () => {
  const handles = fakeProcess('--help');
  const started = start(handles);
  handles.stderr.fail();
  await started;
  assert.equal(handles.exits, [0]);
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} while nothing runs ends with ${code} at once`, async () => {
    const handles = fakeProcess('--help');
    const started = start(handles);
    handles.emit(signal);
    assert.is(handles.exits[0], code);
    await started;
  });
}

test('what nobody caught is told as a bug', async () => {
  const handles = fakeProcess('--help');
  const started = start(handles);
  handles.emit('unhandledRejection', new TypeError('odd'));
  await started;
  assert.is(handles.exits[0], 70);
  assert.match(handles.stderr.text, /^error\[BUG\]: TypeError: odd\n/);
});

test.run();
