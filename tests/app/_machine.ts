/** A machine that is only looked at, and verbs called on projects that are not there. */
import { Interruption } from '../../core/app/cli/interruption.ts';
import { parseInvocation } from '../../core/app/cli/invocation.ts';
import type { Machine, VerbAction } from '../../core/app/cli/verb.ts';
import { VERBS } from '../../core/app/cli/verbs.ts';
import { NO_MANIFEST } from '../../core/app/packages/manifest.ts';
import { Packages } from '../../core/app/packages/packages.ts';
import type { Project } from '../../core/app/project.ts';
import type { AbsPath, RelPath } from '../../core/base/paths.ts';
import type { Engine } from '../../core/graph/engine.ts';
import { TaskGraph } from '../../core/graph/tasks/graph.ts';
import { TestClock } from '../_test-clock.ts';
import { commandTask } from '../graph/_tasks.ts';
import { FakeTerminal } from './_screen.ts';

interface FakeMachine extends Machine {
  readonly stdout: FakeTerminal;
  readonly stderr: FakeTerminal;
  readonly clock: TestClock;
  /** What the interruption ended the process with. */
  readonly exits: number[];
}

export function fakeMachine(more: Partial<Machine> = {}): FakeMachine {
  const exits: number[] = [];
  return {
    cwd: '/',
    env: {},
    cpus: 2,
    interruption: new Interruption((code) => exits.push(code)),
    version: '1.2.3',
    ...more,
    stdout: new FakeTerminal(),
    stderr: new FakeTerminal(),
    clock: new TestClock(),
    exits,
  };
}

/** A project without packages. */
function noPackages(): Packages {
  return new Packages({ ...NO_MANIFEST, name: '//', folder: '.' as RelPath }, []);
}

export interface Told {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly closed: number;
}

/** Calls a verb on tasks (name to needs) whose engine answers as it is told to. */
export async function call(
  action: VerbAction,
  argv: readonly string[],
  needs: Readonly<Record<string, readonly string[]>>,
  engine: Partial<Engine>,
  more: Partial<Project> & { readonly machine?: FakeMachine } = {},
): Promise<Told> {
  const { machine = fakeMachine(), ...rest } = more;
  let closed = 0;
  const project = {
    root: '/' as AbsPath,
    graph: new TaskGraph(
      new Map(Object.entries(needs).map(([name, list]) => [name, commandTask(name, `make ${name}`, { needs: list })])),
    ),
    packages: noPackages(),
    here: undefined,
    defaults: [],
    jobs: undefined,
    engine: () => engine as Engine,
    stores: () => ({ runsFile: undefined }),
    shared: () => undefined,
    now: () => 1_000_000,
    warn: (message: string) => void machine.stderr.write(`${message}\n`),
    close: () => {
      closed++;
      return Promise.resolve();
    },
    ...rest,
  } as Project;
  const invocation = parseInvocation(argv, VERBS);
  const code = await action({ invocation, machine, open: () => Promise.resolve(project) });
  return { code, stdout: machine.stdout.text, stderr: machine.stderr.text, closed };
}
