/** The command of this repository, as it is built. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Package } from '../workload.ts';
import type { Adapter } from './adapter.ts';

const BUILT = resolve(import.meta.dirname, '../../../../dist/fleche.cjs');

function task({ name, dir, deps, inputs, outputs }: Package): string {
  const below = (paths: readonly string[]): string => JSON.stringify(paths.map((path) => `${dir}/${path}`));
  return [
    `[tasks.${name}]`,
    'run = "sh build.sh"',
    `dir = "${dir}"`,
    `needs = ${JSON.stringify(deps)}`,
    `inputs = ${below(inputs)}`,
    `outputs = ${below(outputs)}`,
    '',
  ].join('\n');
}

/** `file` is another build to be measured instead. */
export function fleche(file: string = BUILT): Adapter {
  return {
    name: 'fleche',
    restores: true,
    ignored: ['.fleche'],
    caches: ['.fleche'],
    *files({ packages, tops }) {
      const head = `[default]\nroot = true\ntasks = ${JSON.stringify(tops)}\n`;
      yield ['fleche.config.toml', [head, ...packages.map(task)].join('\n')];
    },
    find: () => (existsSync(file) ? file : undefined),
    command: (program, _, jobs) => ({
      argv: [process.execPath, program, 'run', '--log', 'quiet', '--jobs', String(jobs)],
    }),
  };
}
