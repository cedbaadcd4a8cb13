/** For programs: one JSON object a line, one for every task as it is over, the summary last. Nothing else is printed. */
import type { Terminal } from '../terminal/terminal.ts';
import type { Reporter } from './reporter.ts';

export function jsonReporter(terminal: Terminal): Reporter {
  return {
    listener(event) {
      if (event.type === 'done') terminal.write(`${JSON.stringify(event.outcome)}\n`);
      else if (event.type === 'end') terminal.write(`${JSON.stringify(event.summary)}\n`);
    },
    drop: () => {},
    close: () => {},
  };
}
