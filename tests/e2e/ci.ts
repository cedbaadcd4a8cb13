/** Jobs of CI services, played through: what one job packs the next one is answered from, on another machine's path. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onSmallDisk } from '../_small-disk.ts';
import { REPOSITORY, type Rig, withRig } from './_rig.ts';

const FILES: Readonly<Record<string, string>> = {
  'fleche.config.toml': `[default]
root = true
tasks = ["use", "other"]

[tasks.gen]
run = "echo gen >>\\"$TEST_LOG\\"; cp in.txt gen.txt"
inputs = ["in.txt"]
outputs = ["gen.txt"]
pass_env = ["TEST_LOG"]

[tasks.use]
run = "echo use >>\\"$TEST_LOG\\"; cat gen.txt gen.txt >use.txt; cat use.txt"
needs = ["gen"]
inputs = ["gen.txt"]
outputs = ["use.txt"]
pass_env = ["TEST_LOG"]

[tasks.other]
run = "echo other >>\\"$TEST_LOG\\"; echo other >other.txt"
inputs = []
outputs = ["other.txt"]
pass_env = ["TEST_LOG"]
`,
  'in.txt': 'in\n',
};
const PUSH = { CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_EVENT_NAME: 'push', GITHUB_REF_PROTECTED: 'true' };

/** A second machine: the same sources at another path, and nothing else. */
async function elsewhere(rig: Rig, use: (other: Rig) => Promise<void>): Promise<void> {
  await withRig(FILES, async (other) => {
    for (const path of ['in.txt', 'fleche.config.toml']) other.write({ [path]: rig.read(path) });
    await use(other);
  });
}

async function ci(rig: Rig, args: readonly string[] = [], env: Readonly<Record<string, string>> = PUSH) {
  const result = await rig.fleche(['ci', ...args], env);
  return { ...result, log: rig.log() };
}

test('what one job packed, the next one, elsewhere, need not run', async () => {
  await withRig(FILES, async (rig) => {
    const pack = join(rig.aside, 'pack');
    const first = await ci(rig);
    assert.is(first.code, 0, first.stderr);
    assert.equal([...first.log].sort(), ['gen', 'other', 'use']);
    assert.match((await rig.fleche(['cache', 'pack', pack])).stdout, /^packed 3 answers into /);
    await elsewhere(rig, async (other) => {
      assert.is((await other.fleche(['cache', 'unpack', pack])).stdout, 'unpacked 3 answers\n');
      const second = await ci(other);
      assert.equal(second.log, []);
      assert.match(second.stdout, /^cache: 3 answers on file$/m);
      assert.is(other.read('use.txt'), 'in\nin\n');
    });
  });
});

test('a pack has what the present files ask for, and replaces the one before; a folder that is no pack is left alone', async () => {
  await withRig(FILES, async (rig) => {
    const pack = join(rig.aside, 'pack');
    await ci(rig);
    await rig.fleche(['cache', 'pack', pack]);
    rig.write({ 'in.txt': 'new\n' });
    await ci(rig);
    assert.match((await rig.fleche(['cache', 'pack', pack])).stdout, /^packed 3 answers/);
    assert.match((await rig.fleche(['cache', 'pack', pack, '--all'])).stdout, /^packed 5 answers/);
    const taken = join(rig.aside, 'home');
    writeFileSync(join(taken, 'mine'), 'mine');
    const { code, stderr } = await rig.fleche(['cache', 'pack', taken]);
    assert.is(code, 3);
    assert.match(stderr, /is there and is no pack/);
    assert.ok(existsSync(join(taken, 'mine')));
  });
});

test('a cache that cannot be used is packed over nothing, and is not found to be sound', async () => {
  await withRig(FILES, async (rig) => {
    const pack = join(rig.aside, 'pack');
    await ci(rig);
    await rig.fleche(['cache', 'pack', pack]);
    rmSync(rig.path('.fleche'), { recursive: true });
    rig.write({ '.fleche': 'no folder' });
    for (const args of [['cache', 'pack', pack], ['cache', 'unpack', pack], ['cache', 'verify'], ['gc']]) {
      const { code, stdout, stderr } = await rig.fleche(args);
      assert.is(code, 4, args.join(' '));
      assert.match(stderr, /^error\[STORE_UNUSABLE\]: the cache in /);
      assert.is(stdout, '');
    }
    rmSync(rig.path('.fleche'));
    assert.is((await rig.fleche(['cache', 'unpack', pack])).stdout, 'unpacked 3 answers\n');
  });
});

test('a pack that is too large for the disk of the cache is not said to be unpacked', () =>
  onSmallDisk(24, (folder) =>
    withRig(FILES, async (rig) => {
      const task = `
[tasks.large]
run = "head -c 30000000 /dev/urandom >large.bin"
inputs = []
outputs = ["large.bin"]
`;
      rig.write({ 'fleche.config.toml': rig.read('fleche.config.toml') + task });
      const pack = join(rig.aside, 'pack');
      await ci(rig, ['large']);
      await rig.fleche(['cache', 'pack', pack]);
      await elsewhere(rig, async (other) => {
        const cache = `cache = "small"\n[caches.small]\ntype = "Lmdb"\nroot = ${JSON.stringify(join(folder, 'cache'))}\n`;
        const text = other.read('fleche.config.toml').replace('root = true\n', `root = true\n${cache}`);
        other.write({ 'fleche.config.toml': text.replace('tasks = ["use", "other"]\n', '') });
        const { code, stderr } = await other.fleche(['cache', 'unpack', pack]);
        assert.is(code, 4, stderr);
        assert.match(stderr, /error\[STORE_UNUSABLE\]: the cache could not be written \(ENOSPC/);
      });
    }),
  ));

test('a pack that finds no room is told, and the one before stays as it was', () =>
  onSmallDisk(2, (folder) =>
    withRig(FILES, async (rig) => {
      const pack = join(folder, 'pack');
      await ci(rig);
      await rig.fleche(['cache', 'pack', pack]);
      assert.throws(() => writeFileSync(join(folder, 'ballast'), Buffer.alloc(3_000_000)), /ENOSPC/);
      const { code, stderr } = await rig.fleche(['cache', 'pack', pack]);
      assert.is(code, 4);
      assert.match(stderr, /^error\[STORE_UNUSABLE\]: the pack ".*" cannot be written: ENOSPC/);
      assert.not(existsSync(`${pack}.new`));
      await elsewhere(rig, async (other) => {
        assert.is((await other.fleche(['cache', 'unpack', pack])).stdout, 'unpacked 3 answers\n');
      });
    }),
  ));

test('a pack in the project is no input of tasks that read everything', async () => {
  await withRig(FILES, async (rig) => {
    rig.write({ 'fleche.config.toml': '[default]\nroot = true\ntasks = ["all"]\n[tasks.all]\nrun = "cat in.txt"\n' });
    await ci(rig);
    await rig.fleche(['cache', 'pack', '.fleche-pack']);
    assert.is(rig.read('.fleche-pack/.gitignore'), '*\n');
    assert.match((await ci(rig)).stdout, /^1 cached/m);
  });
});

test('a pack that was tampered with answers nothing that it should not', async () => {
  await withRig(FILES, async (rig) => {
    const pack = join(rig.aside, 'pack');
    await ci(rig);
    await rig.fleche(['cache', 'pack', pack]);
    const blobs = spawnSync('find', [join(pack, 'values'), '-type', 'f'], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n');
    for (const blob of blobs) writeFileSync(blob, 'poison');
    await elsewhere(rig, async (other) => {
      await other.fleche(['cache', 'unpack', pack]);
      const { code, log } = await ci(other);
      assert.is(code, 0);
      assert.equal([...log].sort(), ['gen', 'other', 'use']);
      assert.is(other.read('use.txt'), 'in\nin\n');
    });
  });
});

test('what the present files do not ask for is pruned; answers are whole before and after', async () => {
  await withRig(FILES, async (rig) => {
    await ci(rig);
    rig.write({ 'in.txt': 'new\n' });
    await ci(rig);
    const verified = async (): Promise<string> => (await rig.fleche(['cache', 'verify'])).stdout;
    assert.match(await verified(), /^5 answers and \d+ values read, all sound\n$/);
    const { stdout } = await rig.fleche(['cache', 'prune', '--dry-run', '--json']);
    assert.equal([JSON.parse(stdout).records, JSON.parse(stdout).dryRun], [2, true]);
    assert.match(await verified(), /^5 answers/);
    // Values of this very moment may be on their way to a record.
    assert.is(
      (await rig.fleche(['cache', 'prune'])).stdout,
      'forgot 2 answers that the present files do not ask for, and 0 values\n',
    );
    assert.match(await verified(), /^3 answers and \d+ values read, all sound\n$/);
    assert.equal((await ci(rig)).log, []);
  });
});

test('a value that is damaged on disk is found, and named with what lacks it', async () => {
  await withRig({ ...FILES, 'in.txt': 'large '.repeat(20_000) }, async (rig) => {
    await ci(rig);
    const [blob = ''] = spawnSync('find', [rig.path('.fleche/cas'), '-type', 'f'], { encoding: 'utf8' }).stdout.split(
      '\n',
    );
    writeFileSync(blob, 'damage');
    const { code, stdout } = await rig.fleche(['cache', 'verify', '--json']);
    const { damaged, incomplete } = JSON.parse(stdout);
    assert.is(code, 1);
    assert.is(damaged.length, 1);
    assert.ok(incomplete.length > 0);
  });
});

test('the parts of a split job run every task, and none but what they need twice', async () => {
  await withRig(FILES, async (rig) => {
    const first = await ci(rig, ['--shard', '1/2']);
    await elsewhere(rig, async (other) => {
      const second = await ci(other, ['--shard', '2/2']);
      assert.equal([...first.log, ...second.log].sort(), ['gen', 'other', 'use']);
      const split = (text: string): string | undefined => / of split (\w+):/.exec(text)?.[1];
      assert.is(split(first.stdout), split(second.stdout));
    });
  });
});

test('a part that has nothing to do is done, and says so', async () => {
  await withRig(FILES, async (rig) => {
    const { code, log, stdout } = await ci(rig, ['--shard', '3/3', '--junit', 'junit.xml']);
    assert.equal([code, log], [0, []]);
    assert.match(stdout, /shard 3\/3 of split \w+: 0 tasks, which leaves this one nothing to do$/m);
    assert.match(stdout, /^nothing to do in /m);
    assert.match(rig.read('junit.xml'), '<testsuite name="fleche" tests="0" failures="0"');
  });
});

test('an answer that a second run does not repeat is found, and the job fails', async () => {
  await withRig(FILES, async (rig) => {
    rig.edit('fleche.config.toml', 'echo other >other.txt', 'date +%N >other.txt');
    await ci(rig);
    const { code, stdout, log } = await ci(rig, ['--verify', '100%']);
    assert.is(code, 1);
    assert.equal([...log].sort(), ['gen', 'other', 'use']);
    assert.match(stdout, /^::warning .*title=other::verified: it makes something else/m);
    assert.not.match(stdout, /title=(gen|use)::verified/);
  });
});

test('a failure is a red job with a note, a page, a JUnit file; the rest goes on', async () => {
  await withRig(FILES, async (rig) => {
    rig.edit('fleche.config.toml', 'cp in.txt gen.txt', 'echo no; exit 4');
    const files = { GITHUB_STEP_SUMMARY: join(rig.aside, 'page.md'), GITHUB_OUTPUT: join(rig.aside, 'output') };
    const { code, stdout, log } = await ci(rig, ['--junit', 'reports/junit.xml'], { ...PUSH, ...files });
    assert.is(code, 1);
    assert.equal([...log].sort(), ['gen', 'other']);
    assert.match(stdout, /^::error file=fleche.config.toml,line=\d+,title=gen exited with code 4::no$/m);
    assert.match(rig.read('reports/junit.xml'), /<failure message="exited with code 4">/);
    assert.match(readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8'), /\| ❌ \| `gen` \| failed \|/);
    assert.match(
      readFileSync(files.GITHUB_OUTPUT, 'utf8'),
      /^ran=1\ncached=0\nfailed=1\nhit-rate=0.000\ntasks=\["other"\]$/m,
    );
  });
});

test('for programs there is a JSON object a line, the part first and the summary last', async () => {
  await withRig(FILES, async (rig) => {
    const { stdout } = await ci(rig, ['--json', '--shard', '1/2']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): { type: string } => JSON.parse(line));
    assert.equal([lines[0]?.type, lines.at(-1)?.type], ['shard', 'summary']);
  });
});

test('with --fail-fast nothing is begun after a failure', async () => {
  await withRig(FILES, async (rig) => {
    rig.edit('fleche.config.toml', 'cp in.txt gen.txt', 'exit 4');
    const { code, log } = await ci(rig, ['--fail-fast', '--jobs', '1', 'use']);
    assert.is(code, 1);
    assert.equal(log, ['gen']);
  });
});

test('a job about a proposed change does what the change can matter to', async () => {
  await withRig(FILES, async (rig) => {
    const git = (...args: readonly string[]): void => {
      const { status, stderr } = spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
        cwd: rig.root,
      });
      assert.is(status, 0, String(stderr));
    };
    rig.write({ '.gitignore': '.fleche\n*.txt\n!in.txt\n' });
    git('init', '-q');
    git('add', '.');
    git('commit', '-qm', 'one');
    git('update-ref', 'refs/remotes/origin/main', 'HEAD');
    rig.write({ 'in.txt': 'changed\n' });
    git('commit', '-qam', 'two');
    const pull = { ...PUSH, GITHUB_EVENT_NAME: 'pull_request', GITHUB_BASE_REF: 'main' };
    const { log, stdout } = await ci(rig, [], pull);
    assert.equal(log, ['gen', 'use']);
    assert.match(stdout, /pull request, not trusted; 1 of 2 tasks affected since origin\/main/);
    const shallow = await ci(rig, [], { ...pull, GITHUB_BASE_REF: 'gone' });
    assert.equal(shallow.log, ['other']);
    assert.match(shallow.stdout, /so everything counts as affected/);
  });
});

test('a shared cache: what a trusted job sent nobody need run; a job about a proposed change reads it and sends nothing', async () => {
  await withRig(FILES, async (rig) => {
    const shared = `
[caches.local]
type = "Lmdb"
root = ".fleche"

[caches.shared]
type = "Directory"
root = ${JSON.stringify(join(rig.aside, 'shared'))}
mode = "read-write"
unsigned = true

[caches.team]
stack = ["local", "shared"]
`;
    const text = rig.read('fleche.config.toml').replace('root = true', 'root = true\ncache = "team"') + shared;
    rig.write({ 'fleche.config.toml': text });
    const pull = { ...PUSH, GITHUB_EVENT_NAME: 'pull_request' };
    const poison = await ci(rig, ['--all'], pull);
    assert.is(poison.code, 0, poison.stdout + poison.stderr);
    assert.match(poison.stdout, /^shared cache shared: 0 answers taken, 0 sent$/m);
    await elsewhere(rig, async (trusted) => {
      const { stdout, log } = await ci(trusted);
      assert.equal([...log].sort(), ['gen', 'other', 'use'], 'nothing of the other job was there');
      assert.match(stdout, /^shared cache shared: 0 answers taken, 3 sent$/m);
    });
    await elsewhere(rig, async (other) => {
      const { stdout, log } = await ci(other, ['--all'], pull);
      assert.equal(log, []);
      assert.match(stdout, /^shared cache shared: 3 answers taken, 0 sent$/m);
      assert.is(other.read('use.txt'), 'in\nin\n');
    });
  });
});

interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Plays the composite action on one machine: the service's cache is a folder, expressions are looked up. */
async function playAction(rig: Rig, service: string, inputs: Readonly<Record<string, string>>): Promise<string> {
  const action = load(readFileSync(join(REPOSITORY, 'plugins/github-action/action.yml'), 'utf8')) as {
    inputs: Record<string, { default?: string }>;
    runs: { steps: Step[] };
  };
  const given = (name: string): string => inputs[name] ?? action.inputs[name]?.default ?? '';
  const expression = (text: string): string =>
    text.replace(/\$\{\{\s*inputs\.([\w-]+)\s*\}\}/g, (_, name: string) => given(name));
  // npx finds the command where an installation puts it.
  mkdirSync(rig.path('node_modules/.bin'), { recursive: true });
  const bin = rig.path('node_modules/.bin/fleche');
  if (!existsSync(bin)) symlinkSync(join(REPOSITORY, 'dist/fleche.cjs'), bin);
  const pack = rig.path(given('pack'));
  let said = '';
  for (const step of action.runs.steps) {
    if (step.if !== undefined && given('save') !== 'true') continue;
    if (step.uses?.startsWith('actions/cache/restore')) {
      if (existsSync(service)) cpSync(service, pack, { recursive: true });
    } else if (step.uses?.startsWith('actions/cache/save')) {
      rmSync(service, { recursive: true, force: true });
      cpSync(pack, service, { recursive: true });
    } else if (step.run !== undefined) {
      const env = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, text]) => [name, expression(text)]));
      const { status, stdout, stderr } = spawnSync('bash', ['-eo', 'pipefail', '-c', step.run], {
        cwd: rig.root,
        encoding: 'utf8',
        env: { ...rig.env(), ...PUSH, ...env },
      });
      assert.is(status, 0, stdout + stderr);
      said += stdout;
    }
  }
  return said;
}

test('the action for GitHub: saved on the default branch, answered everywhere else', async () => {
  await withRig(FILES, async (rig) => {
    const service = join(rig.aside, 'service');
    await playAction(rig, service, { save: 'false' });
    assert.not.ok(existsSync(service), 'a pull request saves nothing');
    assert.match(await playAction(rig, service, { save: 'true' }), /packed 3 answers/);
    rig.log();
    await elsewhere(rig, async (other) => {
      const said = await playAction(other, service, { save: 'false', tasks: 'use', options: '--junit=junit.xml' });
      assert.match(said, /^2 cached /m);
      assert.equal(other.log(), []);
      assert.ok(other.exists('junit.xml'));
    });
  });
});

test('what one job, or one part of a job, keeps does not replace what another one keeps', () => {
  const text = readFileSync(join(REPOSITORY, 'plugins/github-action/action.yml'), 'utf8');
  const keys = text.match(/fleche-1-.*/g) ?? [];
  assert.is(keys.length, 5);
  const one =
    /^fleche-1-\$\{\{ runner.os \}\}-\$\{\{ runner.arch \}\}-\$\{\{ github.job \}\}-\$\{\{ strategy.job-index \}\}-/;
  for (const key of keys) assert.match(key, one);
  const gitlab = readFileSync(join(REPOSITORY, 'plugins/gitlab/fleche.gitlab-ci.yml'), 'utf8');
  const { '.fleche': job } = load(gitlab) as { '.fleche': Job };
  for (const key of [job.cache.key, ...job.cache.fallback_keys]) assert.match(key, /^fleche-1-\$CI_JOB_NAME_SLUG-/);
  assert.is(job.cache.when, 'always');
});

test('no script of the action has anything pasted into it', () => {
  const text = readFileSync(join(REPOSITORY, 'plugins/github-action/action.yml'), 'utf8');
  const { runs } = load(text) as { runs: { steps: Step[] } };
  for (const { run = '' } of runs.steps) assert.not.match(run, /\$\{\{/);
});

/** What is looked at of a job of GitLab. */
interface Job {
  variables: { FLECHE_POLICY: string };
  rules: object[];
  cache: { key: string; fallback_keys: string[]; when: string };
  script: string[];
  after_script: string[];
}

test('the template for GitLab: its script runs, and merge requests keep nothing', async () => {
  const text = readFileSync(join(REPOSITORY, 'plugins/gitlab/fleche.gitlab-ci.yml'), 'utf8');
  const { '.fleche': job } = load(text) as { '.fleche': Job };
  assert.is(job.variables.FLECHE_POLICY, 'pull');
  assert.equal(job.rules[0], { if: '$CI_MERGE_REQUEST_IID' });
  await withRig(FILES, async (rig) => {
    mkdirSync(rig.path('node_modules/.bin'), { recursive: true });
    symlinkSync(join(REPOSITORY, 'dist/fleche.cjs'), rig.path('node_modules/.bin/fleche'));
    const gitlab = { CI: 'true', GITLAB_CI: 'true', CI_COMMIT_REF_PROTECTED: 'true' };
    const play = (lines: readonly string[]): string => {
      const { status, stdout, stderr } = spawnSync('bash', ['-eo', 'pipefail', '-c', lines.join('\n')], {
        cwd: rig.root,
        encoding: 'utf8',
        env: { ...rig.env(), ...gitlab, ...job.variables },
      });
      assert.is(status, 0, stdout + stderr);
      return stdout;
    };
    assert.match(play(job.script), /there is no pack[\s\S]*fleche ci on GitLab CI; protected branch/);
    assert.match(play(job.after_script), /packed 3 answers/);
    assert.ok(rig.exists('fleche-junit.xml'));
  });
});

test.run();
