/** The form of notes, and the questions they answer. */
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Head, type Looks, NUMBERS, packNote, pathIn, unpackNote } from '../../../core/app/note/note.ts';
import { type Asker, nameOf, questionOf, SeenEnvironment } from '../../../core/app/note/question.ts';
import type { StatKey } from '../../../core/files/states/stat-key.ts';

const HEAD: Head = {
  question: 'q',
  names: ['HOME'],
  root: '/project',
  database: '/project/.fleche/db-1/data.mdb',
  moment: 'm',
  runs: '/project/.fleche/runs.jsonl',
  cached: 1,
  saved: 2,
  before: 'é\n',
  after: '',
  isNumber: false,
};

const number = fc.double({ noNaN: true, min: 0 });
const key = fc.record({ size: number, mtime: number, ctime: number, ino: number, mode: number });
const path = fc
  .tuple(fc.constantFrom('/project/', '/', '/project', ''), fc.string({ unit: 'grapheme' }))
  .map(([folder, name]) => (folder + name).replaceAll('\0', ''));
const map = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<ReadonlyMap<string, T>> =>
  fc.array(fc.tuple(path, values), { maxLength: 8 }).map((entries) => new Map(entries));
const looks: fc.Arbitrary<Looks> = fc.record({
  itself: map(fc.option(key, { nil: undefined })),
  through: map(fc.option(key, { nil: undefined })),
  presence: map(fc.boolean()),
  links: map(path),
  ends: map(path),
});

/** What a packed note says, as plain data in an order of its own. */
function read(bytes: Buffer): unknown {
  const note = unpackNote(bytes);
  if (note === undefined) return undefined;
  const { counts, keys, texts } = note;
  let at = 0;
  const take = (count: number): string[] => {
    at += count;
    return texts.slice(at - count, at).map((text) => pathIn('/project', text));
  };
  const keyAt = (index: number): readonly number[] => [...keys.slice(index * NUMBERS, (index + 1) * NUMBERS)];
  const itself = take(counts.itself).map((path, index) => [path, keyAt(index)]);
  const through = take(counts.through).map((path, index) => [path, keyAt(counts.itself + index)]);
  const rest = [counts.noneItself, counts.noneThrough, counts.absent, counts.present].map((count) =>
    take(count).sort(),
  );
  const [links, ends] = [take(counts.links), take(counts.ends)];
  const told = texts.slice(at, at + counts.links + counts.ends);
  return {
    head: note.head,
    itself: itself.sort(),
    through: through.sort(),
    rest,
    links,
    ends,
    told,
    left: texts.slice(at + told.length),
  };
}

test('a note is read as it was written', () => {
  fc.assert(
    fc.property(looks, (looks) => {
      const keyed = (all: Looks['itself']): unknown =>
        [...all]
          .flatMap(([path, key]) =>
            key === undefined ? [] : [[path, [key.size, key.mtime, key.ctime, key.ino, key.mode]]],
          )
          .sort();
      const none = (all: Looks['itself']): string[] =>
        [...all].flatMap(([path, key]) => (key === undefined ? [path] : [])).sort();
      const where = (is: boolean): string[] =>
        [...looks.presence].flatMap(([path, it]) => (it === is ? [path] : [])).sort();
      assert.equal(read(packNote(HEAD, looks)), {
        head: HEAD,
        itself: keyed(looks.itself),
        through: keyed(looks.through),
        rest: [none(looks.itself), none(looks.through), where(false), where(true)],
        links: [...looks.links.keys()],
        ends: [...looks.ends.keys()],
        told: [...looks.links.values(), ...looks.ends.values()],
        left: [''],
      });
    }),
  );
});

test('what changed last comes first', () => {
  const key = (ctime: number): StatKey => ({ size: 0, mtime: 0, ctime, ino: 0, mode: 0 });
  const none = new Map();
  const itself = new Map([
    ['/project/old', key(1)],
    ['/project/new', key(3)],
    ['/project/middle', key(2)],
  ]);
  const note = unpackNote(packNote(HEAD, { itself, through: none, presence: none, links: none, ends: none }));
  assert.equal(note?.texts.slice(0, 3), ['new', 'middle', 'old']);
});

test('a note of which a byte is wrong is none', () => {
  const bytes = packNote(HEAD, {
    itself: new Map(),
    through: new Map(),
    presence: new Map(),
    links: new Map(),
    ends: new Map(),
  });
  for (let at = 0; at < bytes.length; at++) {
    const wrong = Buffer.from(bytes);
    wrong[at] = (wrong[at] ?? 0) ^ 1;
    assert.is(unpackNote(wrong), undefined);
    assert.is(unpackNote(bytes.subarray(0, at)), undefined);
  }
});

const ASKER: Asker = {
  argv: ['run'],
  cwd: '/project',
  env: { HOME: '/home', OTHER: 'x' },
  flags: [],
  version: '1.0.0',
  program: [],
  columns: () => undefined,
};

test('a question is another one with whatever it depends on', () => {
  const others: readonly Partial<Asker>[] = [
    { argv: ['run', 'a'] },
    { argv: ['run a'] },
    { cwd: '/' },
    { env: { HOME: '' } },
    { env: {} },
    { env: { HOME: '/home', NODE_OPTIONS: '--no-warnings' } },
    { flags: ['--no-warnings'] },
    { version: '1.0.1' },
    { columns: (stream) => (stream === 'stdout' ? 80 : undefined) },
    { columns: (stream) => (stream === 'stderr' ? 80 : undefined) },
    { columns: (stream) => (stream === 'stdout' ? 81 : undefined) },
  ];
  const digests = [ASKER, ...others.map((other) => ({ ...ASKER, ...other }))].map((asker) =>
    questionOf(asker, ['HOME']),
  );
  assert.is(new Set(digests).size, digests.length);
  assert.is(questionOf({ ...ASKER, env: { HOME: '/home', OTHER: 'y' } }, ['HOME']), digests[0]);
  assert.is.not(questionOf({ ...ASKER, env: { HOME: '/home', NEW: 'y' } }, null), questionOf(ASKER, null));
  assert.is.not(nameOf(ASKER), nameOf({ ...ASKER, argv: ['run', 'a'] }));
  assert.is.not(nameOf(ASKER), nameOf({ ...ASKER, cwd: '/' }));
});

test('variables that are read are known, there or not, and so is a look at all of them', () => {
  const seen = new SeenEnvironment({ A: '1', B: '2' });
  assert.is(seen.env['A'], '1');
  assert.is(seen.env['C'], undefined);
  assert.not('D' in seen.env);
  assert.not(Object.hasOwn(seen.env, 'E'));
  assert.equal(seen.names, ['A', 'C', 'D', 'E']);
  assert.equal(Object.entries(seen.env), [
    ['A', '1'],
    ['B', '2'],
  ]);
  assert.is(seen.names, null);
});

test.run();
