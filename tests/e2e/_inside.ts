/** Runs of a history within this process: the whole program but for its command line. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openProject } from '../../core/app/project.ts';
import type { OutcomeKind } from '../../core/graph/tasks/outcome.ts';
import { openLmdb } from '../../core/store/lmdb/lmdb.ts';
import type { Driver, RunEnd, RunOptions } from './_driver.ts';

export class Inside implements Driver {
  readonly isWatch = false;
  readonly root: string;
  readonly logFile: string;
  readonly configure: (text: string) => string;

  /** `name` is that of the workspace in `base`, `configure` adds to the configuration. */
  constructor(base: string, name = 'project', configure = (text: string): string => text) {
    this.root = join(base, name);
    this.logFile = join(base, `${name}.log`);
    this.configure = configure;
    mkdirSync(this.root);
    writeFileSync(this.logFile, '');
  }

  async run({ jobs, target, force = false, level, abortAfter }: RunOptions): Promise<RunEnd> {
    const told: string[] = [];
    const project = openProject({
      cwd: this.root,
      env: this.env(level),
      config: undefined,
      strict: false,
      warn: (text) => told.push(text),
    });
    const printed: Record<string, string> = {};
    const controller = new AbortController();
    const timer = abortAfter === undefined ? undefined : setTimeout(() => controller.abort(), abortAfter);
    try {
      const { outcomes } = await project.engine().run({
        targets: target === undefined ? project.graph.names : [target],
        jobs,
        force,
        frozen: false,
        keepGoing: true,
        signal: controller.signal,
        listener(event) {
          if (event.type === 'output')
            printed[event.name] = (printed[event.name] ?? '') + Buffer.from(event.chunk).toString();
          if (event.type === 'warning') told.push(`${event.name}: ${event.message}`);
          if (event.type === 'done') told.push(JSON.stringify(event.outcome));
        },
      });
      return {
        outcomes: Object.fromEntries(outcomes.map(({ name, outcome }): [string, OutcomeKind] => [name, outcome])),
        printed,
        told: told.join('\n'),
      };
    } finally {
      clearTimeout(timer);
      await project.close();
    }
  }

  protected env(level: string | undefined): Record<string, string | undefined> {
    return { PATH: process.env['PATH'], LC_ALL: 'C', TEST_LOG: this.logFile, LEVEL: level };
  }

  readonly halve: Driver['halve'] = halve;

  note(): void {}

  rest(_level: string | undefined): Promise<void> {
    return Promise.resolve();
  }

  later(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  isAtWork(): boolean {
    return false;
  }
}

/** Removes some of the blobs that are on file, as a disk may. */
export async function halve(root: string, isGone: (digest: string) => boolean): Promise<void> {
  const stores = openLmdb(join(root, '.fleche'), { onTrouble: () => {} });
  for (const { digest } of [...stores.values.list()]) if (isGone(digest)) stores.values.delete(digest);
  await stores.close();
}
