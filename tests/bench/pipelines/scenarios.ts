/** What is done to a workspace before a measured run, and which tasks then have to run. */
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dependentsOf, removeOutputs, sourceName, type Workload } from './workload.ts';

export interface Scenario {
  readonly about: string;
  /** Whether it begins with everything up to date. */
  readonly warm: boolean;
  /** Whether a runner must be able to put outputs back without running anything. */
  readonly restores: boolean;
  /** Whether only a declared input changed, and nothing that a task reads. */
  readonly mayBeTraced?: boolean;
  /** `caches` are what the runner keeps (see `Adapter`). */
  prepare(workload: Workload, caches: readonly string[]): void;
  /** Tasks that have to run, and others that a runner without early cutoff may run besides. */
  expected(workload: Workload): { readonly must: readonly string[]; readonly may: readonly string[] };
}

let edits = 0;

function edit(workload: Workload, name: string, file: string): void {
  appendFileSync(join(workload.root, 'packages', name, 'src', file), `edit ${process.pid} ${++edits}\n`);
}

function byDependents(workload: Workload): readonly { readonly name: string; readonly count: number }[] {
  return workload.packages
    .map(({ name }) => ({ name, count: dependentsOf(workload, name).length }))
    .sort((a, b) => a.count - b.count);
}

/** The package with the fewest dependents, but at least one. */
function leafOf(workload: Workload): string {
  return byDependents(workload).find(({ count }) => count > 0)?.name ?? '';
}

/** The package with the most dependents. */
function rootOf(workload: Workload): string {
  return byDependents(workload).at(-1)?.name ?? '';
}

const nothing = { must: [], may: [] };

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  cold: {
    about: 'no cache, no outputs',
    warm: false,
    restores: false,
    prepare(workload, caches) {
      for (const cache of caches) {
        const folders = cache.startsWith('packages/*/') ? workload.packages.map(({ dir }) => dir) : [''];
        const path = cache.replace('packages/*/', '');
        for (const folder of folders) rmSync(join(workload.root, folder, path), { recursive: true, force: true });
      }
      removeOutputs(workload);
    },
    expected: ({ packages }) => ({ must: packages.map(({ name }) => name), may: [] }),
  },
  'no-op': {
    about: 'everything up to date',
    warm: true,
    restores: false,
    prepare() {},
    expected: () => nothing,
  },
  restore: {
    about: 'all outputs deleted',
    warm: true,
    restores: true,
    prepare: removeOutputs,
    expected: () => nothing,
  },
  leaf: {
    about: 'a source edited whose package has few dependents',
    warm: true,
    restores: false,
    prepare: (workload) => edit(workload, leafOf(workload), sourceName(0)),
    expected: (workload) => ({ must: [leafOf(workload), ...dependentsOf(workload, leafOf(workload))], may: [] }),
  },
  cutoff: {
    about: 'an input edited that outputs do not depend on, in the package with the most dependents',
    warm: true,
    restores: false,
    mayBeTraced: true,
    prepare: (workload) => edit(workload, rootOf(workload), 'NOTE.md'),
    expected: (workload) => ({ must: [rootOf(workload)], may: dependentsOf(workload, rootOf(workload)) }),
  },
};
