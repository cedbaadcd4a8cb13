/** Turborepo's native binary, without the Node script that npm puts in front of it. */
import type { Adapter } from './adapter.ts';

export const turbo: Adapter = {
  name: 'turbo',
  restores: true,
  ignored: ['.turbo'],
  caches: ['.turbo', 'node_modules/.cache', 'packages/*/.turbo'],
  *files({ packages: [first] }) {
    const { inputs, outputs } = first ?? {};
    yield ['turbo.json', JSON.stringify({ tasks: { build: { dependsOn: ['^build'], inputs, outputs } } })];
  },
  find(peers) {
    const { platform, arch } = process;
    const system = platform === 'win32' ? 'windows' : platform;
    const name = `@turbo/${system}-${arch === 'x64' ? '64' : arch}`;
    return peers.installed('js', ['turbo@2'], `${name}/bin/turbo${platform === 'win32' ? '.exe' : ''}`);
  },
  command: (program, _, jobs) => ({ argv: [program, 'run', 'build', `--concurrency=${jobs}`] }),
  stop: (program) => [program, 'daemon', 'stop'],
};
