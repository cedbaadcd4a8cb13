/** Where a tsconfig.json can lead a lookup. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AbsPath, toAbs } from '../../../core/base/paths.ts';
import { readTsconfig, type Tsconfig } from '../../../core/files/code/tsconfig.ts';

const root = toAbs('/', 'project');

function read(files: Readonly<Record<string, string>>): Tsconfig {
  const texts = new Map(Object.entries(files).map(([path, text]) => [join(root, path), text]));
  return readTsconfig(toAbs(root, 'tsconfig.json'), (path) => texts.get(path));
}

const under = (...paths: string[]): AbsPath[] => paths.map((path) => toAbs(root, path));

test('comments and trailing commas are allowed, text in strings is not touched', () => {
  const { places } = read({
    'tsconfig.json': `\uFEFF{ // one
      /* two */ "compilerOptions": { "paths": { "a//b": ["./x,]", ], }, }, }`,
  });
  assert.equal(places('a//b'), under('x,]'));
});

test('a star stands for the same in pattern and target, the longest reading is not singled out', () => {
  const { places } = read({
    'tsconfig.json': '{"compilerOptions":{"paths":{"@/*":["./src/*"],"@/x/*.js":["./$&/*"],"*":["./any/*"]}}}',
  });
  assert.equal(places('@/x/y.js'), under('src/x/y.js', '$&/y', 'any/@/x/y.js'));
  assert.equal(places('z'), under('any/z'));
});

test('mapped paths start at baseUrl, which is a place of its own', () => {
  const { places } = read({ 'tsconfig.json': '{"compilerOptions":{"baseUrl":"./b","paths":{"m":["t"]}}}' });
  assert.equal(places('m'), under('b/m', 'b/t'));
});

test('what is extended is read, relative to itself', () => {
  const { places, files } = read({
    'tsconfig.json': '{"extends":["./config/one","./two.json"]}',
    'config/one.json': '{"extends":"../three/tsconfig.json","compilerOptions":{"paths":{"m":["./m"]}}}',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file
    'two.json': '{"compilerOptions":{"paths":{"m":["${configDir}/c"]}}}',
    'three/tsconfig.json': '{"extends":"../tsconfig.json","compilerOptions":{"paths":{"m":["./m"]}}}',
  });
  assert.equal(places('m'), under('config/m', 'c', 'three/m'));
  for (const path of under('tsconfig.json', 'config/one', 'config/one.json', 'two.json', 'three/tsconfig.json')) {
    assert.ok(files.includes(path), path);
  }
});

test('an extended package is looked for in every folder above', () => {
  const { files } = read({ 'tsconfig.json': '{"extends":"@tsconfig/node20/x"}' });
  for (const folder of [root, toAbs('/', '.')]) {
    assert.ok(files.includes(toAbs(folder, 'node_modules/@tsconfig/node20/x.json')));
    assert.ok(files.includes(toAbs(folder, 'node_modules/@tsconfig/node20/package.json')));
  }
});

test('what does not parse, or is of another shape, maps nothing', () => {
  for (const text of ['', '{', '[]', 'null', '{"compilerOptions":[]}', '{"compilerOptions":{"paths":{"a":[1]}}}']) {
    assert.equal(read({ 'tsconfig.json': text }).places('a'), []);
  }
});

test.run();
