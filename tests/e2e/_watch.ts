/** The built program in watch mode, and what it tells as JSON lines. Nothing waits for time to pass. */
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Ended, ended } from './_rig.ts';

/** A line that has not come by then never does, ms. */
const LOST = 30_000;

/** One JSON line; which members there are depends on `type`. */
export interface Line {
  readonly type: string;
  readonly name?: string;
  readonly outcome?: string;
  readonly number?: number;
  readonly told?: readonly string[];
  readonly paths?: readonly string[];
  readonly message?: string;
  readonly passes?: number;
  readonly loops?: readonly { readonly task: string; readonly path: string }[];
}

export class WatchProcess {
  readonly lines: Line[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  #stderr = '';
  #seen = 0;
  #wake: () => void = () => {};

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = ended(child);
    if (child.stdout === null || child.stderr === null) throw new Error('its output is not piped');
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(JSON.parse(line));
      this.#wake();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
      this.#wake();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The next line that is wanted, after the last one that was given. */
  next(isWanted: (line: Line) => boolean): Promise<Line> {
    return this.#when('a line', () => {
      while (this.#seen < this.lines.length) {
        const line = this.lines[this.#seen++];
        if (line !== undefined && isWanted(line)) return line;
      }
      return undefined;
    });
  }

  /** Waits until the first round is over and nothing is missed any more. */
  async ready(): Promise<void> {
    const isTold = (wanted: string): boolean => this.lines.some(({ type }) => type === wanted);
    await this.#when('the first round', () => (isTold('watching') && isTold('rested') ? true : undefined));
    this.#seen = this.lines.length;
  }

  /** The end of the next round that tells of a task. */
  rested(task: string): Promise<Line> {
    return this.next(({ type, told }) => type === 'rested' && told?.includes(task) === true);
  }

  /** Waits until standard error has a text, which is then forgotten. */
  async complains(text: RegExp): Promise<void> {
    await this.#when(`${text}`, () => (text.test(this.#stderr) ? true : undefined));
    this.#stderr = '';
  }

  #when<T>(what: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const give = (): void => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        this.#wake = () => {};
        resolve(found);
      };
      const timer = setTimeout(() => {
        const told = this.lines.slice(-20).map((line) => JSON.stringify(line));
        reject(new Error(`waited in vain for ${what}\n${told.join('\n')}\n${this.#stderr}`));
      }, LOST);
      this.#wake = give;
      give();
    });
  }

  /** What the process has, where the system tells: memory in MB, open files, watches, and children. */
  use(): { readonly memory: number; readonly files: number; readonly watches: number; readonly children: number } {
    const at = `/proc/${this.pid}`;
    const files = readdirSync(`${at}/fd`);
    const watches = files.flatMap((fd) => watchesOf(`${at}/fdinfo/${fd}`)).length;
    const children = readdirSync(`${at}/task`).flatMap((thread) =>
      readFileSync(`${at}/task/${thread}/children`, 'utf8')
        .split(' ')
        .filter((pid) => pid !== ''),
    );
    const memory = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`${at}/status`, 'utf8'))?.[1]) / 1024;
    return { memory, files: files.length, watches, children: children.length };
  }

  async end(signal: NodeJS.Signals = 'SIGINT'): Promise<Ended> {
    if (this.#child.exitCode === null) this.#child.kill(signal);
    return this.#ended;
  }
}

function watchesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').match(/^inotify wd:/gm) ?? [];
  } catch {
    // Closed meanwhile.
    return [];
  }
}
