import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DIGEST, registerClass } from '../../../core/base/digestible.ts';
import { digestible } from '../../../core/base/digestible-class.ts';
import { FlecheError } from '../../../core/base/errors.ts';
import { cache } from '../../../core/call/context.ts';
import { fleche, memoised } from '../../../core/call/memo/fleche.ts';
import { memoryCache } from '../_caches.ts';

let ran: string[] = [];

class Adder {
  offset: number;
  constructor(offset: number) {
    this.offset = offset;
  }
  [DIGEST](): unknown {
    return this.offset;
  }
  @fleche
  add(x: number): number {
    ran.push(`${this.offset} + ${x}`);
    return this.offset + x;
  }
  @fleche({ version: 2, args: ['x'] })
  async addLater(x: number): Promise<number> {
    ran.push(`${this.offset} + ${x} later`);
    return this.offset + x;
  }
  @fleche
  square(x: number): number {
    ran.push(`${x} squared`);
    return x * x;
  }
}

const fresh = <R>(body: () => R): R => {
  ran = [];
  return cache(memoryCache(), body);
};

test('a method is cached by its instance and its arguments', () => {
  fresh(() => {
    const adder = new Adder(10);
    assert.is(adder.add(5), 15);
    assert.is(adder.add(5), 15);
    assert.is(new Adder(10).add(5), 15);
    assert.is(adder.add(6), 16);
    assert.equal(ran, ['10 + 5', '10 + 6']);
  });
});

test('an instance that has changed is another argument', () => {
  fresh(() => {
    const adder = new Adder(10);
    adder.add(5);
    adder.offset = 20;
    assert.is(adder.add(5), 25);
    adder.offset = 10;
    assert.is(adder.add(5), 15);
    assert.equal(ran, ['10 + 5', '20 + 5']);
  });
});

test('an asynchronous method stays one', async () => {
  await fresh(async () => {
    const adder = new Adder(1);
    assert.instance(adder.addLater(1), Promise);
    assert.is(await adder.addLater(1), 2);
    assert.equal(ran, ['1 + 1 later']);
  });
});

test('a method that does not look at its instance is shared by all of them', () => {
  fresh(() => {
    assert.is(new Adder(1).square(3), 9);
    assert.is(new Adder(2).square(3), 9);
    assert.equal(ran, ['3 squared']);
  });
});

test('helpers reached through an object are about that object', () => {
  fresh(() => {
    const [one, two] = [new Adder(1), new Adder(2)];
    one.add(5);
    two.add(5);
    two.add(6);
    assert.is(memoised(one.add).query().count(), 1);
    assert.is(memoised(two.add).query({ x: 5 }).only().result, 7);
    assert.is(memoised(one.add).contains(5), true);
    assert.is(memoised(one.add).contains(6), false);
    assert.equal(memoised(one.add).call(5).arguments, { this: one, x: 5 });
    assert.is(memoised(Adder.prototype.add).query({ x: 5 }).count(), 2);
    assert.is(memoised(one.add).rerun(5), 6);
    assert.equal(ran, ['1 + 5', '2 + 5', '2 + 6', '1 + 5']);
  });
});

test('the method of one object is always the same function', () => {
  const adder = new Adder(1);
  assert.is(adder.add, adder.add);
  assert.is.not(adder.add, new Adder(1).add);
  const { add } = adder;
  assert.is(
    fresh(() => add(1)),
    2,
  );
});

test('it can be called on another object, and replaced on one', () => {
  fresh(() => {
    const adder = new Adder(1);
    assert.is(Adder.prototype.add.apply(new Adder(7), [1]), 8);
    adder.add = (x: number) => -x;
    assert.is(adder.add(1), -1);
    assert.is(new Adder(1).add(1), 2);
  });
});

class Parent {
  [DIGEST](): unknown {
    return null;
  }
  @fleche
  who(): string {
    return `parent of ${this.constructor.name}`;
  }
}
class Child extends Parent {
  @fleche
  override who(): string {
    return `child, ${super.who()}`;
  }
}
class Heir extends Parent {}

test('methods of different classes are different functions, super included', () => {
  fresh(() => {
    for (let i = 0; i < 2; i++) {
      assert.is(new Child().who(), 'child, parent of Child');
      assert.is(new Heir().who(), 'parent of Heir');
      assert.is(new Parent().who(), 'parent of Parent');
    }
    const names = [...cache().query()].map((call) => call.name).sort();
    assert.equal(names, ['Child.who', 'Parent.who', 'Parent.who', 'Parent.who']);
  });
});

class Registered {
  readonly #secret: number;
  constructor(secret: number) {
    this.#secret = secret;
  }
  get secret(): number {
    return this.#secret;
  }
  @fleche
  reveal(): number {
    ran.push('reveal');
    return this.secret;
  }
}
registerClass('tests.Registered', Registered, {
  encode: (instance) => instance.secret,
  decode: (secret) => new Registered(secret as number),
});

@digestible
class Plain {
  name = 'plain';
  @fleche
  greet(): string {
    ran.push('greet');
    return `I am ${this.name}`;
  }
}

test('an instance can opt in by registration or by its fields, and is then kept too', () => {
  fresh(() => {
    for (let i = 0; i < 2; i++) {
      assert.is(new Registered(4).reveal(), 4);
      assert.is(new Plain().greet(), 'I am plain');
    }
    assert.equal(ran, ['reveal', 'greet']);
    const kept = memoised(new Registered(4).reveal).query().only().arguments.get('this');
    assert.ok(kept instanceof Registered);
    assert.is(kept.secret, 4);
  });
});

class Opaque {
  value = 1;
  @fleche
  read(): number {
    return this.value;
  }
  @fleche({ ignore: ['this'] })
  readAnyway(): number {
    return this.value;
  }
}

test('an instance that has not opted in is an error, unless it is ignored', () => {
  fresh(() => {
    assert.throws(
      () => new Opaque().read(),
      (error: unknown) => error instanceof FlecheError && error.message === 'this is an instance of Opaque',
    );
    assert.is(new Opaque().readAnyway(), 1);
  });
});

class Statics {
  static readonly factor = 3;
  static [DIGEST](): unknown {
    return Statics.factor;
  }
  @fleche
  static scale(x: number): number {
    ran.push('scale');
    // biome-ignore lint/complexity/noThisInStatic: the class is what the method is called on
    return x * this.factor;
  }
  @fleche
  #hidden(x: number): number {
    ran.push('hidden');
    return x + 1;
  }
  open(x: number): number {
    return this.#hidden(x);
  }
}

test('static and private methods are cached', () => {
  fresh(() => {
    for (let i = 0; i < 2; i++) {
      assert.is(Statics.scale(2), 6);
      assert.is(new Statics().open(1), 2);
    }
    assert.equal(ran, ['scale', 'hidden']);
  });
});

test('only methods can be decorated', () => {
  assert.throws(() => {
    class Wrong {
      // @ts-expect-error a field is no method
      @fleche
      field = 1;
    }
    return Wrong;
  }, /only methods can be memoised/);
});

test('helpers of a function that is not memoised are an error', () => {
  assert.throws(() => memoised(() => 1), /is not a memoised function/);
});

test.run();
