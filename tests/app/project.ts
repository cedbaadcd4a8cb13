/** A project put together from its real parts. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codeOf } from '../_thrown.ts';
import { COPY, outcomes, withScratch } from './_scratch.ts';

test('what ran is answered by the next process', async () => {
  await withScratch(COPY, async (scratch) => {
    const first = scratch.open();
    assert.equal(await outcomes(first), { copy: 'ran', look: 'ran' });
    await first.close();
    assert.equal(await outcomes(scratch.open()), { copy: 'cached', look: 'cached' });
  });
});

test('the graph and the settings are had without opening a cache', async () => {
  await withScratch(COPY, async (scratch) => {
    const project = scratch.open();
    assert.equal(project.graph.names, ['copy', 'look']);
    assert.equal(project.defaults, ['look']);
    assert.is(project.jobs, 3);
    assert.is(project.cacheFolder(), join(scratch.root, '.fleche'));
    await project.close();
    assert.not.ok(existsSync(join(scratch.root, '.fleche')));
  });
});

test('a project is found from a folder inside, and by its file or folder', async () => {
  await withScratch({ ...COPY, 'a/b/c.txt': '' }, (scratch) => {
    assert.is(scratch.open({ cwd: join(scratch.root, 'a/b') }).root, scratch.root);
    assert.is(scratch.open({ cwd: '/', config: scratch.root }).root, scratch.root);
    const file = join(scratch.root, 'fleche.config.toml');
    assert.is(scratch.open({ cwd: '/', config: file }).root, scratch.root);
    assert.is(scratch.open({ cwd: join(scratch.root, 'a'), config: '../fleche.config.toml' }).root, scratch.root);
    assert.is(
      codeOf(() => scratch.open({ config: 'in.txt' })),
      'USAGE',
    );
    assert.is(
      codeOf(() => scratch.open({ config: 'a' })),
      'USAGE',
    );
  });
});

test('a cache in memory is gone with the process', async () => {
  const config = COPY['fleche.config.toml']?.replace('root = true', 'root = true\ncache = "memory"') ?? '';
  await withScratch({ ...COPY, 'fleche.config.toml': config }, async (scratch) => {
    const first = scratch.open();
    assert.is(first.cacheFolder(), undefined);
    await outcomes(first);
    assert.equal(await outcomes(first), { copy: 'cached', look: 'cached' });
    await first.close();
    assert.not.ok(existsSync(join(scratch.root, '.fleche', 'db-1')));
    assert.equal(await outcomes(scratch.open()), { copy: 'ran', look: 'ran' });
  });
});

test('a cache of a kind that cannot keep outputs is refused with its place', async () => {
  const config = `${COPY['fleche.config.toml']?.replace('root = true', 'root = true\ncache = "db"')}
[caches.db]
values.type = "File"
values.root = "values"
calls.type = "Sql"
calls.url = "sqlite:calls.db"
`;
  await withScratch({ ...COPY, 'fleche.config.toml': config }, (scratch) => {
    const project = scratch.open();
    assert.is(
      codeOf(() => project.engine()),
      'CONFIG_INVALID',
    );
  });
});

test('of a cache that projects share each has the answers, and each remembers its own workspace', async () => {
  const shared = `${COPY['fleche.config.toml']?.replace('root = true', 'root = true\ncache = "shared"')}
[caches.shared]
type = "Lmdb"
root = "../shared"
`;
  await withScratch({ ...COPY, 'fleche.config.toml': shared }, async (scratch) => {
    const first = scratch.open();
    assert.equal(await outcomes(first), { copy: 'ran', look: 'ran' });
    await first.close();
    scratch.write(
      Object.fromEntries(
        Object.entries({ ...COPY, 'fleche.config.toml': shared }).map(([path, text]) => [`../other/${path}`, text]),
      ),
    );
    // The other project has something of its own where the task would write; nobody may think that the task wrote it.
    scratch.write({ '../other/out/mine.txt': 'mine' });
    const other = scratch.open({ cwd: join(scratch.root, '../other') });
    assert.is(other.outputs().owners.owned('copy'), undefined);
    assert.equal(await outcomes(other), { copy: 'cached', look: 'cached' });
    assert.ok(existsSync(join(scratch.root, '../other/out/deep/copy.txt')));
    await other.close();
  });
});

test('a cache that cannot be used costs one warning, under strict it is an error', async () => {
  await withScratch(COPY, async (scratch) => {
    writeFileSync(join(scratch.root, '.fleche'), 'a file where the folder should be');
    const warnings: string[] = [];
    const project = scratch.open({ warn: (message) => warnings.push(message) });
    assert.equal(await outcomes(project), { copy: 'ran', look: 'ran' });
    await project.close();
    assert.is(warnings.length, 1, warnings.join('\n'));
    const strict = scratch.open({ strict: true });
    assert.is(
      codeOf(() => strict.engine()),
      'STORE_UNUSABLE',
    );
  });
});

test.run();
