/** What a calculation saw of the disk, and whether it would see it again. */
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AbsPath, toAbs } from '../../../core/base/paths.ts';
import { ReadRecorder } from '../../../core/files/code/read-recorder.ts';
import { agree, isSame, type ReadSet } from '../../../core/files/code/read-set.ts';
import { ReadValidator } from '../../../core/files/code/read-validator.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'fleche-')));
/** Files count as old. */
const later = (): number => Date.now() + 10_000;
let folders = 0;

interface Scene {
  readonly root: AbsPath;
  at(path: string): AbsPath;
  write(path: string, text: string): void;
  /** What a recorder tells of these paths, who was there to read, to follow and to miss them. */
  look(now?: () => number): ReadSet;
  validate(readSet: ReadSet): ReadSet | undefined;
}

function scene(): Scene {
  const root = toAbs(base, String(folders++));
  mkdirSync(root);
  const at = (path: string): AbsPath => toAbs(root, path);
  const write = (path: string, text: string): void => writeFileSync(at(path), text);
  write('file', 'one');
  symlinkSync('file', at('link'));
  return {
    root,
    at,
    write,
    look(now = later) {
      const recorder = new ReadRecorder(root, now);
      recorder.read(at('file'));
      recorder.missed(at('gone'));
      recorder.follow(at('link'));
      return recorder.readSet(new Set([at('file'), at('gone'), at('link')]));
    },
    validate: (readSet) => new ReadValidator(root, later).validate(readSet),
  };
}

test('an untouched disk confirms, by stat calls alone', () => {
  const { look, validate } = scene();
  const seen = look();
  assert.ok(seen.settled);
  assert.is(validate(seen), seen);
});

test('new times with the same content validate, and are taken over', () => {
  const { look, validate, at } = scene();
  const seen = look();
  utimesSync(at('file'), 1, 1);
  const renewed = validate(seen);
  assert.ok(renewed !== undefined && renewed !== seen);
  assert.is(validate(renewed), renewed);
  assert.ok(isSame(seen, renewed));
});

test('another content, an appearance, a disappearance and another target do not validate', () => {
  const changes: ((scene: Scene) => void)[] = [
    ({ write }) => write('file', 'two!'),
    ({ write }) => write('gone', ''),
    ({ at }) => mkdirSync(at('gone')),
    ({ at }) => unlinkSync(at('file')),
    ({ at }) => {
      unlinkSync(at('link'));
      symlinkSync('other', at('link'));
    },
  ];
  for (const change of changes) {
    const current = scene();
    const seen = current.look();
    change(current);
    assert.is(current.validate(seen), undefined, String(change));
  }
});

test('a file of the last moment is read again next time, and found changed at equal times', () => {
  const { root, at, write } = scene();
  const recorder = new ReadRecorder(root, () => 0);
  recorder.read(at('file'));
  const seen = recorder.readSet(new Set([at('file')]));
  assert.equal(
    seen.reads.map(({ key }) => key),
    [null],
  );
  write('file', 'two');
  assert.is(new ReadValidator(root, later).validate(seen), undefined);
});

test('what others read is relied on only if it is older than the looking', () => {
  const { root, at } = scene();
  for (const [now, settled] of [
    [later, true],
    [() => Date.now() - 10_000, false],
  ] as const) {
    const recorder = new ReadRecorder(root, now);
    assert.is(recorder.saw(at('file'))?.toString(), 'one');
    assert.is(recorder.readSet(new Set([at('file')])).settled, settled);
    assert.is(new ReadRecorder(root, now).passedOver(at('file')), false);
  }
});

test('a folder is no file', () => {
  const { root, at } = scene();
  const recorder = new ReadRecorder(root, later);
  assert.is(recorder.read(root), undefined);
  assert.is(recorder.missed(at('file/below')), true);
  const seen = recorder.readSet(new Set([root]));
  assert.is(new ReadValidator(root, later).validate(seen), seen);
});

test('read sets agree unless they contradict each other', () => {
  const one = scene();
  const seen = one.look();
  const less = { ...seen, reads: seen.reads.slice(0, 1), links: [] };
  assert.ok(agree(seen, less) && agree(less, seen));
  assert.not.ok(isSame(seen, less));
  one.write('file', 'other');
  assert.not.ok(agree(seen, one.look()));
});

test.after(() => rmSync(base, { recursive: true }));

test.run();
