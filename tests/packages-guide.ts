/** core/PACKAGES.md: what it shows is one valid configuration, and its commands print what is shown below them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadConfig } from '../core/app/config/load.ts';
import { openShop } from './e2e/_monorepo.ts';
import { Rig, withRig } from './e2e/_rig.ts';

const TEXT = readFileSync(resolve(import.meta.dirname, '../core/PACKAGES.md'), 'utf8');

/** Blocks of a language with what stands behind its name. */
function blocks(language: string): readonly { readonly about: string; readonly code: string }[] {
  const found = TEXT.matchAll(new RegExp(`^\`\`\`${language}( \\S+)?\\n([\\s\\S]*?)^\`\`\``, 'gm'));
  return Array.from(found, ([, about = '', code = '']) => ({ about: about.trim(), code }));
}

test('the configuration is right as a whole', async () => {
  const files: Record<string, string> = {};
  for (const { about, code } of blocks('toml')) {
    const path = join(about, 'fleche.config.toml');
    files[path] = `${files[path] ?? ''}${code}\n`;
  }
  assert.equal(Object.keys(files).sort(), ['fleche.config.toml', 'packages/ui/fleche.config.toml']);
  const scripts = { build: 'tsc', test: 'uvu' };
  files['packages/ui/package.json'] = JSON.stringify({ name: 'ui', scripts, dependencies: { core: '*' } });
  files['packages/core/package.json'] = JSON.stringify({ name: 'core', scripts });
  files['packages/fixtures/package.json'] = JSON.stringify({ name: 'fixtures' });
  await withRig(files, async (rig) => {
    const { tasks } = loadConfig(rig.root, { home: rig.aside });
    assert.equal(tasks.get('ui#test')?.needs, ['ui#build', 'core#build']);
    assert.equal(
      [...tasks.keys()].filter((name) => name.startsWith('fixtures#')),
      ['fixtures#docs', 'fixtures#bundle'],
    );
  });
});

/** How long something takes differs from run to run. */
function timeless(text: string): string {
  return text
    .replace(/\b\d+(?:\.\d+)?m?s\b/g, '…')
    .replace(/(?<= in …), saved …/g, ', saved …')
    .trim();
}

test('the commands print what is shown', () => {
  const rig = new Rig();
  try {
    openShop(rig);
    const program = resolve(import.meta.dirname, '../dist/fleche.cjs');
    for (const { code } of blocks('console')) {
      for (const step of code.split(/^\$ /m).slice(1)) {
        const [command = '', ...shown] = step.split('\n');
        const { stdout, stderr } = spawnSync(command.replace(/^fleche\b/, `"${process.execPath}" "${program}"`), {
          cwd: rig.root,
          env: { PATH: process.env['PATH'], HOME: rig.aside, NO_COLOR: '1' },
          shell: true,
          encoding: 'utf8',
        });
        assert.is(timeless(stdout), timeless(shown.join('\n')), `${command}\n${stderr}`);
      }
    }
  } finally {
    rig.close();
  }
});

test.run();
