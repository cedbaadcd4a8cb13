/** Reasons are about what a person can see and change, and there is one for every change. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../core/base/digest.ts';
import { encode } from '../../../core/base/encode.ts';
import { type Digest, sha256 } from '../../../core/base/hash.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import type { PartChange } from '../../../core/call/explain.ts';
import { part } from '../../../core/call/fingerprint.ts';
import { makeTree, type TreeEntry, treeText } from '../../../core/files/trees/tree.ts';
import { reasonsOf } from '../../../core/graph/tasks/reasons.ts';
import type { Part, PartKind } from '../../../core/store/record.ts';

const blobs = new Map<Digest, Uint8Array>();
const read = (blob: Digest): Uint8Array | undefined => blobs.get(blob);

function keep(bytes: Uint8Array): Digest {
  const blob = sha256(bytes);
  blobs.set(blob, bytes);
  return blob;
}

function text(kind: PartKind, name: string, value: string): Part {
  return part(kind, name, digest(value), keep(encode(value)));
}

function files(name: string, contents: Readonly<Record<string, string>>, executable = false): Part {
  const entries = Object.entries(contents).map(
    ([path, content]): TreeEntry => ({
      kind: 'file',
      path: path as RelPath,
      executable,
      digest: sha256(content),
      size: content.length,
    }),
  );
  const tree = makeTree(entries);
  return part('files', name, tree.digest, keep(Buffer.from(treeText(tree.entries))));
}

function change(past: Part | null, present: Part | null): PartChange {
  const { name, kind } = past ?? present ?? { name: '', kind: 'option' as const };
  return { name, kind, past, present };
}

function reasons(past: Part | null, present: Part | null): ReturnType<typeof reasonsOf> {
  return reasonsOf([change(past, present)], read);
}

test('changed files are named one by one', () => {
  const past = files('inputs', { a: '1', b: '2', c: '3' });
  const present = files('inputs', { a: '1', b: 'x', d: '4' });
  assert.equal(reasons(past, present), [
    { kind: 'file', path: 'b', change: 'changed' },
    { kind: 'file', path: 'c', change: 'removed' },
    { kind: 'file', path: 'd', change: 'added' },
  ]);
  assert.equal(reasons(files('inputs', { a: '1' }), files('inputs', { a: '1' }, true)), [
    { kind: 'file', path: 'a', change: 'mode' },
  ]);
});

test('files whose list is gone or cannot be read are told of as a whole', () => {
  const past = { ...files('inputs', { a: '1' }), blob: null };
  assert.equal(reasons(past, files('inputs', { a: '2' })), [{ kind: 'option', name: 'inputs' }]);
  const foreign = part('files', 'arg:data', digest(1), keep(Buffer.from('fleche-tree 99\n')));
  assert.equal(reasons(foreign, files('arg:data', { a: '2' })), [
    { kind: 'argument', name: 'data', change: 'changed' },
  ]);
  assert.equal(reasons(null, files('inputs', { a: '2' })), [{ kind: 'option', name: 'inputs' }]);
});

test('a variable that is unset counts as not there', () => {
  const unset = part('env', 'env:X', digest(undefined));
  const one = part('env', 'env:X', digest('1'));
  const two = part('env', 'env:X', digest('2'));
  const reason = (how: string): unknown => [{ kind: 'env', name: 'X', change: how }];
  assert.equal(reasons(unset, one), reason('added'));
  assert.equal(reasons(null, one), reason('added'));
  assert.equal(reasons(one, unset), reason('removed'));
  assert.equal(reasons(one, null), reason('removed'));
  assert.equal(reasons(one, two), reason('changed'));
});

test('versions are told from and to, if they can still be read', () => {
  const five = text('tool', 'tool:vite', '5.0.0');
  const six = text('tool', 'tool:vite', '6.0.0');
  assert.equal(reasons(five, six), [{ kind: 'tool', name: 'vite', from: '5.0.0', to: '6.0.0' }]);
  assert.equal(reasons(null, six), [{ kind: 'tool', name: 'vite', from: null, to: '6.0.0' }]);
  const damaged = { ...five, blob: keep(Buffer.from([0xff, 1, 2])) };
  assert.equal(reasons(damaged, six), [{ kind: 'tool', name: 'vite', from: null, to: '6.0.0' }]);
  assert.equal(reasons(text('runtime', 'runtime', 'a'), text('runtime', 'runtime', 'b')), [
    { kind: 'runtime', from: 'a', to: 'b' },
  ]);
});

test('every other kind of part has its own reason', () => {
  const pair = (kind: PartKind, name: string): ReturnType<typeof reasonsOf> =>
    reasons(part(kind, name, digest(1)), part(kind, name, digest(2)));
  assert.equal(pair('upstream', 'need:a:b'), [{ kind: 'upstream', task: 'a:b', change: 'changed' }]);
  assert.equal(pair('argument', 'arg:x'), [{ kind: 'argument', name: 'x', change: 'changed' }]);
  assert.equal(pair('command', 'command'), [{ kind: 'command' }]);
  assert.equal(pair('code', 'code'), [{ kind: 'code' }]);
  assert.equal(pair('option', 'dir'), [{ kind: 'option', name: 'dir' }]);
  assert.equal(pair('identity', 'task'), [{ kind: 'option', name: 'task' }]);
});

test.run();
