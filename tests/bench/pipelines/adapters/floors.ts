/** What no program written for Node can be faster than. */
import { writeFileSync } from 'node:fs';
import type { Workload } from '../workload.ts';
import { sourceName } from '../workload.ts';
import type { Adapter } from './adapter.ts';

const LSTAT = `
const { lstatSync, readFileSync } = require('node:fs');
for (const path of readFileSync(process.argv[1], 'utf8').split('\\n')) lstatSync(path);`;

function* inputs({ packages, size }: Workload): Generator<string, void, undefined> {
  for (const { dir } of packages) {
    for (let at = 0; at < size.files; at++) yield `${dir}/src/${sourceName(at)}`;
    for (const name of ['src/NOTE.md', 'build.sh', 'package.json']) yield `${dir}/${name}`;
  }
}

const COMMON = { restores: false, caches: [], scenarios: ['no-op'], find: () => process.execPath } as const;

/** Looking at every input once, from Node. */
export const lstat: Adapter = {
  ...COMMON,
  name: 'floor: lstat',
  command(node, workload) {
    const list = `${workload.root}.inputs`;
    writeFileSync(list, [...inputs(workload)].join('\n'));
    return { argv: [node, '-e', LSTAT, list] };
  },
};

/** Starting Node and ending it. */
export const node: Adapter = {
  ...COMMON,
  name: 'floor: node',
  command: (node) => ({ argv: [node, '-e', '0'] }),
};
