import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../../core/base/hash.ts';
import { cache } from '../../../../core/call/context.ts';
import { fleche } from '../../../../core/call/memo/fleche.ts';
import { setCodeFinder } from '../../../../core/call/memo/function/code-finder.ts';
import {
  type AnyFunction,
  type IdentityOptions,
  identityOf,
} from '../../../../core/call/memo/function/function-identity.ts';
import { codeOf } from '../../../_thrown.ts';
import { memoryCache } from '../../_caches.ts';

const HERE = import.meta.filename;
const identity = (fn: AnyFunction, options: IdentityOptions = {}): ReturnType<typeof identityOf> =>
  identityOf(fn, options, HERE);
test('a function is called by its name and its module from the project root', () => {
  const { name, module, version } = identity(function area() {});
  assert.equal([name, module, version], ['area', 'tests/call/memo/function/function-identity.ts', null]);
  assert.is(identity(() => 1, { name: 'other' }).name, 'other');
  assert.is(identity(function f() {}, { module: 'lib/f.ts' }).module, 'lib/f.ts');
  assert.is(identity(function f() {}, { module: null }).module, null);
  assert.is(identityOf(function f() {}, {}, undefined).module, null);
});

test('by default the code is the source text', () => {
  const make = (text: string): AnyFunction => new Function(`return ${text}`)() as AnyFunction;
  assert.is(identity(make('function f(a) { return a }')).code, identity(make('function f(a) { return a }')).code);
  assert.is.not(
    identity(make('function f(a) { return a }')).code,
    identity(make('function f(a) { return a + 1 }')).code,
  );
});

test('or it is the whole file, or nothing', () => {
  const one = identity(function one() {}, { code: 'module' });
  const two = identity(function two() {}, { code: 'module' });
  assert.is(one.code, two.code);
  assert.is.not(one.code, null);
  assert.is(identity(function f() {}, { code: 'manual' }).code, null);
});

test('a closure is asked for when the code is, of the export that the function or its class is', () => {
  const asked: string[] = [];
  setCodeFinder({
    expect: (file, name) => void asked.push(`expect ${file === HERE} ${name}`),
    closure(file, name) {
      asked.push(`${file === HERE} ${name}`);
      return sha256(`${asked.length}`);
    },
  });
  class Closed {
    @fleche({ code: 'closure', ignore: ['this'] })
    method(x: number): number {
      return x;
    }
  }
  const closed = identity(function f() {}, { code: 'closure', name: 'g' });
  assert.equal(asked, ['expect true f']);
  assert.is(closed.code, sha256('2'));
  assert.is(closed.code, sha256('2'));
  for (const options of [{ name: 'anonymous' }, { name: 'anonymous', export: 'default' }]) {
    assert.ok(identity(() => 1, { code: 'closure', ...options }).code);
  }
  cache(memoryCache(), () => assert.is(new Closed().method(1), 1));
  assert.equal(
    asked.filter((one) => !one.startsWith('expect')),
    ['true f', 'true anonymous', 'true default', 'true Closed'],
  );
});

test('what cannot be memoised is refused', () => {
  assert.is(
    codeOf(() => identity(() => 1)),
    'USAGE',
  );
  assert.is(
    codeOf(() => identity(function* numbers() {})),
    'USAGE',
  );
  assert.is(
    codeOf(() => identity(async function* numbers() {})),
    'USAGE',
  );
  assert.is(
    codeOf(() => identity(function f() {}.bind(null))),
    'CODE_UNRESOLVED',
  );
  assert.is(
    codeOf(() => identity(Math.max)),
    'CODE_UNRESOLVED',
  );
  assert.is(
    codeOf(() => identity(Math.max, { code: 'manual' })),
    undefined,
  );
  assert.is(
    codeOf(() => identityOf(function f() {}, { code: 'module' }, undefined)),
    'CODE_UNRESOLVED',
  );
  assert.is(
    codeOf(() => identityOf(function f() {}, { code: 'closure' }, undefined)),
    'CODE_UNRESOLVED',
  );
  assert.is(
    codeOf(() => identity(function f() {}, { code: 'clsoure' as 'closure' })),
    'USAGE',
  );
});

test('an asynchronous function is known as one', () => {
  assert.is(identity(async function f() {}).isAsync, true);
  assert.is(identity(async () => {}, { name: 'f' }).isAsync, true);
  assert.is(identity(function f() {}).isAsync, false);
  assert.is(identity(function f() {}, { async: true }).isAsync, true);
});

test('name, module, version and code are in the key', () => {
  const body = (x: number): number => x;
  const keys = cache(memoryCache(), () =>
    [
      fleche(body, { name: 'keyed' }),
      fleche(body, { name: 'keyed', module: 'elsewhere.ts' }),
      fleche(body, { name: 'keyed', version: 2 }),
      fleche(body, { name: 'keyed', version: '2' }),
      fleche(body, { name: 'keyed', code: 'manual' }),
      fleche(body, { name: 'keyed', code: 'module' }),
      fleche(body, { name: 'keyedToo' }),
    ].map((memoised) => memoised.digest(1)),
  );
  assert.is(new Set(keys).size, keys.length);
});

test('wrapping the same function twice gives the same answers', () => {
  let ran = 0;
  const once = fleche(function once(x: number) {
    ran++;
    return x;
  });
  const again = fleche(once);
  cache(memoryCache(), () => {
    once(1);
    again(1);
  });
  assert.is(ran, 1);
});

test('two functions under one name are an error', () => {
  const make = (offset: number) =>
    fleche(function offsetBy(x: number) {
      return x + offset;
    });
  make(1);
  assert.is(
    codeOf(() => make(2)),
    'DUPLICATE_NAME',
  );
});

test('a module that is loaded anew brings its functions with it', async () => {
  const url = new URL('../_reloaded.ts', import.meta.url);
  const modules: { triple: (x: number) => number }[] = [];
  for (const version of [1, 2]) modules.push(await import(`${url.href}?v=${version}`));
  assert.is.not(modules[0]?.triple, modules[1]?.triple);
  cache(memoryCache(), () =>
    assert.equal(
      modules.map(({ triple }) => triple(2)),
      [6, 6],
    ),
  );
});

test('the wrapper looks like the function', () => {
  const shaped = fleche(function shaped(_a: number, _b: string) {
    return 1;
  });
  assert.is(shaped.name, 'shaped');
  assert.is(shaped.length, 2);
  assert.type(shaped.original, 'function');
});

test('settings that name an argument which is not there are errors', () => {
  assert.is(
    codeOf(() =>
      fleche(
        function ignoring(x: number) {
          return x;
        },
        { ignore: ['y'] },
      ),
    ),
    'USAGE',
  );
  assert.is(
    codeOf(() =>
      fleche(
        function requiring(x: number) {
          return x;
        },
        { require: ['y'] },
      ),
    ),
    'USAGE',
  );
});

test.run();
