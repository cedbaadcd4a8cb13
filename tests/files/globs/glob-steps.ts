import fc from 'fast-check';
import picomatch from 'picomatch';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stepTests } from '../../../core/files/globs/glob-steps.ts';

const OPTIONS = { dot: true, nobrace: true, posix: true, windows: false };

/** What the file under test must mean: the glob itself, and what lies below it. */
function reference(glob: string): (path: string) => boolean {
  const below = glob === '**' ? [glob] : glob.endsWith('/**') ? [`${glob}/*`] : [glob, `${glob}/**/*`];
  const shapes = below.map((one) => new RegExp(picomatch.makeRe(one, OPTIONS).source, 's'));
  return (path) => shapes.some((shape) => shape.test(path));
}

const text = fc.constantFrom(
  'a',
  'b',
  'ab',
  '.a',
  'a.ts',
  '.ts',
  'x-y',
  'a b',
  'ü',
  '\n',
  'a\nb',
  '日本',
  '#',
  '~',
  ',',
);
const magic = fc.constantFrom('*', '**', '*.ts', 'a*', '*b', 'a*b', '*.', 'a.*', ' *', '*\n');
const up = fc.constantFrom<readonly string[]>([], [], [], ['..'], ['..', '..']);
const glob = fc
  .tuple(up, fc.array(fc.oneof(text, magic), { minLength: 1, maxLength: 5 }))
  .map(([up, steps]) => [...up, ...steps].join('/'));
const path = fc
  .tuple(up, fc.array(text, { minLength: 1, maxLength: 5 }))
  .map(([up, steps]) => [...up, ...steps].join('/'));

test('globs of text, single stars and double stars mean what picomatch means by them', () => {
  fc.assert(
    fc.property(glob, fc.array(path, { minLength: 1, maxLength: 8 }), (glob, paths) => {
      const tests = stepTests(glob);
      if (tests === undefined) return;
      const expected = reference(glob);
      for (const path of [...paths, '.', '..', '../..']) assert.is(tests.test(path), expected(path), `${glob} ${path}`);
    }),
    { numRuns: 5000 },
  );
});

test('every folder on the way to a match, and below one, leads', () => {
  fc.assert(
    fc.property(glob, path, (glob, path) => {
      const tests = stepTests(glob);
      if (tests?.test(path) !== true) return;
      const steps = path.split('/');
      for (let end = 1; end <= steps.length; end++) {
        const folder = steps.slice(0, end).join('/');
        if (!/^(\.\.\/)*\.\.$/.test(folder)) assert.ok(tests.leads(folder), `${glob} ${path}: ${folder}`);
      }
      assert.ok(tests.leads(`${path}/below`));
    }),
    { numRuns: 3000 },
  );
});

test('a folder beside the way leads nowhere', () => {
  const leads = (glob: string, folder: string): boolean | undefined => stepTests(glob)?.leads(folder);
  assert.is(leads('a/b/*.ts', 'a'), true);
  assert.is(leads('a/b/*.ts', 'a/b'), true);
  assert.is(leads('a/b/*.ts', 'a/c'), false);
  assert.is(leads('a/b/*.ts', 'a/bb'), false);
  assert.is(leads('a/b/*.ts', 'aa'), false);
  assert.is(leads('a/b/*.ts', 'a/b/c'), false);
  assert.is(leads('a*/b/**', 'b'), false);
  assert.is(leads('a*/b/**', 'ab/c'), false);
});

test('what has more magic than stars is left to others', () => {
  for (const glob of ['a?', '[ab]', '{a}', '@(a)', '\\[a\\]', '*a*', '.*', 'a**', '**/**', '(a|b)/*', '!a/*']) {
    assert.is(stepTests(glob), undefined, glob);
  }
});

test.run();
