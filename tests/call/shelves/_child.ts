/** Run as a process of its own: `_child.ts <what> <folder> …`. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { argv, exit } from 'node:process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LocalCache } from '../../../core/call/caches/local-cache.ts';
import { cache } from '../../../core/call/context.ts';
import { fleche } from '../../../core/call/memo/fleche.ts';
import { manager } from '../../../core/call/shelves/manager.ts';
import { edit } from './_steps.ts';

const [what, dir = '', ...rest] = argv.slice(2);
const print = (text: string): void => void writeSync(1, `${text}\n`);
const desk = manager('test', { dir, onError: (error) => print(`error ${String(error)}`) });
const [first = '', second = ''] = rest;

switch (what) {
  /** Edits and saves without end, and says when a save is done. */
  case 'edit': {
    const shelf = desk.shelf<string, unknown>('a');
    for (const count of edit(shelf, Number(first))) {
      await shelf.save();
      print(String(count));
    }
    break;
  }
  /** Writes keys of its own, each saved by itself, between turns of the event loop. */
  case 'write': {
    const shelf = desk.shelf<string, number>('a');
    for (let at = 0; at < Number(second); at++) {
      await shelf.set(`${first} ${at}`, at).save();
      await nextTurn();
    }
    await desk.close();
    print(`${shelf.conflicts} conflicts`);
    break;
  }
  /** Sets something and ends in one way or another, without saving. */
  case 'end': {
    const isSlow = second === 'slow';
    const transform = {
      encode: isSlow ? async (value: unknown) => value : (value: unknown) => value,
      decode: (value: unknown) => value,
    };
    desk.shelf<string, unknown, unknown>('a', { transform }).set('k', first);
    if (first === 'exit') exit(0);
    if (first === 'throw') throw new Error('on purpose');
    break;
  }
  /** Sets a price, if one is given, and asks twice for a total made of it, in a cache beside the shelves. */
  case 'total': {
    const prices = desk.shelf<string, number>('prices');
    if (first !== '') prices.set('apple', Number(first));
    const total = fleche(
      (count: number) => {
        writeSync(1, 'made ');
        return count * (prices.get('apple') ?? 0);
      },
      { name: 'total', dependsOn: [prices] },
    );
    const store = new LocalCache(join(dir, 'cache'));
    cache(store, () => print(`${total(3)} ${total(3)}`));
    await store.close();
    await desk.close();
    break;
  }
  case 'invalidate':
    await desk.shelf(first).invalidate();
    await desk.close();
    break;
}
