/** `gc`: beside records and values goes what nobody will look for any more. */
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gc } from '../../../core/app/verbs/gc.ts';
import { run } from '../../../core/app/verbs/run.ts';
import { COPY, type Scratch, withScratch } from '../_scratch.ts';
import { told } from './_called.ts';

const DAYS = 24 * 3600;

/** Puts something into the cache folder that is so many days old. */
function put(scratch: Scratch, path: string, days: number): void {
  const place = join(scratch.root, '.fleche', path);
  mkdirSync(join(place, '..'), { recursive: true });
  writeFileSync(place, 'x'.repeat(1000));
  const then = Date.now() / 1000 - days * DAYS;
  for (const one of [place, join(place, '..')]) utimesSync(one, then, then);
}

const collected = async (scratch: Scratch, ...argv: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await told(gc, scratch, 'gc', '--json', ...argv));

test('things set aside, code of runs long over and environments of older formats go by age', () =>
  withScratch(COPY, async (scratch) => {
    await told(run, scratch, 'run');
    const there = (path: string): boolean => existsSync(join(scratch.root, '.fleche', path));
    put(scratch, 'trash/old-out/file', 8);
    put(scratch, 'trash/new-out/file', 1);
    put(scratch, 'db-0/data.mdb', 30);
    put(scratch, 'tmp/abc.mjs', 2);
    put(scratch, 'tmp/new.mjs', 0);
    const dry = await collected(scratch, '--dry-run');
    assert.equal([dry['trash'], dry['files'], dry['dryRun']], [2, 1, true]);
    assert.ok(there('trash/old-out') && there('db-0') && there('tmp/abc.mjs'));
    const done = await collected(scratch);
    assert.equal([done['trash'], done['files'], done['bytes']], [2, 1, dry['bytes']]);
    assert.ok(Number(done['bytes']) >= 3000);
    assert.not.ok(there('trash/old-out') || there('db-0') || there('tmp/abc.mjs'));
    assert.ok(there('trash/new-out') && there('tmp/new.mjs'));
  }));

test('what is remembered of patterns goes when no task has them any more, and costs nothing but time', () =>
  withScratch(COPY, async (scratch) => {
    await told(run, scratch, 'run');
    assert.is((await collected(scratch))['snapshots'], 0);
    const config = COPY['fleche.config.toml'] ?? '';
    scratch.write({ 'fleche.config.toml': config.replace('inputs = ["in.txt"]', 'inputs = ["in.*"]') });
    assert.is((await collected(scratch, '--dry-run'))['snapshots'], 1);
    assert.match(await told(gc, scratch, 'gc'), 'removed 1 listing of patterns that no task has\n');
    scratch.write({ 'fleche.config.toml': config });
    const again = await told(run, scratch, 'run', '--json');
    assert.match(again, /"type":"summary","ran":0,"cached":2/);
  }));

test.run();
