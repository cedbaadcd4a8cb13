/** Tasks that are TypeScript functions: what is in their key is their own code, and no more. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { REPOSITORY, withRig } from './_rig.ts';

const FILES = {
  'package.json': '{ "type": "module" }',
  'fleche.config.toml': `[default]
root = true
tasks = ["summary", "other"]

[tasks.words]
call = "./tasks/text.ts#words"
args = { text = "to be or not to be" }

[tasks.summary]
call = "./tasks/text.ts#summary"
args = { words = { from = "words" }, level = { env = "LEVEL", default = "full" } }
outputs = ["summary.json"]

[tasks.other]
call = "./tasks/text.ts#other"
`,
  'tasks/text.ts': `import { writeFileSync } from 'node:fs';
import { unique } from './near.ts';

interface Words {
  readonly text: string;
}

export function words({ text }: Words): Map<string, number> {
  console.log('counting words');
  return new Map(unique(text.split(' ')).map((word) => [word, word.length]));
}

export async function summary({ words, level }: { words: Map<string, number>; level: string }): Promise<number> {
  writeFileSync('summary.json', JSON.stringify({ level, words: [...words] }));
  return words.size;
}

export function other(): bigint {
  return 2n ** 70n;
}
`,
  'tasks/near.ts': `import { normal } from './far.ts';

export function unique(words: readonly string[]): string[] {
  return [...new Set(words.map(normal))];
}

export function unused(): string {
  return 'unused';
}
`,
  'tasks/far.ts': `export const normal = (word: string): string => word.trim();\n`,
};

const ALL_RAN = { words: 'ran', summary: 'ran', other: 'ran' };
const ALL_CACHED = { words: 'cached', summary: 'cached', other: 'cached' };

test('functions run once, with their arguments, and hand on their results', async () => {
  await withRig(FILES, async (rig) => {
    const first = await rig.run();
    assert.is(first.code, 0, first.stderr);
    assert.equal(first.outcomes, ALL_RAN);
    assert.equal(JSON.parse(rig.read('summary.json')), { level: 'full', words: [['to', 2], ['be', 2], ['or', 2], ['not', 3]] }); // biome-ignore format: short
    assert.equal((await rig.run()).outcomes, ALL_CACHED);
    rig.remove('summary.json');
    assert.equal((await rig.run()).outcomes, ALL_CACHED);
    assert.ok(rig.exists('summary.json'));
  });
});

/** Runs, edits one file, and gives what came of the tasks then. */
async function afterEdit(path: string, from: string, to: string): Promise<Readonly<Record<string, string>>> {
  let outcomes: Readonly<Record<string, string>> = {};
  await withRig(FILES, async (rig) => {
    assert.is((await rig.run()).code, 0);
    rig.edit(path, from, to);
    outcomes = (await rig.run()).outcomes;
  });
  return outcomes;
}

test('editing another function of the module re-runs only that one', async () => {
  assert.equal(await afterEdit('tasks/text.ts', '2n ** 70n', '2n ** 71n'), { ...ALL_CACHED, other: 'ran' });
});

test('editing a function that nobody calls re-runs nothing', async () => {
  assert.equal(await afterEdit('tasks/near.ts', `'unused'`, `'still unused'`), ALL_CACHED);
});

test('comments, formatting and types re-run nothing', async () => {
  assert.equal(
    await afterEdit('tasks/text.ts', 'export function words', '// counts\nexport function   words'),
    ALL_CACHED,
  );
  assert.equal(
    await afterEdit('tasks/text.ts', 'readonly text: string;', 'readonly text: string;\n  readonly more?: number;'),
    ALL_CACHED,
  );
});

test('editing a helper two imports away re-runs what uses it, and stops where results are equal', async () => {
  assert.equal(await afterEdit('tasks/far.ts', 'word.trim()', 'word.trim().toUpperCase()'), {
    words: 'ran',
    summary: 'ran',
    other: 'cached',
  });
  assert.equal(await afterEdit('tasks/far.ts', 'word.trim()', 'word.trimEnd()'), {
    words: 'ran',
    summary: 'cached',
    other: 'cached',
  });
});

test('a changed argument re-runs the function', async () => {
  assert.equal(await afterEdit('fleche.config.toml', 'to be or not', 'to be or maybe not'), {
    ...ALL_RAN,
    other: 'cached',
  });
  assert.equal(await afterEdit('fleche.config.toml', '"full"', '"short"'), { ...ALL_CACHED, summary: 'ran' });
});

test('a variable named by an argument is in the key, under its name', async () => {
  await withRig(FILES, async (rig) => {
    await rig.run();
    const changed = await rig.run([], { LEVEL: 'short' });
    assert.equal(changed.outcomes, { ...ALL_CACHED, summary: 'ran' });
    assert.equal(changed.tasks['summary']?.reasons, [{ kind: 'argument', name: 'level', change: 'changed' }]);
    assert.is(JSON.parse(rig.read('summary.json')).level, 'short');
    assert.equal((await rig.run([], { LEVEL: 'full' })).outcomes, ALL_CACHED);
  });
});

test('a file given as an argument is read, and its content is in the key', async () => {
  const config = `[default]
root = true
tasks = ["lines"]

[tasks.lines]
call = "./lines.ts#lines"
args = { data = { file = "data.txt" } }
`;
  const lines = `import { readFileSync } from 'node:fs';
export function lines({ data }: { data: { path: string } }): number {
  return readFileSync(data.path, 'utf8').split('\\n').length;
}
`;
  await withRig({ 'fleche.config.toml': config, 'lines.ts': lines, 'data.txt': 'a\nb' }, async (rig) => {
    const first = await rig.run();
    assert.equal(first.outcomes, { lines: 'ran' }, first.stderr);
    assert.equal((await rig.run()).outcomes, { lines: 'cached' });
    rig.append('data.txt', '\nc');
    const { outcomes, tasks } = await rig.run();
    assert.equal(outcomes, { lines: 'ran' });
    assert.equal(tasks['lines']?.reasons, [{ kind: 'file', change: 'changed', path: 'data.txt' }]);
  });
});

test('a task that hands on a file hands on its name: who needs it runs again when the file is renamed', async () => {
  const config = `[default]
root = true
tasks = ["title"]

[tasks.first]
call = "./files.ts#first"
args = { files = { glob = "data/*.txt" } }

[tasks.title]
call = "./files.ts#title"
args = { file = { from = "first" } }
outputs = ["title.txt"]
`;
  const functions = `import { writeFileSync } from 'node:fs';
export const first = ({ files }) => files[0];
export const title = ({ file }) => writeFileSync('title.txt', file.path + ': ' + file.text());
`;
  await withRig({ 'fleche.config.toml': config, 'files.ts': functions, 'data/a.txt': 'text' }, async (rig) => {
    const ran = await rig.run();
    assert.equal(ran.outcomes, { first: 'ran', title: 'ran' }, ran.stderr);
    rig.rename('data/a.txt', 'data/b.txt');
    assert.equal((await rig.run()).outcomes, { first: 'ran', title: 'ran' });
    assert.is(rig.read('title.txt'), 'data/b.txt: text');
    assert.equal((await rig.run()).outcomes, { first: 'cached', title: 'cached' });
  });
});

test('a function that throws fails its task, and its message is told', async () => {
  await withRig(FILES, async (rig) => {
    rig.edit('tasks/text.ts', 'return 2n ** 70n', `throw new RangeError('too large by far')`);
    const { code, outcomes, tasks } = await rig.run(['--keep-going']);
    assert.is(code, 1);
    assert.equal(outcomes, { ...ALL_RAN, other: 'failed' });
    assert.match(tasks['other']?.message ?? '', /too large by far/);
    assert.equal((await rig.run(['--keep-going'])).outcomes, { ...ALL_CACHED, other: 'failed' });
  });
});

test('a function that ends the process fails its task alone', async () => {
  await withRig(FILES, async (rig) => {
    rig.edit('tasks/text.ts', 'return 2n ** 70n', 'process.exit(0)');
    const { code, outcomes } = await rig.run(['--keep-going']);
    assert.is(code, 1);
    assert.equal(outcomes, { ...ALL_RAN, other: 'failed' });
  });
});

test('a result that cannot be kept fails its task and names the member', async () => {
  await withRig(FILES, async (rig) => {
    rig.edit(
      'tasks/text.ts',
      'export function other(): bigint {\n  return 2n ** 70n',
      'export function other(): unknown {\n  return { a: [() => 1] }',
    );
    const { code, tasks, stderr } = await rig.run(['--keep-going']);
    assert.is(code, 1);
    assert.match(`${tasks['other']?.message}${stderr}`, /result\.a\[0\]/);
  });
});

test('an export that is not there is told with the nearest one', async () => {
  await withRig(FILES, async (rig) => {
    rig.edit('fleche.config.toml', '#other', '#othr');
    const { code, stdout, stderr } = await rig.run(['other']);
    assert.is.not(code, 0);
    assert.match(stdout + stderr, /othr/);
    assert.match(stdout + stderr, /other/);
  });
});

test('what a function printed is shown again on a hit', async () => {
  await withRig(FILES, async (rig) => {
    assert.match((await rig.fleche(['run', '--log', 'stream'])).stdout, /counting words/);
    assert.match((await rig.fleche(['run', '--log', 'stream'])).stdout, /counting words/);
  });
});

test('a function that is ended for its timeout has failed, even if it never listens', async () => {
  const files = {
    'fleche.config.toml':
      '[tasks.spin]\ncall = "./spin.ts#spin"\ntimeout = "200ms"\n[default]\nroot = true\ntasks = ["spin"]',
    'spin.ts': "export function spin() { console.log('begun'); for (;;); }",
  };
  await withRig(files, async (rig) => {
    const { code, tasks } = await rig.run();
    assert.is(code, 1);
    assert.is(tasks['spin']?.message, 'took longer than 200ms and was ended');
  });
});

test('the function of the guide gets what the guide says', async () => {
  const guide = readFileSync(join(REPOSITORY, 'core/PIPELINES.md'), 'utf8').split('\n## Functions\n')[1] ?? '';
  const block = (language: string): string =>
    new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(guide)?.[1] ?? '';
  const files = {
    'fleche.config.toml': `[default]\nroot = true\ntasks = ["count"]\n\n${block('toml')}`,
    'tasks/words.ts': block('ts'),
    'story.txt': 'once upon a time\n',
    'package.json': '{ "type": "module" }',
  };
  await withRig(files, async (rig) => {
    const { code, stdout, stderr } = await rig.fleche(['run']);
    assert.is(code, 0, stdout + stderr);
    assert.match(stdout, 'count found 4 words');
    assert.is(rig.read('build/words/words.txt'), 'a\nonce\ntime\nupon');
    assert.equal((await rig.run()).outcomes, { count: 'cached' });
  });
});

test.run();
