/** `lineage`: from a file back to what it was made of, and forward. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lineage } from '../../../core/app/verbs/lineage.ts';
import { show } from '../../../core/app/verbs/show.ts';
import { run, type Scratch, withScratch } from '../_scratch.ts';
import { fault, told } from './_called.ts';

const SITE = {
  'fleche.config.toml': `[default]
root = true
tasks = ["page"]

[tasks.style]
run = "cat src/style >style.css; echo src/part >read; cat src/part >>style.css"
inputs = ["src/style"]
outputs = ["style.css"]
discovered = { list = "read" }

[tasks.page]
run = "cat style.css src/page >page.html; echo $MODE >>page.html"
needs = ["style"]
inputs = ["src/page"]
outputs = ["page.html"]
env = ["MODE"]
`,
  'src/style': 'style\n',
  'src/part': 'part\n',
  'src/page': 'page\n',
};

async function built(use: (scratch: Scratch) => Promise<void>): Promise<void> {
  await withScratch(SITE, async (scratch) => {
    const project = scratch.open();
    await run(project);
    await project.close();
    await use(scratch);
  });
}

/** Without digests and times. */
const plain = (text: string): string => text.replace(/ ?[0-9a-f]{12}(?:, .* ago)?/g, '');

test('a file leads back to sources, variables and the calls between', () =>
  built(async (scratch) => {
    const text = plain(await told(lineage, scratch, 'lineage', 'page.html'));
    const lines = text.split('\n');
    assert.is(lines[0], 'page task');
    assert.ok(lines.includes('├ env MODE'));
    assert.ok(lines.includes('├ inputs 1 file'));
    assert.ok(lines.includes('│   src/page'));
    assert.ok(lines.includes('└ style task'));
    assert.ok(lines.includes('  ├ inputs 1 file'));
    assert.ok(lines.includes('  └ discovered 1 file'));
    assert.ok(lines.includes('      src/part'));
  }));

test('a name with a typo is not taken for a digest', () =>
  built(async (scratch) => {
    assert.match(
      await fault(lineage, scratch, 'lineage', 'pge'),
      /^no call is on file under pge \| Did you mean "page"\?$/,
    );
    assert.is(await fault(show, scratch, 'show', 'pge'), 'there is no task "pge" | Did you mean "page"?');
  }));

test('json is one object', () =>
  built(async (scratch) => {
    const { type, direction, call } = JSON.parse(await told(lineage, scratch, 'lineage', 'page', '--json'));
    assert.equal([type, direction, call.name, call.failed], ['lineage', 'back', 'page', false]);
    const style = call.origins.find(({ kind }: { kind: string }) => kind === 'upstream').call;
    assert.is(style.name, 'style');
    const files = style.origins.flatMap(({ files }: { files: readonly { path: string }[] }) => files);
    assert.equal(
      files.map(({ path }: { path: string }) => path),
      ['src/style', 'src/part'],
    );
  }));

test('forward leads to everything that was made of it', () =>
  built(async (scratch) => {
    for (const word of ['src/part', 'style']) {
      const text = await told(lineage, scratch, 'lineage', '--forward', word);
      assert.match(text, /^style task .*\n {2}page task .* by need:style\n$/);
    }
    const own = await told(lineage, scratch, 'lineage', '--forward', 'page.html');
    assert.match(own, /^page task \w+, which wrote it\n$/);
    const { calls } = JSON.parse(await told(lineage, scratch, 'lineage', '--forward', 'src/page', '--json'));
    assert.equal(
      calls.map(({ name }: { name: string }) => name),
      ['page'],
    );
  }));

test('a file that was changed since, or is a source, is told apart', () =>
  built(async (scratch) => {
    assert.match(await fault(lineage, scratch, 'lineage', 'src/page'), /no call on file made .* --forward src\/page/);
    scratch.write({ 'page.html': 'by hand' });
    assert.match(
      await fault(lineage, scratch, 'lineage', 'page.html'),
      'It was written by task "page" and changed since.',
    );
    assert.match(await fault(lineage, scratch, 'lineage', 'nothing.html'), /nothing\.html/);
  }));

test.run();
