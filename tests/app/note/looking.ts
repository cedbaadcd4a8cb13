/** What is taken down of looks at the file system, and whether it is seen again. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isSeenAgain } from '../../../core/app/note/look-again.ts';
import { Looking } from '../../../core/app/note/looking.ts';
import { type Head, type Looks, packNote, unpackNote } from '../../../core/app/note/note.ts';

const LATER = 60_000;
const ALL = { isLookedAt: () => true, isOwn: () => false };

const muchLater = (): number => Date.now() + LATER;

/** What is taken down while somebody looks at a folder; by default so long after it was made that all times can be trusted. */
function lookedAt(folder: string, look: () => void, now: () => number = muchLater): Looks | undefined {
  const looking = new Looking(now);
  try {
    looking.within({ isLookedAt: (path) => path.startsWith(folder), isOwn: () => false });
    look();
    return looking.end();
  } finally {
    looking.close();
  }
}

function isSame(root: string, looks: Looks): boolean {
  const note = unpackNote(packNote({ root } as Head, looks));
  assert.ok(note);
  try {
    return isSeenAgain(note);
  } catch {
    return false;
  }
}

function inFolder(test: (folder: string) => void): () => void {
  return () => {
    const folder = fs.mkdtempSync(join(fs.realpathSync(tmpdir()), 'fleche-'));
    try {
      fs.mkdirSync(join(folder, 'd'));
      for (const name of ['file', 'other', 'd/in']) fs.writeFileSync(join(folder, name), name);
      fs.symlinkSync('file', join(folder, 'link'));
      test(folder);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  };
}

/** Looks, with what makes a difference to them and what does not. */
const LOOKS: Readonly<Record<string, readonly [look: (at: string) => void, seen: string, unseen: string]>> = {
  lstatSync: [(at) => fs.lstatSync(`${at}/link`), 'link', 'file'],
  'lstatSync in vain': [(at) => fs.lstatSync(`${at}/none`, { throwIfNoEntry: false }), 'none', 'file'],
  'lstatSync in vain, loudly': [(at) => assert.throws(() => fs.lstatSync(`${at}/none`)), 'none', 'file'],
  statSync: [(at) => fs.statSync(`${at}/link`), 'file', 'other'],
  'statSync in vain': [(at) => fs.statSync(`${at}/none`, { throwIfNoEntry: false }), 'none', 'file'],
  readFileSync: [(at) => fs.readFileSync(`${at}/file`), 'file', 'other'],
  'readFileSync of a text': [(at) => fs.readFileSync(`${at}/file`, 'utf8'), 'file', 'other'],
  'readFileSync in vain': [(at) => assert.throws(() => fs.readFileSync(`${at}/none`)), 'none', 'file'],
  'readFileSync of a folder': [(at) => assert.throws(() => fs.readFileSync(`${at}/d`)), 'd', 'file'],
  'readFileSync through a link': [(at) => fs.readFileSync(`${at}/link`), 'file', 'other'],
  'openSync and readSync': [
    (at) => {
      const fd = fs.openSync(`${at}/file`, 'r');
      fs.readSync(fd, Buffer.alloc(4));
      fs.fstatSync(fd);
      fs.closeSync(fd);
    },
    'file',
    'other',
  ],
  readdirSync: [(at) => fs.readdirSync(`${at}/d`, { withFileTypes: true }), 'd/new', 'd/in'],
  existsSync: [(at) => fs.existsSync(`${at}/none`), 'none', 'file'],
  'existsSync of what is there': [(at) => fs.existsSync(`${at}/file`), '-file', 'file'],
  readlinkSync: [(at) => fs.readlinkSync(`${at}/link`), 'link', 'file'],
  realpathSync: [(at) => fs.realpathSync(`${at}/link`), 'link', 'file'],
  'realpathSync in vain': [(at) => assert.throws(() => fs.realpathSync(`${at}/none`)), 'none', 'file'],
};

/** Makes something else of a path: another file, or nothing if a `-` stands before it. */
function change(folder: string, name: string): void {
  const path = join(folder, name.replace(/^-/, ''));
  if (name.startsWith('-')) return fs.rmSync(path);
  if (name === 'd') return fs.renameSync(path, `${path}-elsewhere`);
  const isLink = fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (!isLink) return fs.appendFileSync(path, 'more');
  fs.rmSync(path);
  fs.symlinkSync('other', path);
}

for (const [name, [look, seen, unseen]] of Object.entries(LOOKS)) {
  test(
    `seen again, or not: ${name}`,
    inFolder((folder) => {
      const looks = lookedAt(folder, () => look(folder));
      assert.ok(looks);
      assert.ok(isSame(folder, looks), 'nothing was changed');
      change(folder, unseen);
      assert.ok(isSame(folder, looks), `${unseen} was changed`);
      change(folder, seen);
      assert.not(isSame(folder, looks), `${seen} was changed`);
    }),
  );
}

/** After which nobody can say what was seen. */
const ODD: Readonly<Record<string, (at: string) => unknown>> = {
  writeFileSync: (at) => fs.writeFileSync(`${at}/file`, 'x'),
  appendFileSync: (at) => fs.appendFileSync(`${at}/file`, 'x'),
  'openSync to write': (at) => fs.closeSync(fs.openSync(`${at}/file`, 'r+')),
  'openSync to write, by number': (at) => fs.closeSync(fs.openSync(`${at}/file`, fs.constants.O_RDWR)),
  mkdirSync: (at) => fs.mkdirSync(`${at}/new`),
  renameSync: (at) => fs.renameSync(`${at}/file`, `${at}/new`),
  rmSync: (at) => fs.rmSync(`${at}/file`),
  chmodSync: (at) => fs.chmodSync(`${at}/file`, 0o600),
  utimesSync: (at) => fs.utimesSync(`${at}/file`, 1, 1),
  accessSync: (at) => fs.accessSync(`${at}/file`),
  opendirSync: (at) => fs.opendirSync(at).closeSync(),
  'realpathSync.native': (at) => fs.realpathSync.native(at),
  'a stat with big numbers': (at) => fs.statSync(at, { bigint: true }),
  'a name in bytes': (at) => fs.lstatSync(Buffer.from(at)),
  'a deep listing': (at) => fs.readdirSync(at, { recursive: true }),
  'a link that is none': (at) => assert.throws(() => fs.readlinkSync(`${at}/file`)),
  readFile: (at) => fs.readFile(`${at}/file`, () => {}),
  'another process': () => spawnSync(process.execPath, ['--version']),
};

for (const [name, act] of Object.entries(ODD)) {
  for (const when of ['before it is known what matters', 'afterwards']) {
    test(
      `not understood, ${when}: ${name}`,
      inFolder((folder) => {
        const { lstatSync } = fs;
        const looking = new Looking(() => Date.now() + LATER);
        try {
          if (when === 'afterwards') looking.within(ALL);
          act(folder);
          looking.within(ALL);
          assert.is(fs.lstatSync, lstatSync, 'nothing more is taken down');
          assert.is(looking.end(), undefined);
        } finally {
          looking.close();
        }
      }),
    );
  }
}

test(
  'what was changed a moment before it is read is not believed to be seen again; what is only looked at is',
  inFolder((folder) => {
    const { ctimeMs } = fs.statSync(join(folder, 'd'));
    const soon = (): number => ctimeMs + 1;
    assert.is(
      lookedAt(folder, () => fs.readFileSync(join(folder, 'file')), soon),
      undefined,
    );
    assert.is(
      lookedAt(folder, () => fs.readdirSync(join(folder, 'd')), soon),
      undefined,
    );
    assert.ok(lookedAt(folder, () => fs.lstatSync(join(folder, 'file')), soon));
  }),
);

test(
  'what was two things one after the other is not taken down',
  inFolder((folder) => {
    const path = join(folder, 'file');
    const { renameSync } = fs;
    const looks = lookedAt(folder, () => {
      fs.lstatSync(path);
      renameSync(join(folder, 'other'), path);
      fs.lstatSync(path);
    });
    assert.is(looks, undefined);
  }),
);

test('as long as it is not known what matters there is nothing to leave', () => {
  const looking = new Looking(Date.now);
  try {
    assert.is(looking.end(), undefined);
  } finally {
    looking.close();
  }
});

test('where others stood in before, whose functions are members of themselves, it is done once more', () => {
  const { statSync } = fs;
  const theirs = Object.assign((...args: Parameters<typeof statSync>) => statSync(...args), {});
  Reflect.set(theirs, 'again', theirs);
  Reflect.set(fs, 'statSync', theirs);
  try {
    const looking = new Looking(Date.now);
    try {
      assert.is.not(fs.statSync, theirs);
      assert.is(Reflect.get(fs.statSync, 'again'), fs.statSync);
    } finally {
      looking.close();
    }
    assert.is(fs.statSync, theirs);
  } finally {
    Reflect.set(fs, 'statSync', statSync);
  }
});

test('afterwards everything is as it was, and what was kept of it still works', () => {
  const before = { ...fs };
  const looking = new Looking(Date.now);
  const { existsSync } = fs;
  assert.is.not(existsSync, before.existsSync);
  looking.close();
  looking.close();
  for (const [name, value] of Object.entries(before)) if (name !== 'promises') assert.is(Reflect.get(fs, name), value);
  assert.ok(existsSync(tmpdir()));
});

test.run();
