import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../core/base/digest.ts';
import { encode } from '../../../core/base/encode.ts';
import { type Key, sha256 } from '../../../core/base/hash.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import type { SharedAnswers } from '../../../core/call/shared/shared-answers.ts';
import type { CallRecord } from '../../../core/store/record.ts';
import { type MachineUnderTest, machine } from '../../call/shared/_tiers.ts';
import { MemoryRemote } from '../../store/remote/_memory-remote.ts';
import { onSite, type Ran, type Site } from '../_site.ts';

/** Reads the first line of main, which names the files to read, and writes down what it read and what it missed. */
const CAT = {
  run: 'say cat; : >all; : >list; for f in $(cat main); do if [ -e $f ]; then cat $f >>all; echo $f >>list; else echo "?$f" >>list; fi; done; echo seen',
  inputs: ['main'],
  outputs: ['all'],
  discovered: { form: 'list', file: 'list' as RelPath },
} as const;

interface Member {
  readonly site: Site;
  readonly server: MemoryRemote;
  readonly at: MachineUnderTest;
  /** Runs, and sends what there is to send. */
  readonly run: () => Promise<Ran>;
}

function member(site: Site, server: MemoryRemote): Member {
  const at = machine(server, {}, site);
  const shared: SharedAnswers = {
    expect: (tasks) => at.tier.expect(tasks),
    ask: async (key) => ((await at.tier.ask(key, at.side)) ? 'team' : undefined),
    bring: (key, blobs, purpose) => at.tier.bring(key, blobs, at.side, purpose),
    push: (record) => at.tier.push(record, at.side),
    reports: () => [at.tier.report],
    news: () => [],
  };
  const run = async (): Promise<Ran> => {
    const ran = await site.run({}, site.engine({ shared }));
    await at.tier.flush(10_000);
    return ran;
  };
  return { site, server, at, run };
}

/** Two checkouts with one server. */
function together(
  files: Readonly<Record<string, string>>,
  work: (here: Member, there: Member, server: MemoryRemote) => Promise<void>,
): Promise<void> {
  const server = new MemoryRemote();
  return onSite({ cat: CAT }, files, (here) =>
    onSite({ cat: CAT }, files, (there) => work(member(here, server), member(there, server), server)),
  );
}

test('an empty store is given the answer to a question of which it knows only the declared part', () =>
  together({ main: 'a b', a: '1', b: '2' }, async (here, there) => {
    assert.equal((await here.run()).outcomes, { cat: 'ran' });
    const second = await there.run();
    assert.equal([second.outcomes, second.log, second.printed], [{ cat: 'cached' }, [], 'seen\n']);
    assert.is(there.site.read('all'), '12');
    // What was learnt is known here from now on.
    assert.equal((await there.site.run()).outcomes, { cat: 'cached' });
  }));

test('an answer that is here and no longer whole is brought again', () =>
  together({ main: 'a', a: '1' }, async (here) => {
    await here.run();
    const outputs = [...here.site.calls.find({ kind: 'task', name: 'cat' })][0]?.outputs;
    assert.ok(outputs && here.site.values.delete(outputs));
    const again = member(here.site, here.server);
    assert.equal((await again.run()).outcomes, { cat: 'cached' });
  }));

test('an edit of what was discovered, or a path that is there now, is a miss', () =>
  together({ main: 'a b', a: '1' }, async (here, there) => {
    await here.run();
    there.site.write({ a: 'other' });
    assert.equal((await there.run()).log, ['cat']);
    there.site.write({ a: '1' });
    assert.equal((await there.run()).outcomes, { cat: 'cached' });
    there.site.write({ b: '2' });
    assert.equal((await there.run()).log, ['cat']);
    assert.is(there.site.read('all'), '12');
  }));

test('lists of several branches are shared for one declared question', () => {
  const branching = { ...CAT, run: CAT.run.replace('$(cat main)', '$(cat main hidden)') };
  const all = { main: 'hidden ', one: '1', two: '2', x: 'x' };
  return together(all, async (here, there) => {
    for (const { site } of [here, there]) site.tasks({ cat: branching });
    for (const hidden of ['one', 'two', 'x']) {
      here.site.write({ hidden });
      assert.equal((await here.run()).log, ['cat']);
    }
    for (const hidden of ['two', 'one', 'x', 'two']) {
      there.site.write({ hidden });
      const ran = await there.run();
      assert.equal([ran.outcomes, ran.log], [{ cat: 'cached' }, []], hidden);
      assert.is(there.site.read('all'), hidden + (all as Record<string, string>)[hidden]);
    }
  });
});

test('what lies outside the project is told to nobody', () =>
  together({ main: '../aside/header' }, async (here, there) => {
    here.site.write({ '../aside/header': '1' });
    await here.run();
    assert.equal((await here.site.run()).outcomes, { cat: 'cached' });
    assert.equal((await there.run()).log, ['cat']);
    assert.is(here.at.tier.report.stored, 1);
  }));

/** A record of lists as an honest machine would share it, but for what it says. */
function listing(honest: CallRecord, lists: unknown, { values }: Site): CallRecord {
  const bytes = encode(lists);
  values.put(sha256(bytes), bytes);
  return { ...honest, result: { digest: digest(lists), blob: sha256(bytes) } };
}

const LIES: Readonly<Record<string, unknown>> = {
  'no list': 'main',
  'no list of lists': ['a'],
  numbers: [[1, 2]],
  'steps up': [['../aside/secret']],
  'steps up later': [['a/../../aside/secret']],
  'absolute paths': [['/etc/passwd']],
  drives: [['C:/secret']],
  backslashes: [['..\\aside\\secret']],
  'the root itself': [['.']],
  'empty steps': [['a//b']],
  'paths out of order': [['b', 'a']],
  'a path twice': [['a', 'a']],
  'a NUL': [['a\0b']],
  'too many paths': [Array.from({ length: 100_001 }, (_, at) => `p${String(at).padStart(6, '0')}`)],
  'other files': [['main']],
  'nothing that was read': [[]],
};

test('a list that lies, though it is signed, costs a miss and is not followed out of the project', () =>
  together({ main: 'a b', a: '1', b: '2' }, async (here, _, server) => {
    await here.run();
    const honest = [...here.site.calls.find({})].filter(({ name, key }) => name !== 'cat' && server.records.has(key));
    assert.is(honest.length, 1);
    const [record] = honest;
    if (record === undefined) throw new Error('nothing was shared');
    for (const [name, lists] of Object.entries(LIES)) {
      await here.at.push(listing(record, lists, here.site));
      await onSite({ cat: CAT }, { main: 'a b', a: '1', b: '2', '../aside/secret': 's' }, async (site) => {
        const victim = member(site, new Copy(server));
        const ran = await victim.run();
        assert.equal([ran.outcomes, ran.log, ran.warnings], [{ cat: 'ran' }, ['cat'], []], name);
        assert.is(site.read('all'), '12', name);
        assert.not.match(JSON.stringify([...site.calls.find({ name: 'cat' })]), 'secret');
      });
    }
  }));

/** What one server has now; what is put there is lost. */
class Copy extends MemoryRemote {
  constructor(server: MemoryRemote) {
    super();
    for (const [name, bytes] of server.blobs) this.blobs.set(name, bytes);
    for (const [key, bytes] of server.records) this.records.set(key as Key, bytes);
  }
}

test.run();
