/**
 * From words on the command line to an exit code: reads them, shows help, calls the verb, shows what it throws. All it
 * knows of the process is the `Machine` it is given.
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FlecheError } from '../../base/errors.ts';
import { type ColorMode, styleFor, wantsColors } from '../terminal/style.ts';
import { recolored, type Terminal } from '../terminal/terminal.ts';
import { harmless } from '../terminal/text.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { type Invocation, parseInvocation } from './invocation.ts';
import type { Machine, VerbSpec } from './verb.ts';
import { VERBS } from './verbs.ts';

/** Does what `argv`, the words after `fleche`, ask for. Never rejects. */
export async function runCli(
  argv: readonly string[],
  machine: Machine,
  verbs: readonly VerbSpec[] = VERBS,
): Promise<number> {
  let seen = machine;
  try {
    const invocation = parseInvocation(argv, verbs);
    seen = asWished(machine, invocation);
    return await call(invocation, seen, verbs);
  } catch (error) {
    const { showFailure } = await import('./show-failure.ts');
    showFailure(error, seen, argv.includes('--json'));
    return seen.interruption.code ?? exitCodeOf(error);
  }
}

async function call(invocation: Invocation, machine: Machine, verbs: readonly VerbSpec[]): Promise<number> {
  const verb = verbs.find(({ name }) => name === invocation.verb);
  if (invocation.flag('version')) {
    machine.stdout.write(`${machine.version}\n`);
    return EXIT.done;
  }
  if (verb === undefined || invocation.flag('help')) {
    const { helpText } = await import('./help.ts');
    const { stdout } = machine;
    stdout.write(helpText(verbs, verb, styleFor(stdout), stdout.isTTY ? stdout.columns : undefined));
    return EXIT.done;
  }
  const action = await verb.load();
  const { cwd, stderr } = machine;
  return action({
    invocation,
    machine,
    open: async (
      warn = (message) => stderr.write(`${styleFor(stderr).yellow('warning')}: ${harmless(message)}\n`),
      env = machine.env,
    ) => {
      const { openProject } = await import('../project.ts');
      machine.settled?.(verb.name);
      return openProject({
        cwd,
        env,
        warn,
        config: invocation.text('config'),
        strict: invocation.flag('strict'),
        isHurried: () => machine.interruption.code !== undefined,
      });
    },
  });
}

/** The machine with the folder and the colours that were asked for. */
function asWished(machine: Machine, invocation: Invocation): Machine {
  const mode: ColorMode = invocation.flag('no-color')
    ? 'never'
    : (invocation.choice('color', ['always', 'never']) ?? 'auto');
  const colored = (terminal: Terminal): Terminal =>
    mode === 'auto' ? terminal : recolored(terminal, wantsColors(mode, machine.env, terminal.isTTY));
  return {
    ...machine,
    cwd: folder(machine.cwd, invocation.text('cwd')),
    stdout: colored(machine.stdout),
    stderr: colored(machine.stderr),
  };
}

function folder(cwd: string, wish: string | undefined): string {
  if (wish === undefined) return cwd;
  const path = resolve(cwd, wish);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw new FlecheError('USAGE', `--cwd: "${wish}" is not a folder`, { hint: 'Name a folder that exists.' });
}
