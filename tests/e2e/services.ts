/** Services of the built program: Ctrl-C, kill -9, and what a person sees. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ended, isAlive, until, withRig } from './_rig.ts';

const SERVER = `import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
createServer().listen(0, '127.0.0.1', () => {
  writeFileSync('server.pid', String(process.pid));
  console.log('listening');
});
`;

const FILES = {
  'server.mjs': SERVER,
  'fleche.config.toml': `[default]
root = true
tasks = ["test"]

[tasks.server]
run = "node server.mjs"
inputs = ["server.mjs"]
persistent = true
ready = { log = "listening", timeout = "60s" }

[tasks.test]
run = "node -e 'require(\\"node:fs\\").writeFileSync(\\"using\\", \\"\\"); setTimeout(() => {}, Number(process.env.MS))'"
needs = ["server"]
pass_env = ["MS"]
`,
};

test('a run that is killed leaves its services to the next one, which ends them', async () => {
  await withRig(FILES, async (rig) => {
    const child = rig.start(['run', '--json'], { MS: '60000' });
    const end = ended(child);
    await until(() => rig.exists('using'), 'the task runs');
    const pid = Number(readFileSync(rig.path('server.pid'), 'utf8'));
    child.kill('SIGKILL');
    await end;
    assert.is(isAlive(pid), true, 'nobody is left to end it');
    const after = await rig.run(['server', '--frozen']);
    assert.is(after.code, 2, after.stderr);
    assert.is(isAlive(pid), false);
  });
});

test('a service that is wanted shows what it prints, and Ctrl-C ends it', async () => {
  await withRig(FILES, async (rig) => {
    const child = rig.start(['run', 'server']);
    const end = ended(child);
    let shown = '';
    child.stdout?.on('data', (chunk) => (shown += chunk));
    await until(() => shown.includes('listening'), 'it shows what the service prints');
    const pid = Number(rig.read('server.pid'));
    child.kill('SIGINT');
    const { code, stdout } = await end;
    assert.is(code, 130);
    assert.match(stdout, /^server │ listening\n✓ server {2}ran .* never cached\n/);
    assert.is(isAlive(pid), false);
  });
});

test.run();
