/** Run as a process by the tests of the end of the process: `_ending.ts <how> `. */
import { writeSync } from 'node:fs';
import { argv, exit } from 'node:process';
import { onProcessEnd } from '../../core/store/process-end.ts';

const [how] = argv.slice(2);
const print = (text: string): void => void writeSync(1, `${text}\n`);

let work = 2;
onProcessEnd({
  idle() {
    print('idle');
    // What is begun here is waited for, and then it is told again.
    if (work-- > 0) setImmediate(() => print('worked'));
  },
  exit: () => print('exit'),
});
onProcessEnd({ idle: () => {}, exit: () => print('never') })();
process.on('exit', () => print('others'));
if (how === 'exit') exit(0);
if (how === 'throw') throw new Error('on purpose');
