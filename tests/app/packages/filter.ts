/** `--filter`: which packages a list of filters takes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { filteredPackages } from '../../../core/app/packages/filter.ts';
import { NO_MANIFEST } from '../../../core/app/packages/manifest.ts';
import { type Package, Packages } from '../../../core/app/packages/packages.ts';
import type { RelPath } from '../../../core/base/paths.ts';

const at = (name: string, folder: string, dependencies: readonly string[] = []): Package => ({
  ...NO_MANIFEST,
  name,
  folder: folder as RelPath,
  dependencies,
  passedOn: dependencies,
});
/** `@s/app` → `@s/ui` → `core` ← `docs` */
const packages = new Packages(at('//', '.'), [
  at('@s/app', 'apps/app', ['@s/ui']),
  at('@s/ui', 'packages/ui', ['core']),
  at('core', 'packages/core'),
  at('docs', 'apps/docs', ['core']),
]);

function taken(filters: string, cwd = '.'): string {
  const found = filteredPackages(filters.split(' '), packages, cwd as RelPath);
  return [...found].map(({ name }) => name).join(' ');
}

const CASES: readonly (readonly [filters: string, names: string])[] = [
  ['core', 'core'],
  ['ui', '@s/ui'],
  ['@s/*', '@s/app @s/ui'],
  ['@s', '@s/app @s/ui'],
  ['*', '@s/app docs core @s/ui'],
  ['./packages/*', 'core @s/ui'],
  ['./apps', '@s/app docs'],
  ['@s/app...', '@s/app core @s/ui'],
  ['@s/app^...', 'core @s/ui'],
  ['...core', '@s/app docs core @s/ui'],
  ['...^core', '@s/app docs @s/ui'],
  ['...ui...', '@s/app core @s/ui'],
  ['...docs...', 'docs core'],
  ['docs ui', 'docs @s/ui'],
  ['...core !docs', '@s/app core @s/ui'],
  ['!...ui', '// docs core'],
  ['//', '//'],
  ['app^... !core', '@s/ui'],
  ['core^...', ''],
];

for (const [filters, names] of CASES) {
  test(`${filters} takes ${names === '' ? 'nothing' : names}`, () => assert.is(taken(filters), names));
}

test('folders begin at the current one', () => {
  assert.is(taken('./ui', 'packages'), '@s/ui');
  assert.is(taken('.', 'apps/docs'), 'docs');
  assert.is(taken('../core...', 'packages/ui'), 'core');
});

test('a filter that matches nothing is an error, one that takes nothing away is none', () => {
  assert.throws(
    () => taken('cor'),
    (error: Error & { hint?: string }) => {
      assert.equal([error.message, error.hint], ['--filter: no package matches "cor"', 'Did you mean "core"?']);
      return true;
    },
  );
  assert.throws(() => taken('./nope'), /no package matches/);
  assert.is(taken('core !nope'), 'core');
  for (const empty of ['...', '!', '...^', '^...']) assert.throws(() => taken(empty), /names no package/);
});

test.run();
