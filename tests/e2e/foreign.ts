/** One nginx serves fleche and a foreign client of the same layout: ccache. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isDigest, sha256 } from '../../core/base/hash.ts';
import { DirectoryRemote } from '../../core/store/remote/directory-remote.ts';
import { inNewFolder } from '../_new-folder.ts';
import { testWith, WRITER, withNginx } from '../store/remote/_servers.ts';
import { withRig } from './_rig.ts';

const CONFIG = (url: string): string => `[default]
root = true
tasks = ["copy"]
cache = "team"

[caches.local]
type = "Lmdb"

[caches.shared]
type = "Http"
url = "${url}"
mode = "read-write"
token_env = "TEST_TOKEN"
unsigned = true

[caches.team]
stack = ["local", "shared"]

[tasks.copy]
run = "cat in.txt in.txt > out.txt"
inputs = ["in.txt"]
outputs = ["out.txt"]
`;

/** Compiles on a machine with a cache of its own; what ccache counts. */
function compile(folder: string, url: string): string {
  const env = {
    PATH: process.env['PATH'],
    CCACHE_DIR: mkdtempSync(join(folder, 'ccache-')),
    CCACHE_REMOTE_STORAGE: `${url}|layout=bazel|bearer-token=${WRITER}`,
    CCACHE_NODIRECT: '1',
    LC_ALL: 'C',
  };
  const options = { cwd: folder, env, encoding: 'utf8' } as const;
  const compiled = spawnSync('ccache', ['gcc', '-c', 'main.c', '-o', 'main.o'], options);
  assert.is(compiled.status, 0, compiled.stderr);
  return spawnSync('ccache', ['--print-stats'], options).stdout;
}

function count(stats: string, name: string): number {
  return Number(new RegExp(`^${name}\\t(\\d+)$`, 'm').exec(stats)?.[1] ?? Number.NaN);
}

testWith(['nginx', 'ccache', 'gcc'], 'ccache and fleche share one nginx, and each finds what is its own', () =>
  withNginx(async ({ url, data }) => {
    const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
    try {
      writeFileSync(join(folder, 'main.c'), 'int main(void) { return 0; }\n');
      assert.is(count(compile(folder, url), 'cache_miss'), 1);
      const first = readdirSync(join(data, 'ac'), { recursive: true, encoding: 'utf8' }).length;
      assert.ok(first > 0);

      const files = { 'fleche.config.toml': CONFIG(url), 'in.txt': 'x'.repeat(100_000) };
      const job = { TEST_TOKEN: WRITER };
      await withRig(files, async (here) => {
        assert.equal((await here.run([], job)).outcomes, { copy: 'ran' });
      });
      await withRig(files, async (there) => {
        const run = await there.run([], job);
        assert.equal([run.outcomes, run.stderr], [{ copy: 'cached' }, '']);
        assert.is(there.read('out.txt').length, 200_000);
      });

      const again = compile(folder, url);
      assert.equal([count(again, 'cache_miss'), count(again, 'remote_storage_hit')], [0, 1], again);
      // What is called by its content is its content, whoever put it there.
      assert.ok(existsSync(join(data, 'cas')));
      const store = new DirectoryRemote({ root: data, namespace: '', now: Date.now });
      for (const path of readdirSync(join(data, 'cas'), { recursive: true, encoding: 'utf8' })) {
        const digest = path.slice(-64);
        if (!isDigest(digest)) continue;
        assert.is(sha256((await store.get(digest, { limit: 1e9 })) ?? ''), digest);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }),
);

test("what is not fleche's under a key is no answer", () =>
  inNewFolder(async (folder) => {
    const lines = CONFIG('').replace('type = "Http"\nurl = ""', `type = "Directory"\nroot = ${JSON.stringify(folder)}`);
    const files = { 'fleche.config.toml': lines.replace('token_env = "TEST_TOKEN"\n', ''), 'in.txt': 'x' };
    await withRig(files, async (here) => {
      const { key } = (await here.run()).tasks['copy'] ?? {};
      writeFileSync(join(folder, 'ac', `${key}`.slice(0, 2), `${key}`), 'an entry of another program');
      here.remove('.fleche', 'out.txt');
      const again = await here.run();
      assert.equal(again.outcomes, { copy: 'ran' });
      assert.match(again.stderr, '1 not decodable');
    });
  }));

test.run();
