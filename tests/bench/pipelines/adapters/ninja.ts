/** ninja: one edge a task, modification times only. */
import { onPath } from '../peers.ts';
import { sourceName } from '../workload.ts';
import type { Adapter } from './adapter.ts';

export const ninja: Adapter = {
  name: 'ninja',
  restores: false,
  ignored: ['.ninja_log', '.ninja_deps'],
  caches: ['.ninja_log', '.ninja_deps'],
  *files({ packages, size }) {
    const lines = ['rule build', '  command = cd $dir && sh build.sh', ''];
    for (const { dir, deps, products } of packages) {
      const sources = Array.from({ length: size.files }, (_, at) => `src/${sourceName(at)}`);
      const own = [...sources, 'src/NOTE.md', 'build.sh'].map((path) => `${dir}/${path}`);
      const needs = [...own, ...deps.map((dep) => `packages/${dep}/dist/sum.txt`)];
      const made = products.map((path) => `${dir}/${path}`).join(' ');
      lines.push(`build ${made}: build ${needs.join(' ')}`, `  dir = ${dir}`);
    }
    yield ['build.ninja', `${lines.join('\n')}\n`];
  },
  find: () => onPath('ninja'),
  command: (program, _, jobs) => ({ argv: [program, `-j${jobs}`] }),
};
