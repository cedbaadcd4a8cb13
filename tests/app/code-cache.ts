/** Compiled code that is kept: what it is used for, and that it changes nothing but time. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCode } from '../../core/app/code-cache.ts';

const NAMES = 'exports, require, module, __filename, __dirname, __importMetaUrl';
const SOURCE = `(function (${NAMES}) {
const { sep } = require('node:path');
exports.where = [__filename, __dirname, __importMetaUrl, sep];
exports.add = (a, b) => a + b;
})`;

/** A folder with the file, and one for what is kept. */
function withFile(use: (file: string, kept: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
    try {
      const file = join(folder, 'code.cjs');
      writeFileSync(file, SOURCE);
      await use(file, join(folder, 'kept'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

interface Code {
  readonly where: readonly string[];
  readonly add: (a: number, b: number) => number;
}

const exportsOf = (file: string, folder: string | undefined): Code => loadCode(file, folder, 'run').exports as Code;

test(
  'code runs as a CommonJS module',
  withFile((file, kept) => {
    const code = exportsOf(file, kept);
    assert.is(code.where[0], file);
    assert.match(code.where[2] ?? '', /^file:.*code\.cjs$/);
  }),
);

test(
  'code that was kept does the same',
  withFile((file, kept) => {
    loadCode(file, kept, 'run').keep('run');
    assert.is(readdirSync(kept).length, 1);
    const code = exportsOf(file, kept);
    assert.is(code.add(2, 3), 5);
  }),
);

test(
  'the first runs of each label add to it, later ones leave it alone',
  withFile((file, kept) => {
    const head = (): string => readFileSync(join(kept, readdirSync(kept)[0] ?? ''), 'latin1').split('\n')[0] ?? '';
    for (let run = 0; run < 5; run++) loadCode(file, kept, 'run').keep('run');
    assert.match(head(), / \{"run":3\}$/);
    loadCode(file, kept, 'run').keep('plan');
    assert.match(head(), / \{"run":3,"plan":1\}$/);
  }),
);

test(
  'nothing is kept where no folder can be made, and nothing further up than its place',
  withFile((file, kept) => {
    for (const folder of ['/proc/.cache/fleche/code', join(kept, 'nobody', 'home', '.cache', 'fleche', 'code')])
      loadCode(file, folder, 'run').keep('run');
    assert.not(existsSync(kept));
  }),
);

test(
  'code of another text is not used',
  withFile((file, kept) => {
    loadCode(file, kept, 'run').keep('run');
    writeFileSync(file, SOURCE.replace('a + b', 'a * b'));
    assert.is(exportsOf(file, kept).add(2, 3), 6);
  }),
);

test(
  'whatever became of what is kept, the code runs',
  withFile((file, kept) => {
    loadCode(file, kept, 'run').keep('run');
    const place = join(kept, readdirSync(kept)[0] ?? '');
    const whole = readFileSync(place);
    const flipped = Buffer.from(whole);
    flipped[whole.length - 100] = (flipped[whole.length - 100] ?? 0) ^ 0xff;
    const noise = Buffer.alloc(500, 7);
    for (const bytes of [Buffer.alloc(0), whole.subarray(0, 40), whole.subarray(0, -10), flipped, noise]) {
      writeFileSync(place, bytes);
      assert.is(exportsOf(file, kept).add(2, 3), 5);
      loadCode(file, kept, 'run').keep('run');
      assert.is(exportsOf(file, kept).add(2, 3), 5);
    }
  }),
);

test(
  'a folder that cannot be made costs nothing but time',
  withFile((file) => {
    loadCode(file, join(file, 'below a file'), 'run').keep('run');
    loadCode(file, undefined, 'run').keep('run');
    assert.is(exportsOf(file, undefined).add(2, 3), 5);
  }),
);

test(
  'what the file throws is thrown',
  withFile((file, kept) => {
    writeFileSync(file, '(function () { throw new RangeError("odd") })');
    assert.throws(() => loadCode(file, kept, 'run'), /odd/);
  }),
);

test(
  'what is kept for calls of another kind is left alone',
  withFile((file, kept) => {
    loadCode(file, kept, 'run').keep('run');
    loadCode(file, kept, 'other').keep('plan');
    assert.is(readdirSync(kept).length, 2);
    loadCode(file, kept, 'run').keep('run');
    const heads = readdirSync(kept).map((name) => readFileSync(join(kept, name), 'latin1').split('\n')[0] ?? '');
    assert.equal(heads.map((head) => head.slice(head.indexOf(' '))).sort(), [' {"plan":1}', ' {"run":2}']);
  }),
);

test(
  'code that nobody has added to for long is removed, young code is not',
  withFile((file, kept) => {
    const dayBefore = (days: number): Date => new Date(statSync(file).mtimeMs - days * 24 * 60 * 60 * 1000);
    mkdirSync(join(kept, '0 of the library'), { recursive: true });
    utimesSync(join(kept, '0 of the library'), dayBefore(40), dayBefore(40));
    for (const days of [20, 40]) {
      writeFileSync(join(kept, `${days}`), 'code');
      utimesSync(join(kept, `${days}`), dayBefore(days), dayBefore(days));
    }
    loadCode(file, kept, 'run').keep('run');
    assert.equal([readdirSync(kept).includes('20'), readdirSync(kept).includes('40')], [true, false]);
    assert.is(readdirSync(kept).length, 3);
  }),
);

test(
  'V8 is told to be patient only when nothing is to be kept',
  withFile((file, kept) => {
    const before = cachedDataVersionTag();
    for (let run = 0; run < 3; run++) {
      const code = loadCode(file, kept, 'run');
      code.settle('run');
      assert.is(cachedDataVersionTag(), before);
      code.keep('run');
    }
    loadCode(file, kept, 'run').settle('plan');
    assert.is(cachedDataVersionTag(), before);
    loadCode(file, kept, 'run').settle('run');
    if (Number.parseInt(process.versions.v8, 10) <= 14) assert.is.not(cachedDataVersionTag(), before);
  }),
);

test.run();
