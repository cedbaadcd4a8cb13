/** A hit needs a record that succeeded and all it names; a miss says why, by the nearest past call. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../core/base/digest.ts';
import { type Digest, type Key, sha256 } from '../../../core/base/hash.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import { fingerprint, part } from '../../../core/call/fingerprint.ts';
import { Globs } from '../../../core/files/globs/globs.ts';
import { makeTree, treeText } from '../../../core/files/trees/tree.ts';
import { comparison, isThere, lookUp } from '../../../core/graph/round/lookup.ts';
import { product } from '../../../core/graph/tasks/product.ts';
import type { TaskCall } from '../../../core/graph/tasks/task-call.ts';
import { MemoryCallStore, MemoryValueStore } from '../../../core/store/memory.ts';
import type { CallRecord } from '../../../core/store/record.ts';
import { commandTask } from '../_tasks.ts';

function callOf(over: Readonly<Record<string, unknown>> = {}): TaskCall {
  const values = { a: 1, b: 2, c: 3, ...over };
  const { parts, key } = fingerprint(
    Object.entries(values).map(([name, value]) => part('argument', `arg:${name}`, digest(value))),
  );
  return {
    task: commandTask('go', 'true'),
    globs: { outputs: new Globs(['out/**']) },
    parts,
    key,
    code: null,
    args: new Map(),
    blobs: new Map(),
    reads: new Map(),
    isSure: true,
    isOpen: false,
    dependsOn: { paths: [], links: [], folders: [] },
    changedInputs: () => [],
  };
}

class Shelf {
  readonly calls: MemoryCallStore = new MemoryCallStore();
  readonly values: MemoryValueStore = new MemoryValueStore();
  time = 0;
  readonly now = (): number => this.time;
  #filed = 0;

  blob(text: string): Digest {
    const bytes = Buffer.from(text);
    this.values.put(sha256(bytes), bytes);
    return sha256(bytes);
  }

  file({ key, parts, task }: TaskCall, over: Partial<CallRecord> = {}): void {
    this.calls.put({
      key,
      parts,
      kind: 'task',
      name: task.name,
      module: null,
      failure: null,
      result: null,
      promised: false,
      outputs: null,
      log: null,
      metadata: {},
      filed: ++this.#filed,
      ...over,
    });
  }
}

function missed(call: TaskCall, shelf: Shelf): unknown {
  const found = lookUp(call, shelf);
  return found.kind === 'miss' ? found.reasons : 'hit';
}

test('the first call of a task', () => {
  assert.equal(missed(callOf(), new Shelf()), [{ kind: 'first' }]);
});

test('a record is a hit, with what it made', () => {
  const shelf = new Shelf();
  const tree = makeTree([
    { kind: 'file', path: 'out/a' as RelPath, executable: true, digest: shelf.blob('a'), size: 1 },
    { kind: 'dir', path: 'out/empty' as RelPath },
    { kind: 'link', path: 'out/link' as RelPath, target: 'a', digest: null, executable: false },
  ]);
  const result = { digest: digest('value'), blob: shelf.blob('value') };
  shelf.file(callOf(), { outputs: shelf.blob(treeText(tree.entries)), result, log: shelf.blob('log') });
  const found = lookUp(callOf(), shelf);
  assert.is(found.kind, 'hit');
  if (found.kind !== 'hit') return;
  assert.equal(found.product.outputs, tree);
  assert.equal(found.product.result, product(result, tree).result);
  assert.is(Buffer.concat([...(found.log ?? [])]).toString(), 'log');
});

test('whatever a record names and is gone is a miss that says what', () => {
  const tree = makeTree([{ kind: 'file', path: 'out/a' as RelPath, executable: false, digest: sha256('a'), size: 1 }]);
  const cases: readonly (readonly [string, (shelf: Shelf) => Partial<CallRecord>])[] = [
    ['the result', () => ({ result: { digest: digest(1), blob: sha256('gone') } })],
    ['the captured output', () => ({ log: sha256('gone') })],
    ['the list of outputs', () => ({ outputs: tree.digest })],
    ['the list of outputs', (shelf) => ({ outputs: shelf.blob('no tree') })],
  ];
  for (const [what, over] of cases) {
    const shelf = new Shelf();
    shelf.file(callOf(), over(shelf));
    assert.equal(missed(callOf(), shelf), [{ kind: 'lost', what }]);
  }
});

test('outputs whose contents are gone are a hit, since they may stand in the workspace', () => {
  const shelf = new Shelf();
  const tree = makeTree([{ kind: 'file', path: 'out/a' as RelPath, executable: false, digest: sha256('a'), size: 1 }]);
  shelf.file(callOf(), { outputs: shelf.blob(treeText(tree.entries)) });
  assert.is(missed(callOf(), shelf), 'hit');
});

test('a product is there if its result is', () => {
  const shelf = new Shelf();
  const made = product({ digest: digest('v'), blob: sha256('v') }, null);
  assert.not(isThere(made, shelf.values));
  shelf.blob('v');
  assert.ok(isThere(made, shelf.values));
  assert.ok(isThere(product(null, null), shelf.values));
});

test('an answer is a hit up to the age that its task allows, and never if it is from the future', () => {
  const HOUR = 3_600_000;
  const shelf = new Shelf();
  const plain = callOf();
  const aging = { ...plain, task: { ...plain.task, staleAfter: HOUR } };
  shelf.file(plain, { filed: 10 * HOUR });
  const at = (time: number, call: TaskCall = aging): unknown => {
    shelf.time = time;
    return missed(call, shelf);
  };
  assert.equal([at(10 * HOUR), at(11 * HOUR), at(99 * HOUR, plain)], ['hit', 'hit', 'hit']);
  assert.equal(at(11 * HOUR + 1), [{ kind: 'expired', age: HOUR + 1 }]);
  assert.equal(at(9 * HOUR), [{ kind: 'expired', age: Number.POSITIVE_INFINITY }]);
  assert.is(at(9 * HOUR, plain), 'hit');
});

test('a failure is not served', () => {
  const shelf = new Shelf();
  shelf.file(callOf(), { failure: { message: 'exited with code 1', exitCode: 1, signal: null } });
  assert.equal(missed(callOf(), shelf), [{ kind: 'failed-before' }]);
});

test('a miss is explained by the past call that is nearest, not by the last one', () => {
  const shelf = new Shelf();
  shelf.file(callOf());
  shelf.file(callOf({ a: 10, b: 20 }));
  assert.equal(missed(callOf({ a: 11 }), shelf), [{ kind: 'argument', name: 'a', change: 'changed' }]);
  assert.equal(missed(callOf({ a: 10, b: 21 }), shelf), [{ kind: 'argument', name: 'b', change: 'changed' }]);
});

test('calls of other tasks explain nothing', () => {
  const shelf = new Shelf();
  shelf.file(callOf(), { name: 'other' });
  assert.equal(missed(callOf({ a: 2 }), shelf), [{ kind: 'first' }]);
});

test('a record that is gone while its neighbour says the same is lost', () => {
  const shelf = new Shelf();
  const call = callOf();
  shelf.file(call, { key: sha256('another') as Key });
  assert.equal(missed(call, shelf), [{ kind: 'lost', what: 'the record' }]);
});

test('a comparison is with the call itself if it is on file', () => {
  const shelf = new Shelf();
  assert.is(comparison(callOf(), shelf), undefined);
  shelf.file(callOf({ a: 2 }));
  assert.equal(comparison(callOf(), shelf)?.changes.length, 1);
  shelf.file(callOf());
  assert.equal(comparison(callOf(), shelf)?.changes, []);
});

test.run();
