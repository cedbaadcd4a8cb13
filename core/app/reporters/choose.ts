/** Which reporter fits: a program that reads, a person who watches, or a log. */
import type { Invocation } from '../cli/invocation.ts';
import type { Machine } from '../cli/verb.ts';
import { wantsLive } from '../terminal/style.ts';
import { jsonReporter } from './json.ts';
import { liveReporter } from './live.ts';
import { PlainReporter } from './plain.ts';
import { LOG_MODES, type Reporter, type ReportMode } from './reporter.ts';

/**
 * With `--json` standard output has JSON lines only; failures, and with `--log` what else that asks for, go to standard
 * error.
 */
export function reporterFor(invocation: Invocation, machine: Machine, mode: ReportMode): Reporter {
  const log = invocation.choice('log', LOG_MODES);
  if (invocation.flag('json')) {
    const beside = { log: log ?? 'quiet', mode, summary: log !== undefined };
    return both(jsonReporter(machine.stdout), new PlainReporter(machine.stderr, beside));
  }
  if (mode === 'run' && log !== 'quiet' && wantsLive(machine.env, machine.stdout.isTTY)) {
    return liveReporter(machine.stdout, machine.clock, log ?? 'grouped');
  }
  return new PlainReporter(machine.stdout, { log: log ?? 'grouped', mode, summary: true });
}

function both(first: Reporter, second: Reporter): Reporter {
  return {
    listener(event) {
      void first.listener(event);
      return second.listener(event);
    },
    drop(name) {
      first.drop(name);
      second.drop(name);
    },
    close() {
      first.close();
      second.close();
    },
  };
}
