/** make: one target a task, modification times only. */
import { onPath } from '../peers.ts';
import type { Adapter } from './adapter.ts';

export const make: Adapter = {
  name: 'make',
  restores: false,
  caches: [],
  *files({ packages }) {
    // Its built-in rules, tried on every source, would be most of its time.
    const lines = ['MAKEFLAGS += --no-builtin-rules', '.SUFFIXES:', '.PHONY: all'];
    lines.push(`all: ${packages.map(({ dir }) => `${dir}/dist/sum.txt`).join(' ')}`);
    for (const { dir, deps } of packages) {
      const needs = [
        `$(wildcard ${dir}/src/*)`,
        `${dir}/build.sh`,
        ...deps.map((dep) => `packages/${dep}/dist/sum.txt`),
      ];
      lines.push(`${dir}/dist/sum.txt: ${needs.join(' ')}`, `\t@cd ${dir} && sh build.sh`);
    }
    yield ['Makefile', `${lines.join('\n')}\n`];
  },
  find: () => onPath('make'),
  command: (program, _, jobs) => ({ argv: [program, `-j${jobs}`] }),
};
