/** A workspace with outputs, for tests. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AbsPath } from '../../core/base/paths.ts';
import { Globs } from '../../core/files/globs/globs.ts';
import { Outputs } from '../../core/files/outputs/outputs.ts';
import type { Captured } from '../../core/files/outputs/written.ts';
import type { Tree } from '../../core/files/trees/tree.ts';
import { CountingState, CountingValues } from './_fakes.ts';
import { contents, inFolder, later, put, type Thing } from './_folder.ts';

export type Things = Readonly<Record<string, Thing>>;

export class Bench {
  readonly root: AbsPath;
  readonly outside: AbsPath;
  readonly state: CountingState = new CountingState();
  readonly values: CountingValues = new CountingValues();
  readonly warnings: string[] = [];
  clock: () => number = later;

  constructor(root: AbsPath, outside: AbsPath) {
    this.root = root;
    this.outside = outside;
  }

  /** A new one each time: nothing is known but what the stores know. */
  get outputs(): Outputs {
    return new Outputs(this.root, this.state, this.values, {
      trashDir: this.trash as AbsPath,
      onWarning: (message) => this.warnings.push(message),
      clock: () => this.clock(),
    });
  }

  get trash(): string {
    return join(this.root, '.fleche/trash');
  }

  /** Everything in the workspace but for the trash. */
  get standing(): Things {
    return Object.fromEntries(Object.entries(contents(this.root)).filter(([path]) => !path.startsWith('.fleche/')));
  }

  /** Everything in the trash, whenever it was moved there. */
  get moved(): Things {
    const all = Object.entries(contents(this.root)).filter(([path]) => path.startsWith('.fleche/trash/'));
    return Object.fromEntries(all.map(([path, thing]) => [path.split('/').slice(3).join('/'), thing]));
  }

  /** A run of a task that writes some things. */
  run(patterns: readonly string[], writes: Things, clean = true): Captured {
    const { outputs } = this;
    const prepared = outputs.prepare('task', new Globs(patterns), clean);
    put(this.root, writes);
    const captured = outputs.capture(prepared);
    outputs.tell();
    return captured;
  }

  restore(patterns: readonly string[], tree: Tree): ReturnType<Outputs['restore']> {
    const { outputs } = this;
    const restored = outputs.restore('task', new Globs(patterns), tree);
    outputs.tell();
    return restored;
  }

  /** What `restore` would put right, as `change path`. */
  check(patterns: readonly string[], tree: Tree): readonly string[] {
    return this.outputs.check('task', new Globs(patterns), tree).map(({ path, change }) => `${change} ${path}`);
  }

  /** Empties the workspace, as a clean checkout has it. */
  wipe(...paths: readonly string[]): void {
    for (const path of paths) rmSync(join(this.root, path), { recursive: true });
  }
}

/** Runs `work` with a new workspace. */
export function withBench(work: (bench: Bench) => void): void {
  inFolder((root, outside) => work(new Bench(root, outside)));
}
