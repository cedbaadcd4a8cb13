/** A watch of a project from its configuration to its end. */
import { test } from 'uvu';
import { Watching } from '../../core/app/watching.ts';
import { until } from '../graph/_site.ts';
import { withScratch } from './_scratch.ts';

const CLOCK = {
  now: (): number => performance.now(),
  after(ms: number, call: () => void): () => void {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

function config(text: string): Readonly<Record<string, string>> {
  return { 'fleche.config.toml': `[default]\nroot = true\ntasks = ["tell"]\n[tasks.tell]\nrun = "echo ${text}"\n` };
}

test('a configuration that is edited while it is read is read again', async () => {
  await withScratch(config('one'), async (scratch) => {
    let rounds = 0;
    let printed = '';
    const edits = [config('three')];
    const watching = await Watching.begin({
      open: () => {
        const project = scratch.open();
        if (rounds > 0) scratch.write(edits.shift() ?? {});
        return project;
      },
      targets: ({ defaults }) => defaults,
      jobs: () => 1,
      poll: undefined,
      clock: CLOCK,
      listener: (event) => {
        if (event.type === 'rested') rounds++;
        if (event.type === 'task' && event.event.type === 'output')
          printed += Buffer.from(event.event.chunk).toString();
      },
    });
    await until(() => rounds > 0, 'the first round');
    scratch.write(config('two'));
    await until(() => edits.length === 0 && printed.endsWith('three\n'), 'what was written while it was read');
    await watching.close();
  });
});

test.run();
