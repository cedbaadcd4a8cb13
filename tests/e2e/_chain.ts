/** Three commands in a chain: `strip` cleans texts, `join` puts them together, `count` counts their words. */

const LOG = "import { appendFileSync } from 'node:fs';\n";

export const CONFIG = `[default]
root = true
tasks = ["count"]

[tasks.strip]
run = "node scripts/strip.mjs"
inputs = ["src/**/*.txt", "scripts/strip.mjs"]
outputs = ["gen/**"]
pass_env = ["TEST_LOG"]

[tasks.join]
run = "node scripts/join.mjs"
needs = ["strip"]
inputs = ["gen/**/*.txt", "scripts/join.mjs"]
outputs = ["build/**"]
pass_env = ["TEST_LOG"]

[tasks.count]
run = "node scripts/count.mjs"
needs = ["join"]
inputs = ["build/all.txt", "scripts/count.mjs"]
outputs = ["report.json"]
env = ["UNIT"]
pass_env = ["TEST_LOG"]
`;

export const CHAIN: Readonly<Record<string, string>> = {
  'fleche.config.toml': CONFIG,
  'src/one.txt': 'the first text\nof two\n',
  'src/deep/two.txt': 'the second\n',
  'notes.md': 'not an input of anything\n',
  'scripts/strip.mjs': `${LOG}import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
appendFileSync(process.env.TEST_LOG, 'strip\\n');
for (const name of readdirSync('src', { recursive: true }).sort()) {
  if (!name.endsWith('.txt')) continue;
  mkdirSync(dirname('gen/' + name), { recursive: true });
  writeFileSync('gen/' + name, readFileSync('src/' + name, 'utf8').replace(/[ \\t\\r]+$/gm, ''));
}
`,
  'scripts/join.mjs': `${LOG}import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
appendFileSync(process.env.TEST_LOG, 'join\\n');
const names = readdirSync('gen', { recursive: true }).filter((name) => name.endsWith('.txt')).sort();
mkdirSync('build/empty', { recursive: true });
writeFileSync('build/all.txt', names.map((name) => '== ' + name + '\\n' + readFileSync('gen/' + name, 'utf8')).join(''));
writeFileSync('build/show.sh', '#!/bin/sh\\ncat all.txt\\n');
chmodSync('build/show.sh', 0o755);
symlinkSync('all.txt', 'build/latest');
console.log('joined ' + names.length);
`,
  'scripts/count.mjs': `${LOG}import { readFileSync, writeFileSync } from 'node:fs';
appendFileSync(process.env.TEST_LOG, 'count\\n');
const words = readFileSync('build/all.txt', 'utf8').match(/[a-z]+/g).length;
writeFileSync('report.json', JSON.stringify({ words, unit: process.env.UNIT ?? 'words', other: process.env.OTHER ?? null }));
`,
};

export const ALL_RAN = { strip: 'ran', join: 'ran', count: 'ran' } as const;
export const ALL_CACHED = { strip: 'cached', join: 'cached', count: 'cached' } as const;
