/**
 * A shell with job control in a pseudo terminal of its own, as a person has one. Python makes the terminal, or, where there
 * is none, the program `script`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

import { until } from './_rig.ts';

/** What has not been seen by then never is, ms. */
const LOST = 20_000;
const SHELL = 'bash --norc --noprofile -i';

const MAKERS: readonly (readonly [string, ...string[]])[] = [
  ['python3', '-c', `import pty, sys; sys.exit(pty.spawn(${JSON.stringify(SHELL.split(' '))}))`],
  ['script', '-qfec', SHELL, '/dev/null'],
];

/** How a terminal can be made here; undefined, which is said, if there is no way. */
export function terminalMaker(): readonly [string, ...string[]] | undefined {
  const found = MAKERS.find(([program, ...args]) => {
    const test = spawnSync(program, args, { input: 'tty && echo ye""s\nexit\n', encoding: 'utf8', timeout: 10_000 });
    return test.stdout?.includes('yes') === true;
  });
  if (found === undefined)
    console.log('\n*** no pseudo terminal can be made here (python3, script): keys are NOT tested ***');
  return found;
}

export class ShellInTerminal {
  readonly #child: ChildProcess;
  /** All that came to the screen. */
  #text = '';
  #seen = 0;
  #wake: () => void = () => {};

  constructor([program, ...args]: readonly [string, ...string[]], cwd: string, env: NodeJS.ProcessEnv) {
    this.#child = spawn(program, args, {
      cwd,
      env: { ...env, TERM: 'xterm', HISTFILE: '' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
      this.#wake();
    });
    // As text that is typed the prompt looks otherwise.
    this.press(`PS1='rea''dy$ '\r`);
  }

  get text(): string {
    return this.#text;
  }

  /** Presses keys; `\r` is the one that ends a line. */
  press(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Waits for a text after the last one that was seen, and gives what came up to its end. */
  sees(wanted: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = wanted.exec(this.#text.slice(this.#seen));
        if (found === null) return;
        clearTimeout(timer);
        this.#wake = () => {};
        const from = this.#seen;
        this.#seen += found.index + found[0].length;
        resolve(this.#text.slice(from, this.#seen));
      };
      const timer = setTimeout(() => {
        reject(new Error(`waited in vain for ${wanted}; there came\n${JSON.stringify(this.#text.slice(this.#seen))}`));
      }, LOST);
      this.#wake = look;
      look();
    });
  }

  /** Waits until all these texts came, in any order; what came up to then is seen. */
  async seesAll(...wanted: readonly RegExp[]): Promise<void> {
    await until(() => wanted.every((one) => one.test(this.#text)), `${wanted.join(' and ')} in ${this.#text}`);
    this.#seen = this.#text.length;
  }

  /** Has the shell do something; gives what that printed. */
  async does(command: string): Promise<string> {
    this.press(`${command}; echo "do"ne\r`);
    return this.sees(/done\r?\n/);
  }

  /** Whether keys are shown and lines edited, as in any shell. */
  async isOrdinary(): Promise<boolean> {
    const modes = await this.does('stty -a < /dev/tty');
    return /[^-]icanon/.test(modes) && /[^-]isig/.test(modes) && /[^-]echo /.test(modes);
  }

  /** Takes the terminal away from all who have it. */
  close(): void {
    this.#child.kill('SIGKILL');
  }

  async end(): Promise<void> {
    if (this.#child.killed) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin?.end('\rexit\rexit\r');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(timer);
  }
}
