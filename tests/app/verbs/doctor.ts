/** `doctor`: what is said of a cache while it is opened is found too. */
import { mkdirSync, realpathSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseInvocation } from '../../../core/app/cli/invocation.ts';
import { VERBS } from '../../../core/app/cli/verbs.ts';
import { doctor } from '../../../core/app/verbs/doctor.ts';
import { fakeMachine } from '../_machine.ts';
import { withScratch } from '../_scratch.ts';
import { told } from './_called.ts';

test('a warning about the cache is a finding', () =>
  withScratch({ 'fleche.config.toml': '[tasks]\na = "echo a"\n' }, async (scratch) => {
    const cwd = realpathSync(scratch.root);
    const machine = fakeMachine({ cwd });
    const code = await doctor({
      invocation: parseInvocation(['doctor'], VERBS),
      machine,
      open: async (warn) => {
        warn?.('the disk is almost full');
        return scratch.open({ cwd });
      },
    });
    assert.is(code, 1);
    assert.match(machine.stdout.text, /^! the disk is almost full\n {2}runs go on without it\n1 finding$/m);
  }));

test('what stands in the way of a cache is found, whether there is one or not', () =>
  withScratch({ 'fleche.config.toml': '[tasks]\na = "echo a"\n', '.fleche/cas': 'no folder' }, async (scratch) => {
    const expected = /^! nothing can be kept: .*\.fleche\/cas is not a folder\n {2}put it right.*\n1 finding$/m;
    const text = await told(doctor, scratch, 'doctor');
    assert.match(text, /^there is no cache in \S+\n/);
    assert.match(text, expected);
    mkdirSync(join(scratch.root, '.fleche/db-1'));
    assert.match(await told(doctor, scratch, 'doctor'), expected);
  }));

test('what runs that were killed left behind is told, and nothing is wrong for it', () =>
  withScratch({ 'fleche.config.toml': '[tasks]\na = "echo a"\n' }, async (scratch) => {
    await scratch.open({ cwd: realpathSync(scratch.root) }).stores();
    const old = (name: string): void => {
      const path = join(scratch.root, '.fleche/tmp', name);
      writeFileSync(path, '');
      utimesSync(path, 1e9, 1e9);
    };
    old('3f2a91c0.mjs');
    assert.match(await told(doctor, scratch, 'doctor'), /nothing is wrong\n$/);
    old('123-4-0123456789ab');
    assert.match(
      await told(doctor, scratch, 'doctor'),
      /^- left behind .*: 1 file in the making\n {2}fleche gc removes.*\nnothing is wrong\n$/m,
    );
  }));

test.run();
