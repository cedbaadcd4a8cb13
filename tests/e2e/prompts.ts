/** What `fleche cache` asks and shows in a real terminal, in which a shell has started it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ShellInTerminal, terminalMaker } from './_pty.ts';
import { program, type Rig, withRig } from './_rig.ts';

const TASKS = `[default]
root = true
tasks = ["a", "b"]
cache = "team"

[caches.local]
type = "Lmdb"

[caches.shared]
type = "Http"
url = "URL"
mode = "read-write"
unsigned = true

[caches.team]
stack = ["local", "shared"]

[tasks]
a = "echo a"
b = "echo b"
`;
const FLECHE = `${process.execPath} ${program()}`;
const ALONE = { FLECHE_SHARED_MODE: 'off' };

/** A server that has nothing, and takes what it is sent only when it is released. */
class HeldServer {
  readonly #server = createServer((request, response) => {
    request.resume();
    if (request.method !== 'PUT') return response.writeHead(404).end();
    const answer = (): void => void response.writeHead(201).end();
    if (this.#isOpen) return answer();
    return this.#held.push(answer);
  });
  readonly #held: (() => void)[] = [];
  #isOpen = false;

  async url(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  release(): void {
    this.#isOpen = true;
    for (const answer of this.#held.splice(0)) answer();
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const maker = terminalMaker();

/** A shell in a project with two answers on file. */
async function inTerminal(
  use: (terminal: ShellInTerminal, rig: Rig, server: HeldServer) => Promise<void>,
): Promise<void> {
  if (maker === undefined) return;
  const server = new HeldServer();
  try {
    const files = { 'fleche.config.toml': TASKS.replace('URL', await server.url()) };
    await withRig(files, async (rig) => {
      assert.is((await rig.run([], ALONE)).code, 0);
      const terminal = new ShellInTerminal(maker, rig.root, rig.env({ LC_ALL: 'C.UTF-8' }));
      try {
        await use(terminal, rig, server);
        assert.ok(await terminal.isOrdinary());
      } finally {
        await terminal.end();
      }
    });
  } finally {
    server.close();
  }
}

async function answers(rig: Rig): Promise<number> {
  const { stdout } = await rig.fleche(['cache', 'verify', '--json']);
  return (JSON.parse(stdout) as { records: number }).records;
}

/** Types an answer to the question of `cache purge`; gives what came after it, with the exit code. */
async function answered(terminal: ShellInTerminal, keys: string): Promise<string> {
  terminal.press(`${FLECHE} cache purge; echo "co"de $?\r`);
  await terminal.sees(/Remove all 2 answers from .*\? \[y\/N\] $/);
  terminal.press(keys);
  return terminal.sees(/code \d+\r?\n/);
}

test('purge asks, and takes everything but a yes for a no', () =>
  inTerminal(async (terminal, rig) => {
    for (const keys of ['n\r', '\r', 'yellow\r', '\u0004']) {
      assert.match(await answered(terminal, keys), /nothing was removed\r\ncode 1\r/, JSON.stringify(keys));
    }
    assert.is(await answers(rig), 2);
  }));

test('Ctrl-C at the question is an interruption, after which nothing is different', () =>
  inTerminal(async (terminal, rig) => {
    assert.match(await answered(terminal, '\u0003'), /nothing was removed\r\ncode 130\r/);
    assert.is(await answers(rig), 2);
  }));

test('a yes, which can be corrected until Enter is pressed, purges', () =>
  inTerminal(async (terminal, rig) => {
    assert.match(await answered(terminal, 'no\u007f\u007fYes\r'), /removed 2 answers and [\s\S]*code 0\r/);
    assert.is(await answers(rig), 0);
  }));

test('push says what is under way, and leaves its last word alone behind', () =>
  inTerminal(async (terminal, _, server) => {
    terminal.press(`${FLECHE} cache push; echo "co"de $?\r`);
    await terminal.sees(/sending 2 answers/);
    server.release();
    const text = await terminal.sees(/code \d+\r?\n/);
    assert.match(text, /2 answers on file\r\nshared: sent 2 records [\s\S]*code 0\r/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
    assert.match(text, /\u001b\[1A\u001b\[0J/, 'the line is taken away');
  }));

test('Ctrl-C ends a push whose server does not answer', () =>
  inTerminal(async (terminal) => {
    terminal.press(`${FLECHE} cache push; echo "co"de $?\r`);
    await terminal.sees(/sending 2 answers/);
    terminal.press('\u0003');
    assert.match(await terminal.sees(/code \d+\r?\n/), /code 130\r/);
  }));

test.run();
