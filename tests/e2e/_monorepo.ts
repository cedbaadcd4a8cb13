/** The shop of fixtures/monorepo, with its packages linked to each other as npm does it. */
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import type { Rig } from './_rig.ts';

const FOLDERS = ['packages', 'apps'];

/** Copies the shop and links, in each package, the packages that its manifest names. */
export function openShop(rig: Rig): void {
  rig.copy('fixtures/monorepo');
  const folders = new Map<string, string>();
  for (const folder of FOLDERS.flatMap((top) => readdirSync(rig.path(top)).map((name) => `${top}/${name}`))) {
    folders.set(String(JSON.parse(rig.read(`${folder}/package.json`)).name), folder);
  }
  for (const folder of folders.values()) {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(rig.read(`${folder}/package.json`));
    for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
      const target = folders.get(name);
      if (target === undefined) continue;
      const link = rig.path(folder, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(relative(dirname(link), rig.path(target)), link, 'junction');
    }
  }
}

/** Short names of the tasks in a list of outcomes that came out one way, sorted. */
export function those(outcomes: Readonly<Record<string, string>>, outcome: string): readonly string[] {
  const names = Object.keys(outcomes).filter((name) => outcomes[name] === outcome);
  return names.map((name) => name.replace('@shop/', '')).sort();
}
