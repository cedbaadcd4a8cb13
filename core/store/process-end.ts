/**
 * The end of the process, for those who have something to write by then. Told when nothing is left to do and when the
 * process exits, by itself or by `process.exit`; not when a signal ends it.
 */

export interface EndListener {
  /** Nothing is left to do: what is begun now is waited for. Told again if it was. */
  idle(): void;
  /** The last moment: what is not done at once is not done. */
  exit(): void;
}

const listeners = new Set<EndListener>();
let watching = false;

/** Tells a listener until the function it returns is called. */
export function onProcessEnd(listener: EndListener): () => void {
  listeners.add(listener);
  if (!watching) {
    watching = true;
    process.on('beforeExit', () => {
      for (const each of listeners) each.idle();
    });
    // Before all others: LMDB must not be used after the listeners that its package may have added.
    process.prependListener('exit', () => {
      for (const each of listeners) each.exit();
    });
  }
  return () => {
    listeners.delete(listener);
  };
}
