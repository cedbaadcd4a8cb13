/** The small real project of fixtures/site: a code generator, two bundles, pages, a type check and a function. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Rig } from './_rig.ts';

const ALL_RAN = { types: 'ran', client: 'ran', generator: 'ran', pages: 'ran', check: 'ran', report: 'ran' };
const ALL_CACHED = {
  types: 'cached',
  client: 'cached',
  generator: 'cached',
  pages: 'cached',
  check: 'cached',
  report: 'cached',
};

async function withSite(use: (rig: Rig) => Promise<void>): Promise<void> {
  const rig = new Rig();
  try {
    rig.copy('fixtures/site');
    const { code, outcomes, stdout, stderr } = await rig.run();
    assert.is(code, 0, stdout + stderr);
    assert.equal(outcomes, ALL_RAN);
    await use(rig);
  } finally {
    rig.close();
  }
}

test('the site is built, and the second run is answered from the cache', async () => {
  await withSite(async (rig) => {
    assert.match(rig.read('public/index.html'), /<h1>An arrow<\/h1>/);
    assert.match(rig.read('report.txt'), /public\/client\.js +\d+ +\d+\n/);
    assert.match(rig.read('report.txt'), /src\/shared\/words\.ts \(\d+ bytes\)/);
    const before = rig.snapshot();
    assert.equal((await rig.run()).outcomes, ALL_CACHED);
    rig.remove('build', 'public', 'src/generated', 'report.txt');
    assert.equal((await rig.run()).outcomes, ALL_CACHED);
    assert.equal(rig.snapshot(), before);
  });
});

test('two builds in different folders write the same bytes', async () => {
  await withSite(async (one) => {
    await withSite(async (other) => {
      assert.equal(one.snapshot(), other.snapshot());
    });
  });
});

test('a description in a schema stops at the bundles', async () => {
  await withSite(async (rig) => {
    rig.edit('schema/site.json', 'What all pages share.', 'What is common to all pages.');
    // Comments are in the generated types, which are checked again, but not in the bundles.
    assert.equal((await rig.run()).outcomes, {
      ...ALL_CACHED,
      types: 'ran',
      generator: 'ran',
      client: 'ran',
      check: 'ran',
    });
  });
});

test('a comment in the generator stops at its bundle', async () => {
  await withSite(async (rig) => {
    rig.append('src/site/markdown.ts', '\n// The end.\n');
    assert.equal((await rig.run()).outcomes, { ...ALL_CACHED, generator: 'ran', check: 'ran' });
  });
});

test('a word in a page goes through to the report', async () => {
  await withSite(async (rig) => {
    rig.edit('content/flight.md', 'is let go', 'is released');
    const { outcomes } = await rig.run();
    assert.equal(outcomes, { ...ALL_CACHED, pages: 'ran', report: 'ran' });
    assert.match(rig.read('public/flight.html'), /is released/);
  });
});

test('a page that is published no more disappears', async () => {
  await withSite(async (rig) => {
    rig.edit('site.json', ', "glossary"', '');
    rig.remove('content/glossary.md');
    assert.equal((await rig.run()).outcomes, { ...ALL_CACHED, pages: 'ran', report: 'ran' });
    assert.not.ok(rig.exists('public/glossary.html'));
    assert.not.match(rig.read('report.txt'), /glossary/);
  });
});

test('a helper of the report re-runs the report alone', async () => {
  await withSite(async (rig) => {
    rig.edit('tasks/lib/text.ts', 'text.padEnd(width)', `text.padEnd(width, '.')`);
    assert.equal((await rig.run()).outcomes, { ...ALL_CACHED, check: 'ran', report: 'ran' });
    assert.match(rig.read('report.txt'), /public\/index\.html\.+ /);
  });
});

test('a type error fails the check alone', async () => {
  await withSite(async (rig) => {
    rig.append('src/site/layout.ts', '\nexport const wrong: number = "text";\n');
    const { code, outcomes } = await rig.run(['--keep-going']);
    assert.is(code, 1);
    assert.is(outcomes['check'], 'failed');
    assert.is(outcomes['report'], 'cached');
  });
});

test.run();
