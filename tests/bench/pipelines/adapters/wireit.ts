/** wireit, started as npm would start it but without npm. */
import type { Adapter } from './adapter.ts';

export const wireit: Adapter = {
  name: 'wireit',
  restores: true,
  ignored: ['.wireit'],
  caches: ['.wireit', 'packages/*/.wireit'],
  manifest({ deps, inputs, outputs }, manifest) {
    manifest['scripts'] = { build: 'wireit' };
    const dependencies = deps.map((dep) => `../${dep}:build`);
    const files = inputs.filter((path) => path !== 'package.json');
    manifest['wireit'] = { build: { command: 'sh build.sh', dependencies, files, output: outputs } };
  },
  rootManifest(manifest, { packages }) {
    manifest['scripts'] = { build: 'wireit' };
    manifest['wireit'] = { build: { dependencies: packages.map(({ dir }) => `./${dir}:build`) } };
  },
  find: (peers) => peers.installed('js', ['wireit@0.14'], 'wireit/bin/wireit.js'),
  command: (program, { root }, jobs) => ({
    argv: [process.execPath, program],
    env: {
      WIREIT_PARALLEL: String(jobs),
      WIREIT_LOGGER: 'simple',
      npm_lifecycle_event: 'build',
      npm_package_json: `${root}/package.json`,
    },
  }),
};
