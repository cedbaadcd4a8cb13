import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../core/base/hash.ts';
import type { RelPath } from '../../core/base/paths.ts';
import { type PathKind, type PathState, packStates, unpackStates } from '../../core/files/path-states.ts';

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

test('what is packed comes back, from any alignment', () => {
  fc.assert(
    fc.property(fc.array(state), fc.nat(0xffff_ffff), fc.nat(9), (states, remark, shift) => {
      const packed = packStates(states, remark);
      const shifted = Buffer.alloc(packed.length + shift);
      shifted.set(packed, shift);
      assert.equal(unpackStates(shifted.subarray(shift)), { states, remark });
    }),
  );
});

test('truncated, longer and foreign bytes read as none', () => {
  fc.assert(
    fc.property(fc.array(state), fc.nat(), (states, cut) => {
      const packed = packStates(states, 0);
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
  const packed = Buffer.from(packStates([], 0));
  assert.ok(unpackStates(packed) !== undefined);
  packed.subarray(0, 4).reverse();
  assert.is(unpackStates(packed), undefined);
});

test.run();
