/** Nx, with its daemon (whose processor time is not counted) and commands that it starts without npm. */
import type { Adapter } from './adapter.ts';

export const nx: Adapter = {
  name: 'nx',
  restores: true,
  ignored: ['.nx'],
  caches: ['.nx'],
  manifest(_, manifest) {
    delete manifest['scripts'];
  },
  *files({ packages }) {
    const own = (packages[0]?.inputs ?? []).map((path) => `{projectRoot}/${path}`);
    const build = { cache: true, dependsOn: ['^build'], inputs: ['own', '^own'] };
    const settings = { analytics: false, neverConnectToCloud: true, namedInputs: { own }, targetDefaults: { build } };
    yield ['nx.json', JSON.stringify(settings)];
    for (const { name, dir } of packages) {
      const build = {
        executor: 'nx:run-commands',
        options: { command: 'sh build.sh', cwd: '{projectRoot}' },
        outputs: ['{projectRoot}/dist'],
      };
      yield [`${dir}/project.json`, JSON.stringify({ name, targets: { build } })];
    }
  },
  find: (peers) => peers.installed('js', ['nx@24'], '.bin/nx'),
  command: (program, _, jobs) => ({
    argv: [program, 'run-many', '-t', 'build', `--parallel=${jobs}`, '--outputStyle=static'],
  }),
  stop: (program) => [program, 'daemon', '--stop'],
};
