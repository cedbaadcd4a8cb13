import { lstatSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../core/base/hash.ts';
import { byCodeUnit } from '../../../core/base/order.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import { listOf, packStates, placeIn, unpackStates } from '../../../core/files/states/path-list.ts';
import { type PathKind, type PathState, stateOf } from '../../../core/files/states/path-states.ts';
import { statKey } from '../../../core/files/states/stat-key.ts';

const number = fc.double({ noNaN: true });
const text = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', ''));
const plain = { noNullPrototype: true };
const key = fc.record({ size: number, mtime: number, ctime: number, ino: number, mode: number }, plain);
const fields = {
  path: text.map((text) => text as RelPath),
  kind: fc.constantFrom<PathKind>('file', 'link', 'dir', 'absent'),
  key: fc.option(key),
  digest: fc.option(fc.string().map((text) => sha256(text))),
  trusted: fc.boolean(),
  target: text,
};
const state: fc.Arbitrary<PathState> = fc.record(fields, plain);
const NOTHING = Uint8Array.of();

test('what is packed comes back, from any alignment and in parts', () => {
  fc.assert(
    fc.property(fc.array(state), fc.uint8Array(), fc.nat(9), fc.nat(), (states, remark, shift, cut) => {
      const packed = packStates(states, remark);
      const shifted = Buffer.alloc(packed.length + shift);
      shifted.set(packed, shift);
      const unpacked = unpackStates(shifted.subarray(shift));
      assert.ok(unpacked !== undefined);
      assert.is(unpacked.length, states.length);
      assert.equal(Uint8Array.from(unpacked.remark), remark);
      assert.equal([...unpacked.part(0, states.length)], states);
      const middle = cut % (states.length + 1);
      assert.equal([...unpacked.part(0, middle), ...unpacked.part(middle, states.length)], states);
    }),
  );
});

test('a packed list and one in memory say the same, place by place', () => {
  fc.assert(
    fc.property(fc.array(state, { minLength: 1 }), (states) => {
      const plain = listOf(states);
      const packed = unpackStates(packStates(states, NOTHING))?.part(0, states.length) ?? listOf([]);
      assert.is(packed.length, plain.length);
      for (let at = plain.length - 1; at >= 0; at--) {
        assert.is(packed.path(at), plain.path(at));
        assert.is(packed.kind(at), plain.kind(at));
        assert.equal(packed.get(at), plain.get(at));
        assert.is(packed.get(at), packed.get(at));
      }
    }),
  );
});

test('stats vouch for a trusted file with the same key and for nothing else', () => {
  const stats = lstatSync(import.meta.filename);
  const file: PathState = {
    path: 'a' as RelPath,
    kind: 'file',
    key: statKey(stats),
    digest: sha256('a'),
    trusted: true,
    target: '',
  };
  const states: readonly PathState[] = [
    file,
    { ...file, trusted: false },
    { ...file, kind: 'link' },
    { ...file, key: null },
    ...(['size', 'mtime', 'ctime', 'ino', 'mode'] as const).map((field) => {
      const key = statKey(stats);
      return { ...file, key: { ...key, [field]: key[field] + 1 } };
    }),
  ];
  const packed = unpackStates(packStates(states, NOTHING))?.part(0, states.length) ?? listOf([]);
  for (const list of [listOf(states), packed]) {
    assert.equal(
      states.map((_, at) => list.isSame(at, stats)),
      states.map((_, at) => at === 0),
    );
  }
});

test('a path is found in a sorted list', () => {
  fc.assert(
    fc.property(fc.uniqueArray(text), text, (paths, other) => {
      const sorted = paths.sort(byCodeUnit);
      const list = listOf(sorted.map((path) => stateOf(path as RelPath, 'file')));
      for (const path of [...sorted, other]) assert.is(placeIn(list, path as RelPath), sorted.indexOf(path));
    }),
  );
});

test('truncated, longer and foreign bytes read as none', () => {
  fc.assert(
    fc.property(fc.array(state), fc.nat(), (states, cut) => {
      const packed = packStates(states, Uint8Array.of(1));
      assert.is(unpackStates(packed.subarray(0, cut % packed.length)), undefined);
      assert.is(unpackStates(Buffer.concat([packed, Buffer.of(0)])), undefined);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.is(unpackStates(bytes), undefined);
    }),
  );
});

test('another format version or byte order reads as none', () => {
  const packed = Buffer.from(packStates([], NOTHING));
  assert.ok(unpackStates(packed) !== undefined);
  packed.subarray(0, 4).reverse();
  assert.is(unpackStates(packed), undefined);
});

test.run();
