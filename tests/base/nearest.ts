import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nearestName, suggest } from '../../core/base/nearest.ts';

const KEYS = ['inputs', 'outputs', 'needs', 'env', 'tools', 'run', 'call', 'args'];

test('a slip of the finger finds its name', () => {
  const slips = {
    input: 'inputs',
    output: 'outputs',
    need: 'needs',
    Env: 'env',
    tool: 'tools',
    runs: 'run',
    arg: 'args',
    ouptuts: 'outputs',
  };
  for (const [word, name] of Object.entries(slips)) assert.is(nearestName(word, KEYS), name, word);
});

test('two letters the wrong way round are one slip', () => {
  assert.is(nearestName('jbos', ['json', 'jobs']), 'jobs');
  assert.is(nearestName('acb', ['axc', 'abc']), 'abc');
});

test('a word that is far from all names finds none', () => {
  assert.is(nearestName('dependencies', KEYS), undefined);
  assert.is(nearestName('x', []), undefined);
  assert.is(nearestName('l*', ['up', 'a']), undefined);
});

test('of names equally near the first is taken', () => {
  assert.is(nearestName('ab', ['ac', 'ad']), 'ac');
  assert.is(nearestName('ab', ['ad', 'ac']), 'ad');
});

test('a known name is its own nearest', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, selector: (name) => name.toLowerCase() }),
      fc.nat(),
      (names, at) => {
        const name = names[at % names.length] as string;
        assert.is(nearestName(name, names), name);
      },
    ),
  );
});

test('one edit is always near enough', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.nat(), (name, at) => {
      const cut = at % name.length;
      assert.is(nearestName(name.slice(0, cut) + name.slice(cut + 1), [name]), name);
    }),
  );
});

test('a hint names the nearest, else what there is', () => {
  assert.is(suggest('inptus', KEYS), 'Did you mean "inputs"?');
  assert.is(suggest('dependencies', ['a', 'b']), 'Known: a, b.');
  assert.is(suggest('dependencies', []), 'There is none to choose from.');
  const many = Array.from({ length: 20 }, (_, n) => `n${n}`);
  assert.is(suggest('dependencies', many), `Known: ${many.slice(0, 12).join(', ')}, ….`);
});

test.run();
