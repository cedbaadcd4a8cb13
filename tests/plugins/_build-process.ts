/**
 * A whole build in a process of its own: `_build-process.ts ROOT CACHE [overtaken]`. The build waits for a file `go`, and
 * says when it has begun; so does the process when it has found nothing in the cache. Prints whether the build was put back.
 * `overtaken`: once it has found nothing another process makes the build before this one goes on.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, watch } from 'node:fs';
import { LocalCache } from '../../core/call/caches/local-cache.ts';
import { cachedBuild } from '../../plugins/build.ts';

const [root = '', folder = '', mode] = process.argv.slice(2);
let isToBeOvertaken = mode === 'overtaken';

class TellingCache extends LocalCache {
  override lookup(key: Parameters<LocalCache['lookup']>[0]): ReturnType<LocalCache['lookup']> {
    const found = super.lookup(key);
    if (found === undefined) console.log('not there');
    if (found === undefined && isToBeOvertaken) {
      isToBeOvertaken = false;
      spawnSync(process.execPath, [...process.execArgv, import.meta.filename, root, folder], { stdio: 'inherit' });
    }
    return found;
  }
}

function gone(): Promise<void> {
  return new Promise((done) => {
    const watcher = watch(root, () => {
      if (!existsSync(`${root}/go`)) return;
      watcher.close();
      done();
    });
    if (existsSync(`${root}/go`)) {
      watcher.close();
      done();
    }
  });
}

const cache = new TellingCache(folder);
const slow = {
  name: 'slow',
  setup: (build: { onStart(act: () => Promise<void>): void }) =>
    build.onStart(async () => {
      appendFileSync(`${root}/builds.txt`, 'built\n');
      console.log('building');
      await gone();
    }),
};
const { restored } = await cachedBuild.esbuild(
  { absWorkingDir: root, entryPoints: ['src/main.ts'], bundle: true, outdir: 'dist', format: 'esm', plugins: [slow] },
  { cache, identity: '1' },
);
await cache.close();
console.log(restored ? 'put back' : 'made');
