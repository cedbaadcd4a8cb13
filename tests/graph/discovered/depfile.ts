import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readDepfile } from '../../../core/graph/discovered/depfile.ts';

function paths(text: string): readonly string[] {
  const read = readDepfile(text);
  if (read.kind === 'broken') throw new Error(read.why);
  return read.mentions.map(({ path }) => path);
}

const why = (text: string): string => {
  const read = readDepfile(text);
  return read.kind === 'broken' ? read.why : '';
};

test('prerequisites of all rules, each once, over continued lines', () => {
  assert.equal(paths('out/a.o: src/a.c \\\n  src/a.h\\\r\n src/b.h\nsrc/a.h:\n\nout/b.o : src/a.h src/c.h\n'), [
    'src/a.c',
    'src/a.h',
    'src/b.h',
    'src/c.h',
  ]);
});

test('escapes are those that compilers write', () => {
  assert.equal(paths('a: b\\ c'), ['b c']);
  assert.equal(paths('a: b\\#c'), ['b#c']);
  assert.equal(paths('a: b$$c'), ['b$c']);
  assert.equal(paths('a: b\\\\c'), ['b\\\\c']);
  assert.equal(paths('a: b\\\\\\ c'), ['b\\ c']);
  assert.equal(paths('a: b\\\\ c'), ['b\\', 'c']);
  assert.equal(paths('a\\:x: b'), ['b']);
});

test('drives of Windows are no targets', () => {
  assert.equal(paths('C:\\out\\a.o: C:\\src\\a.c D:/b.h'), ['C:\\src\\a.c', 'D:/b.h']);
});

test('a rule without prerequisites, comments and no blank behind the colon', () => {
  assert.equal(paths('# made by hand\na:\n'), []);
  assert.equal(paths('a.o:b.c'), ['b.c']);
});

test('what is no depfile is told apart', () => {
  assert.is(why(''), 'is empty');
  assert.is(why('# nothing\n'), 'is empty');
  assert.match(why('no rule'), 'is not a depfile');
  assert.match(why('\0\0'), 'bytes that are no text');
  assert.match(why('a: b \\\n'), 'cut short');
});

/** As gcc writes a name. */
function escaped(name: string): string {
  return name.replace(/\\*[ #]/g, (run) => '\\'.repeat(run.length * 2 - 1) + run.at(-1)).replaceAll('$', '$$$$');
}

test('every name comes back as it was', () => {
  const name = fc
    .string({ unit: fc.constantFrom('a', 'é', ' ', '#', '$', '/', '.', '-', '\\'), minLength: 1, maxLength: 8 })
    .filter((name) => !/\\$|^\\*$/.test(name));
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 5 }), (names) => {
      assert.equal(paths(`out.o: ${names.map(escaped).join(' \\\n ')}\n`), names);
    }),
  );
});

test.run();
