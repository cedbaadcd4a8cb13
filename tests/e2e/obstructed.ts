/**
 * Something else stands in the place of each file and folder that the program keeps: a pipe that nobody writes to, a
 * folder, a link that leads nowhere or to somebody's file, an empty file. No run hangs, crashes, leaves anything wrong, or
 * writes through such a link. Files that may not be read are left out: nothing is kept from root, as whom CI often runs.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ended, type Rig, withRig } from './_rig.ts';

/** Bytes of an output that is kept as a file of its own. */
const SIZE = 100_000;
const NIGHTLY = process.env['FLECHE_TEST_PROFILE'] === 'nightly';

const FILES = {
  'fleche.config.toml': `[default]
root = true
tasks = ["big", "small", "up"]

[tasks.big]
run = "mkdir -p out && cat src/a >out/big && head -c ${SIZE} /dev/zero >>out/big && echo built"
inputs = ["src/a"]
outputs = ["out/big"]

[tasks.small]
run = "cat src/a out/big | wc -c | tr -d ' ' >out/small; mkdir -p told; echo src/b >told/small"
needs = ["big"]
inputs = ["src/a"]
outputs = ["out/small"]
discovered = { list = "told/small" }

[tasks.up]
call = "./up.ts#up"
args = { text = { file = "src/a" } }
outputs = ["out/up"]
`,
  'src/a': 'a0\n',
  'src/b': 'b\n',
  'up.ts': `import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
export function up({ text }: { text: string }): void {
  mkdirSync('out', { recursive: true });
  writeFileSync('out/up', readFileSync(String(text), 'utf8').toUpperCase());
}
`,
};

const PRECIOUS = 'somebody needs this\n';

/** What may stand there instead. */
const OBSTACLES: Readonly<Record<string, (place: string, rig: Rig) => void>> = {
  pipe: (place) => void execFileSync('mkfifo', [place]),
  folder: (place) => mkdirSync(join(place, 'inside'), { recursive: true }),
  'link to nowhere': (place) => symlinkSync('/nowhere/at/all', place),
  "link to somebody's file": (place, rig) => symlinkSync(join(rig.aside, 'precious'), place),
  'empty file': (place) => writeFileSync(place, ''),
};

/** A run that takes longer hangs, ms. */
const LATEST = 60_000;

/** Paths of all that the program keeps, by what they are: of several of a kind the first. */
function kept(rig: Rig): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const walk = (folder: string, name: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const what = `${name}/${entry.name.replace(/[0-9a-f]{16,}/g, '*').replace(/[0-9a-f]{8}-[0-9a-f-]+/, '*')}`
        .replace(/cas\/[0-9a-f]{1,2}\b/, 'cas/*')
        .replace(/moment-\d+$/, 'moment-*');
      if (entry.name === 'CACHEDIR.TAG' || entry.name === '.gitignore') continue;
      if (/\.aside-|\/trash\//.test(what)) continue;
      if (!found.has(what)) found.set(what, path);
      if (entry.isDirectory()) walk(path, what);
    }
  };
  walk(rig.path('.fleche'), '.fleche');
  walk(join(rig.aside, 'home/.cache'), 'home/.cache');
  return found;
}

async function run(rig: Rig): Promise<string> {
  const child = rig.start(['run']);
  const timer = setTimeout(() => child.kill('SIGKILL'), LATEST);
  const { code, signal, stdout, stderr } = await ended(child);
  clearTimeout(timer);
  return `${code ?? signal} ${stdout}${stderr}`;
}

/** What is not as it should be after a run that said `told`. */
function faults(rig: Rig, told: string): readonly string[] {
  const text = rig.read('src/a');
  const big = rig.readIfThere('out/big');
  return [
    ...(told.startsWith('0 ') ? [] : ['ended badly']),
    ...(big?.startsWith(text) && big.length === text.length + SIZE ? [] : ['out/big']),
    ...(rig.readIfThere('out/small') === `${2 * text.length + SIZE}\n` ? [] : ['out/small']),
    ...(rig.readIfThere('out/up') === text.toUpperCase() ? [] : ['out/up']),
    ...(readFileSync(join(rig.aside, 'precious'), 'utf8') === PRECIOUS ? [] : ["somebody's file"]),
  ];
}

test('whatever stands in the place of what the program keeps, a run ends well, and right', async () => {
  if (process.platform === 'win32') return;
  await withRig(FILES, async (rig) => {
    writeFileSync(join(rig.aside, 'precious'), PRECIOUS);
    // Outputs have to settle before there is nothing to do, and a note of it.
    for (let times = 0; times < 8 && !rig.exists('.fleche/notes'); times++)
      assert.equal(faults(rig, await run(rig)), []);
    const all = [...kept(rig).keys()];
    for (const part of [
      'db-1/data.mdb',
      'db-1/lock.mdb',
      'notes/',
      'cas/*/',
      'runs.jsonl',
      'tmp/running',
      '.mjs',
      'code/v',
    ])
      assert.ok(
        all.some((what) => what.includes(part)),
        `nothing is in ${part}: ${all}`,
      );
    let edits = 0;
    const found: string[] = [];
    for (const what of all) {
      for (const [kind, put] of Object.entries(OBSTACLES)) {
        if (!kept(rig).has(what)) await run(rig);
        const place = kept(rig).get(what);
        // Made only when there is nothing to do, or when something is new.
        if (place === undefined) continue;
        rmSync(place, { recursive: true });
        put(place, rig);
        const check = async (when: string): Promise<void> => {
          const told = await run(rig);
          const wrong = faults(rig, told);
          if (wrong.length > 0) found.push(`${what} as a ${kind}, ${when}: ${wrong}\n${told}`);
          if (wrong.includes("somebody's file")) writeFileSync(join(rig.aside, 'precious'), PRECIOUS);
        };
        if (kind === 'pipe' || NIGHTLY) await check('with nothing to do');
        rig.write({ 'src/a': `a${++edits}\n` });
        await check('after an edit');
        if (NIGHTLY) {
          rmSync(rig.path('out'), { recursive: true });
          await check('with nothing there');
        }
        if (found.length > 0) rmSync(rig.path('.fleche'), { recursive: true, force: true });
      }
    }
    assert.equal(found, [], found.join('\n'));
  });
});

test.run();
