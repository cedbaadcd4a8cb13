/** `stats`: what is counted, and how it is told. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { run } from '../../../core/app/verbs/run.ts';
import { stats } from '../../../core/app/verbs/stats.ts';
import { COPY, withScratch } from '../_scratch.ts';
import { told } from './_called.ts';

test('runs, records and values are counted', () =>
  withScratch(COPY, async (scratch) => {
    assert.match(await told(stats, scratch, 'stats'), /^no run is on record yet\n0 records on file/);
    await told(run, scratch, 'run');
    await told(run, scratch, 'run');
    appendFileSync(join(scratch.root, '.fleche/runs.jsonl'), '{"at":1,"cut');
    const found = JSON.parse(await told(stats, scratch, 'stats', '--json'));
    assert.equal([found.runs.count, found.runs.ran, found.runs.cached, found.runs.failed], [2, 2, 2, 0]);
    assert.ok(found.runs.saved >= 0);
    assert.is(found.records, 2);
    assert.ok(found.values.count > 0 && found.values.bytes > 0);
    assert.equal(found.names.map(({ name }: { name: string }) => name).sort(), ['copy', 'look']);
    const text = await told(stats, scratch, 'stats');
    assert.match(text, /^2 runs, the first .* ago: 2 cached \(50 %\), 2 ran, 0 failed\nsaved /);
    assert.match(text, /\nname +kind +records +failed +takes +newest\n/);
  }));

test.run();
