import { isDeepStrictEqual } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decode } from '../../core/base/decode.ts';
import { digest } from '../../core/base/digest.ts';
import { digestible } from '../../core/base/digestible-class.ts';
import { encode } from '../../core/base/encode.ts';

@digestible
class Point {
  readonly x: number;
  readonly y: number;
  constructor(x: number, y: number) {
    this.x = x;
    this.y = y;
  }
  get size(): number {
    return Math.hypot(this.x, this.y);
  }
}

@digestible({ name: 'shapes.Counter', fields: ['label'] })
class Counter {
  readonly label: string;
  looks = 0;
  constructor(label: string) {
    this.label = label;
  }
}

test('instances are equal by their fields', () => {
  assert.is(digest(new Point(3, 4)), digest(new Point(3, 4)));
  assert.is.not(digest(new Point(3, 4)), digest(new Point(4, 3)));
  assert.is.not(digest(new Point(3, 4)), digest({ x: 3, y: 4 }));
});

test('an instance is read back as one, without its constructor', () => {
  const point = decode(encode(new Point(3, 4)));
  assert.ok(point instanceof Point);
  assert.ok(isDeepStrictEqual(point, new Point(3, 4)));
  assert.is(point.size, 5);
});

test('only the fields that matter count', () => {
  const counter = new Counter('a');
  counter.looks = 7;
  assert.is(digest(counter), digest(new Counter('a')));
  assert.is.not(digest(counter), digest(new Counter('b')));
});

test('a subclass opts in itself', () => {
  class Far extends Point {}
  assert.throws(() => digest(new Far(1, 2)), /is an instance of Far/);
});

test('a class without a decorator can be opted in by a call', () => {
  class Plain {
    a = 1;
  }
  digestible(Plain);
  assert.is(digest(new Plain()), digest(new Plain()));
});

test('a second class of the same name and one without a name are refused', () => {
  const Other = { Point: class Point {} }.Point;
  assert.throws(() => digestible(Other), /two classes are registered as "Point"/);
  assert.throws(() => digestible(class {}), /needs a name/);
});

test.run();
