/** `doctor`: what is said of a cache while it is opened is found too. */
import { realpathSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseInvocation } from '../../../core/app/invocation.ts';
import { doctor } from '../../../core/app/verbs/doctor.ts';
import { VERBS } from '../../../core/app/verbs.ts';
import { fakeMachine } from '../_machine.ts';
import { withScratch } from '../_scratch.ts';

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

test.run();
