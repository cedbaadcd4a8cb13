/** A project in a folder of its own, opened in this process. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type OpenOptions, openProject, type Project } from '../../core/app/project.ts';
import type { RunReport } from '../../core/graph/tasks/outcome.ts';

export interface Scratch {
  readonly root: string;
  write(files: Readonly<Record<string, string>>): void;
  /** Opens it; what is still open is closed at the end. */
  open(options?: Partial<OpenOptions>): Project;
}

/** Gives a test a project with these files, and removes it afterwards. */
export async function withScratch(
  files: Readonly<Record<string, string>>,
  use: (scratch: Scratch) => void | Promise<void>,
): Promise<void> {
  const base = mkdtempSync(join(tmpdir(), 'fleche-'));
  const root = join(base, 'project');
  const opened: Project[] = [];
  const scratch: Scratch = {
    root,
    write(more) {
      for (const [path, text] of Object.entries(more)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
    },
    open(options) {
      const env = { PATH: process.env['PATH'], HOME: join(base, 'home') };
      const project = openProject({ cwd: root, env, config: undefined, strict: false, warn: () => {}, ...options });
      opened.push(project);
      return project;
    },
  };
  try {
    scratch.write(files);
    await use(scratch);
  } finally {
    for (const project of opened) await project.close().catch(() => {});
    rmSync(base, { recursive: true, force: true });
  }
}

export function run(project: Project, targets: readonly string[] = project.defaults): Promise<RunReport> {
  const signal = new AbortController().signal;
  return project
    .engine()
    .run({ targets, jobs: 1, force: false, frozen: false, keepGoing: false, signal, listener: () => {} });
}

/** What became of each task. */
export async function outcomes(project: Project): Promise<Readonly<Record<string, string>>> {
  const report = await run(project);
  return Object.fromEntries(report.outcomes.map(({ name, outcome }) => [name, outcome]));
}

/** One task that copies a file, one that reads the copy and writes nothing. */
export const COPY: Readonly<Record<string, string>> = {
  'fleche.config.toml': `[default]
root = true
tasks = ["look"]
jobs = 3

[tasks.copy]
run = "mkdir -p out/deep && cp in.txt out/deep/copy.txt"
inputs = ["in.txt"]
outputs = ["out/**"]

[tasks.look]
run = "cat out/deep/copy.txt"
inputs = ["out/deep/**"]
needs = ["copy"]
`,
  'in.txt': 'text\n',
};
