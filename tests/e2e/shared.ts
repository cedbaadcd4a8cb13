/** Checkouts of one project, at other paths, that share a cache: the program and the servers are the real ones. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recordPackKeys } from '../../core/store/remote/record-pack.ts';
import { keyPair } from '../call/shared/_tiers.ts';
import { freePort, READER, REDIS_PASSWORD, testWith, WRITER, withNginx, withRedis } from '../store/remote/_servers.ts';
import { type Rig, withRig } from './_rig.ts';
import { folderLines, sharing } from './_sharing.ts';

const KEYS = keyPair();
const STRANGER = keyPair();

/** A pipeline of three tasks, one of them with many outputs, that uses the shared cache described by `lines`. */
function project(lines: readonly string[]): Readonly<Record<string, string>> {
  return {
    'fleche.config.toml': `[default]
root = true
tasks = ["pack"]
cache = "team"

${sharing(lines)}
[tasks.many]
run = "node many.mjs && echo made >> $TEST_LOG"
inputs = ["many.mjs"]
outputs = ["out/**"]
pass_env = ["TEST_LOG"]

[tasks.count]
call = "./count.mjs#count"
args = { made = { from = "many" } }

[tasks.pack]
run = "cat out/f1.txt out/deep/run.sh > packed.txt && echo packed && echo packed >> $TEST_LOG"
inputs = ["out/**"]
outputs = ["packed.txt"]
needs = ["many", "count"]
pass_env = ["TEST_LOG"]
`,
    'many.mjs': `import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
mkdirSync('out/deep', { recursive: true });
mkdirSync('out/empty');
for (let at = 0; at < 200; at++) writeFileSync('out/f' + at + '.txt', ('line ' + at + '\\n').repeat(at * 3));
writeFileSync('out/big.bin', Buffer.alloc(6_000_000, 'x'));
writeFileSync('out/deep/run.sh', '#!/bin/sh\\n', { mode: 0o755 });
symlinkSync('../f1.txt', 'out/deep/link');
`,
    'count.mjs': 'export const count = (args) => ({ entries: Object.keys(args).length });\n',
  };
}

const publicLine = ({ publicKey }: { readonly publicKey: string }): string =>
  publicKey.replace(/-----[A-Z ]+-----|\n/g, '');

function httpLines(url: string, more: readonly string[] = []): readonly string[] {
  return [
    'type = "Http"',
    `url = "${url}"`,
    'namespace = "trusted"',
    'namespace_env = "TEST_NAMESPACE"',
    'mode = "read-write"',
    // The machine may be busy with other tests.
    'connect_timeout = "30s"',
    'timeout = "60s"',
    'token_env = "TEST_TOKEN"',
    'signing_key_env = "TEST_SIGNING_KEY"',
    `public_keys = ["${publicLine(KEYS)}"]`,
    ...more,
  ];
}

/** The environment of a job that may write, of one that may only read, and of one of a pull request. */
const TRUSTED_JOB = { TEST_TOKEN: WRITER, TEST_SIGNING_KEY: KEYS.privateKey };
const DEVELOPER = { TEST_TOKEN: READER, TEST_SIGNING_KEY: undefined };

const ALL_RAN = { many: 'ran', count: 'ran', pack: 'ran' };
const ALL_CACHED = { many: 'cached', count: 'cached', pack: 'cached' };

/** Two checkouts of a project. */
async function checkouts(
  files: Readonly<Record<string, string>>,
  use: (here: Rig, there: Rig) => Promise<void>,
): Promise<void> {
  await withRig(files, (here) => withRig(files, (there) => use(here, there)));
}

testWith(
  ['nginx'],
  'what one checkout made is a hit in another at another path: files, modes, links, values, output',
  () =>
    withNginx(({ url }) =>
      checkouts(project(httpLines(url)), async (here, there) => {
        const first = await here.run([], TRUSTED_JOB);
        assert.equal([first.code, first.outcomes], [0, ALL_RAN], first.stderr);
        const second = await there.run([], DEVELOPER);
        assert.equal([second.code, second.outcomes], [0, ALL_CACHED], second.stderr);
        assert.equal(second.log, []);
        assert.equal(there.snapshot(), here.snapshot());
        assert.is(second.summary?.shared, 3);
        assert.is(second.tasks['many']?.shared, 'shared');
        assert.is(second.stderr, '');
        // What came is on file here now: nothing is asked for again, and the server may be gone.
        const third = await there.run([], { ...DEVELOPER, FLECHE_SHARED_MODE: 'off' });
        assert.equal([third.outcomes, third.summary?.shared], [ALL_CACHED, undefined]);
        there.remove('out', 'packed.txt');
        assert.equal((await there.run([], { FLECHE_SHARED_MODE: 'off' })).outcomes, ALL_CACHED);
        assert.equal(there.snapshot(), here.snapshot());
      }),
    ),
);

testWith(['nginx'], 'an edit in one checkout makes only what follows from it, and that is a hit in the other', () =>
  withNginx(({ url }) =>
    checkouts(project(httpLines(url)), async (here, there) => {
      await here.run([], TRUSTED_JOB);
      await there.run([], DEVELOPER);
      here.edit('many.mjs', "'line '", "'Line '");
      assert.equal((await here.run([], TRUSTED_JOB)).outcomes, ALL_RAN);
      there.edit('many.mjs', "'line '", "'Line '");
      assert.equal((await there.run([], DEVELOPER)).outcomes, ALL_CACHED);
      assert.equal(there.snapshot(), here.snapshot());
      const why = await there.fleche(['why', 'many'], DEVELOPER);
      assert.is(why.code, 0, why.stderr);
    }),
  ),
);

testWith(['nginx'], 'what was invalidated here does not come back, and is found again by who forgets all', () =>
  withNginx(({ url }) =>
    checkouts(project(httpLines(url)), async (here, there) => {
      await here.run([], TRUSTED_JOB);
      await there.run([], DEVELOPER);
      assert.is((await there.fleche(['invalidate', 'many'], DEVELOPER)).code, 0);
      assert.equal((await there.run([], DEVELOPER)).outcomes['many'], 'ran');
      there.remove('.fleche', 'out', 'packed.txt');
      assert.equal((await there.run([], DEVELOPER)).outcomes, ALL_CACHED);
    }),
  ),
);

testWith(['nginx'], 'who has no key to sign with writes nothing, and is told nothing about it', () =>
  withNginx(({ url, data }) =>
    checkouts(project(httpLines(url)), async (here) => {
      const run = await here.run([], { TEST_TOKEN: WRITER, TEST_SIGNING_KEY: '' });
      assert.equal([run.code, run.outcomes, run.stderr], [0, ALL_RAN, '']);
      assert.equal(readdirSync(data), ['.tmp']);
    }),
  ),
);

testWith(['nginx'], 'who may not write is refused by the server: one word, and a green run', () =>
  withNginx(({ url, data }) =>
    checkouts(project(httpLines(url)), async (here) => {
      const run = await here.run([], { ...TRUSTED_JOB, TEST_TOKEN: READER });
      assert.equal([run.code, run.outcomes], [0, ALL_RAN]);
      assert.is(run.stderr.split('refused').length, 2, run.stderr);
      assert.not.match(run.stderr, READER);
      assert.equal(readdirSync(data), ['.tmp']);
    }),
  ),
);

testWith(['nginx'], 'a pull request cannot poison what trusted jobs read, not even under the right key', () =>
  withNginx(({ url }) =>
    checkouts(project(httpLines(url)), async (pull, main) => {
      const poisoned = { TEST_TOKEN: READER, TEST_SIGNING_KEY: STRANGER.privateKey, TEST_NAMESPACE: 'pr/17' };
      assert.equal((await pull.run([], poisoned)).outcomes, ALL_RAN);
      const trusted = await main.run([], TRUSTED_JOB);
      assert.equal(trusted.outcomes, ALL_RAN);
      // With the token of a trusted job, but not its key: it is there, and nobody believes it.
      main.remove('.fleche', 'out', 'packed.txt');
      pull.remove('.fleche', 'out', 'packed.txt');
      await pull.run(['--force'], { TEST_TOKEN: WRITER, TEST_SIGNING_KEY: STRANGER.privateKey });
      const again = await main.run([], TRUSTED_JOB);
      assert.equal([again.code, again.outcomes], [0, ALL_RAN]);
      assert.match(again.stderr, '3 answers that were not believed: 3 unknown key');
    }),
  ),
);

testWith(['nginx'], 'a server that goes away in the middle of a run changes nothing but the time it takes', () =>
  withNginx(({ url, kill }) =>
    checkouts(project(httpLines(url)), async (here, there) => {
      await here.run([], TRUSTED_JOB);
      const child = there.run(['--log=stream'], DEVELOPER);
      await kill();
      const run = await child;
      assert.is(run.code, 0, run.stderr);
      assert.equal(there.snapshot()['packed.txt'], here.snapshot()['packed.txt']);
      await withRig(project(httpLines(url)), async (third) => {
        const later = await third.run([], DEVELOPER);
        assert.equal([later.code, later.outcomes], [0, ALL_RAN]);
        assert.is(later.stderr.split('going on without it').length, 2, later.stderr);
      });
    }),
  ),
);

test('a server that is not there is one word; if it is required, or under --strict, it is an error', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  await withRig(project(httpLines(url)), async (rig) => {
    const run = await rig.run([], TRUSTED_JOB);
    assert.equal([run.code, run.outcomes], [0, ALL_RAN]);
    assert.is(run.stderr.split('ECONNREFUSED').length, 2, run.stderr);
    const strict = await rig.fleche(['run', '--force', '--strict'], TRUSTED_JOB);
    assert.is(strict.code, 4, strict.stderr);
    const doctor = await rig.fleche(['doctor'], TRUSTED_JOB);
    assert.is(doctor.code, 1);
    assert.match(doctor.stdout, 'does not answer');
    assert.not.match(doctor.stdout + strict.stderr, WRITER);
  });
  await withRig(project(httpLines(url, ['require = true'])), async (rig) => {
    const run = await rig.fleche(['run'], TRUSTED_JOB);
    assert.is(run.code, 4, run.stderr);
    assert.match(run.stderr, 'required');
  });
});

testWith(['nginx'], 'doctor says that it answers; plan says what a run would do', () =>
  withNginx(({ url }) =>
    checkouts(project(httpLines(url)), async (here, there) => {
      await here.run([], TRUSTED_JOB);
      const doctor = await there.fleche(['doctor'], DEVELOPER);
      assert.match(doctor.stdout, /shared "shared" \(http:\S+\/trusted\): only read, answers/);
      assert.is(doctor.code, 0, doctor.stdout);
      const plan = await there.fleche(['plan', '--json'], DEVELOPER);
      assert.match(plan.stdout, '"ran":0,"cached":3');
      assert.is(there.exists('out'), false);
    }),
  ),
);

testWith(['redis-server'], 'redis: what one checkout made is a hit in another; what was evicted is made again', () =>
  withRedis(({ url, admin }) => {
    const lines = [
      'type = "Redis"',
      `url = "${url}"`,
      'mode = "read-write"',
      'connect_timeout = "30s"',
      'timeout = "60s"',
      'token_helper = "printf %s \\"$TEST_TOKEN\\""',
      'unsigned = true',
    ];
    return checkouts(project(lines), async (here, there) => {
      const job = { TEST_TOKEN: `default:${REDIS_PASSWORD}` };
      await here.run([], job);
      const hit = await there.run([], { TEST_TOKEN: `reader:${READER}` });
      assert.equal([hit.code, hit.outcomes], [0, ALL_CACHED], hit.stderr);
      assert.equal(there.snapshot(), here.snapshot());
      const blobs = admin('--raw', 'KEYS', 'c:*').split('\n');
      assert.ok(blobs.length > 0);
      admin('DEL', ...blobs);
      there.remove('.fleche', 'out', 'packed.txt');
      const again = await there.run([], job);
      assert.equal([again.code, again.outcomes['many']], [0, 'ran']);
      assert.equal(there.snapshot(), here.snapshot());
    });
  }),
);

/** The lines of a cache in a folder that everybody writes. */
async function withSharedFolder(use: (lines: readonly string[], root: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'fleche-'));
  try {
    await use(folderLines(root), root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const ALONE = { FLECHE_SHARED_MODE: 'off' };

/** A command that says in a depfile what it read, from its own folder on, as compilers do. */
const DISCOVERING = {
  'compile.mjs': `import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
appendFileSync(process.env.TEST_LOG, 'compile\\n');
mkdirSync('build', { recursive: true });
const header = JSON.parse(readFileSync('src/main.c', 'utf8')).include;
writeFileSync('build/app', readFileSync(header, 'utf8'));
writeFileSync('build/app.d', 'build/app: ' + resolve('src/main.c') + ' ' + resolve(header) + '\\n');
`,
  'src/main.c': '{ "include": "src/one.h" }',
  'src/one.h': 'one',
};

test('what a compiler says that it read is a question that an empty store can ask', () =>
  withSharedFolder((lines) => {
    const config = `[default]
root = true
tasks = ["app"]
cache = "team"
${sharing(lines)}
[tasks.app]
run = "node compile.mjs"
inputs = ["compile.mjs", "src/main.c"]
outputs = ["build/app"]
discovered = { depfile = "build/app.d" }
pass_env = ["TEST_LOG"]
`;
    return checkouts({ ...DISCOVERING, 'fleche.config.toml': config }, async (here, there) => {
      assert.equal((await here.run()).outcomes, { app: 'ran' });
      const second = await there.run();
      assert.equal([second.outcomes, second.log, second.stderr], [{ app: 'cached' }, [], '']);
      assert.is(there.read('build/app'), 'one');
      there.edit('src/one.h', 'one', 'two');
      assert.equal((await there.run()).log, ['compile']);
      here.edit('src/one.h', 'one', 'two');
      assert.equal((await here.run()).outcomes, { app: 'cached' });
      assert.is(here.read('build/app'), 'two');
      // An answer that was made while nothing was shared is found too once it is pushed.
      here.edit('src/one.h', 'two', 'three');
      await here.run([], ALONE);
      assert.is((await here.fleche(['cache', 'push'])).code, 0);
      there.edit('src/one.h', 'two', 'three');
      there.remove('.fleche');
      assert.equal((await there.run()).outcomes, { app: 'cached' });
    });
  }));

test('cache push sends what is on file and not shared, and cache pull fetches without restoring', () =>
  withSharedFolder((lines, root) =>
    checkouts(project(lines), async (here, there) => {
      const asked = async (rig: Rig, word: string): Promise<Record<string, unknown>> => {
        const { code, stdout, stderr } = await rig.fleche(['cache', word, '--json']);
        assert.is(code, 0, stderr);
        return JSON.parse(stdout) as Record<string, unknown>;
      };
      assert.equal(await asked(there, 'pull'), {
        ...{ type: 'cache', action: 'pull', answers: 0, fetched: 0 },
        ...{ absent: ['many', 'count', 'pack'], incomplete: [], bytes: 0 },
      });
      await here.run([], ALONE);
      const first = await asked(here, 'push');
      const [team] = first['caches'] as readonly Record<string, unknown>[];
      assert.equal([first['answers'], team?.['sent'], team?.['there'], team?.['failed']], [3, 3, 0, 0]);
      const [again] = (await asked(here, 'push'))['caches'] as readonly Record<string, unknown>[];
      assert.equal([again?.['sent'], again?.['there']], [0, 3]);
      const blobs = readdirSync(join(root, 'cas'), { recursive: true, withFileTypes: true }).filter((one) =>
        one.isFile(),
      );
      const [blob] = blobs;
      rmSync(join(blob?.parentPath ?? '', blob?.name ?? ''));
      const [repaired] = (await asked(here, 'push'))['caches'] as readonly Record<string, unknown>[];
      assert.equal([repaired?.['sent'], repaired?.['there']], [1, 2]);

      const pulled = await asked(there, 'pull');
      assert.equal([pulled['answers'], pulled['fetched'], pulled['incomplete']], [3, 3, []]);
      assert.is(there.exists('out'), false);
      const run = await there.run([], ALONE);
      assert.equal([run.outcomes, run.log], [ALL_CACHED, []]);
      assert.equal(there.snapshot(), here.snapshot());
      const nobody = await there.fleche(['cache', 'push'], { FLECHE_SHARED_MODE: 'read' });
      assert.is(nobody.code, 3);
      assert.match(nobody.stderr, 'no shared cache may be written here');
    }),
  ));

test('answers of many tasks come in a record pack alone, for a run and for cache pull, and cache push makes it', () =>
  withSharedFolder((lines, root) => {
    const names = Array.from({ length: 20 }, (_, at) => `copy${at}`);
    const config = `[default]
root = true
tasks = ${JSON.stringify(names)}
cache = "team"
${sharing(lines)}
${names.map((name) => `[tasks.${name}]\nrun = "echo ${name} > ${name}.txt"\ninputs = []\noutputs = ["${name}.txt"]\n`).join('')}`;
    const cached = Object.fromEntries(names.map((name) => [name, 'cached']));
    return checkouts({ 'fleche.config.toml': config }, async (here, there) => {
      await here.run([], ALONE);
      assert.is((await here.fleche(['cache', 'push'])).code, 0);
      const packs = new Set<string>(recordPackKeys(names));
      for (const one of readdirSync(join(root, 'ac'), { recursive: true, withFileTypes: true })) {
        if (one.isFile() && !packs.delete(one.name)) rmSync(join(one.parentPath, one.name));
      }
      assert.is(packs.size, 0);
      const read = { FLECHE_SHARED_MODE: 'read' };
      const run = await there.run([], read);
      assert.equal([run.outcomes, run.stderr], [cached, '']);
      assert.equal(there.snapshot(), here.snapshot());
      there.remove('.fleche');
      const pulled = await there.fleche(['cache', 'pull', '--json'], read);
      assert.is((JSON.parse(pulled.stdout) as { fetched: number }).fetched, names.length);
      assert.is((await there.fleche(['cache', 'verify'], read)).code, 0);
    });
  }));

test('cache purge empties the own cache, and with --shared the own part of the shared one', () =>
  withSharedFolder((lines, root) =>
    checkouts(project(lines), async (here, there) => {
      await here.run();
      const unasked = await here.fleche(['cache', 'purge']);
      assert.equal([unasked.code, /nobody to ask/.test(unasked.stderr)], [3, true]);
      const dry = await here.fleche(['cache', 'purge', '--dry-run', '--json']);
      assert.is((JSON.parse(dry.stdout) as { records: number }).records, 3);
      assert.equal((await here.run([], ALONE)).outcomes, ALL_CACHED);
      const local = await here.fleche(['cache', 'purge', '--yes']);
      assert.equal([local.code, /^removed 3 answers/.test(local.stdout)], [0, true], local.stdout);
      assert.is((await here.fleche(['plan'], ALONE)).stdout.includes('cached'), false);
      assert.equal((await here.run()).outcomes, ALL_CACHED);
      const shared = await here.fleche(['cache', 'purge', '--shared', '-y']);
      assert.equal([shared.code, shared.stdout], [0, 'shared emptied\n']);
      assert.equal(readdirSync(root), []);
      assert.equal((await there.run([], { FLECHE_SHARED_MODE: 'read' })).outcomes, ALL_RAN);
    }),
  ));

test('directory: checkouts share a folder; damage there is never taken for content', () =>
  withSharedFolder((lines, root) =>
    checkouts(project(lines), async (here, there) => {
      await here.run();
      assert.equal((await there.run()).outcomes, ALL_CACHED);
      assert.equal(there.snapshot(), here.snapshot());
      const cas = join(root, 'cas');
      for (const path of readdirSync(cas, { recursive: true, encoding: 'utf8' })) {
        if (!/[0-9a-f]{64}$/.test(path)) continue;
        const bytes = readFileSync(join(cas, path));
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
        writeFileSync(join(cas, path), bytes);
      }
      there.remove('.fleche', 'out', 'packed.txt');
      const again = await there.run();
      assert.equal([again.code, again.outcomes['many']], [0, 'ran'], again.stderr);
      assert.equal(there.snapshot(), here.snapshot());
    }),
  ));

test.run();
