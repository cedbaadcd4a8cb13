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
import { agree, Glance, isSame, type Testimony, Witness } from '../../../core/files/code/witness.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'fleche-')));
/** Files count as old. */
const later = (): number => Date.now() + 10_000;
let folders = 0;

interface Scene {
  readonly root: AbsPath;
  at(path: string): AbsPath;
  write(path: string, text: string): void;
  /** What a witness tells of these paths, who was there to read, to follow and to miss them. */
  look(now?: () => number): Testimony;
  confirm(testimony: Testimony): Testimony | undefined;
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
      const witness = new Witness(root, now);
      witness.read(at('file'));
      witness.missed(at('gone'));
      witness.follow(at('link'));
      return witness.testimony(new Set([at('file'), at('gone'), at('link')]));
    },
    confirm: (testimony) => new Glance(root, later).confirm(testimony),
  };
}

test('an untouched disk confirms, by stat calls alone', () => {
  const { look, confirm } = scene();
  const seen = look();
  assert.ok(seen.settled);
  assert.is(confirm(seen), seen);
});

test('new times with the same content confirm, and are taken over', () => {
  const { look, confirm, at } = scene();
  const seen = look();
  utimesSync(at('file'), 1, 1);
  const renewed = confirm(seen);
  assert.ok(renewed !== undefined && renewed !== seen);
  assert.is(confirm(renewed), renewed);
  assert.ok(isSame(seen, renewed));
});

test('another content, an appearance, a disappearance and another target do not confirm', () => {
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
    assert.is(current.confirm(seen), undefined, String(change));
  }
});

test('a file of the last moment is read again next time, and found changed at equal times', () => {
  const { root, at, write } = scene();
  const witness = new Witness(root, () => 0);
  witness.read(at('file'));
  const seen = witness.testimony(new Set([at('file')]));
  assert.equal(
    seen.sights.map(({ key }) => key),
    [null],
  );
  write('file', 'two');
  assert.is(new Glance(root, later).confirm(seen), undefined);
});

test('what others read is relied on only if it is older than the looking', () => {
  const { root, at } = scene();
  for (const [now, settled] of [
    [later, true],
    [() => Date.now() - 10_000, false],
  ] as const) {
    const witness = new Witness(root, now);
    assert.is(witness.saw(at('file'))?.toString(), 'one');
    assert.is(witness.testimony(new Set([at('file')])).settled, settled);
    assert.is(new Witness(root, now).passedOver(at('file')), false);
  }
});

test('a folder is no file', () => {
  const { root, at } = scene();
  const witness = new Witness(root, later);
  assert.is(witness.read(root), undefined);
  assert.is(witness.missed(at('file/below')), true);
  const seen = witness.testimony(new Set([root]));
  assert.is(new Glance(root, later).confirm(seen), seen);
});

test('testimonies agree unless they contradict each other', () => {
  const one = scene();
  const seen = one.look();
  const less = { ...seen, sights: seen.sights.slice(0, 1), links: [] };
  assert.ok(agree(seen, less) && agree(less, seen));
  assert.not.ok(isSame(seen, less));
  one.write('file', 'other');
  assert.not.ok(agree(seen, one.look()));
});

test('the folder is cleaned up', () => {
  rmSync(base, { recursive: true });
});

test.run();
