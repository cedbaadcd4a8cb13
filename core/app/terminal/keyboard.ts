/** What a person types, where standard input is a terminal: single keys, or a line. */

/** The part of a Node stream that is used here. */
export interface InputStream {
  readonly isTTY?: boolean | undefined;
  setRawMode?(isRaw: boolean): unknown;
  setEncoding(encoding: 'utf8'): unknown;
  on(event: 'data' | 'end', listener: (text: string) => void): unknown;
  off(event: 'data' | 'end', listener: (text: string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** How a process is stopped for a while and goes on, where the system knows that. */
export interface JobControl {
  /** Stops the process, and those of its group, as Ctrl-Z does. */
  stop(): void;
  onContinue(listener: () => void): void;
}

interface KeyListener {
  pressed(key: string): void;
  /** The process is about to be stopped; what is written now still reaches the terminal. */
  suspended?(): void;
  /** It goes on; in between others may have had the terminal. */
  resumed?(): void;
}

export interface Keyboard {
  /**
   * Tells each key from now on, until the returned function is called. The terminal neither shows keys nor turns Ctrl-C
   * (`\u0003`) into a signal meanwhile; Ctrl-Z stops the process as ever. Undefined where nobody can press keys.
   */
  listen(listener: KeyListener): (() => void) | undefined;
  /**
   * The line that is typed next, shown and edited by the terminal as ever, Ctrl-C a signal; `undefined` in the promise at
   * the end of input or when `signal` is aborted. Undefined where nobody can type.
   */
  line(signal: AbortSignal): Promise<string | undefined> | undefined;
}

const CTRL_Z = '\u001a';

/** `input` is asked for the stream when somebody listens, for to have it costs time. */
export function keyboardOf(input: () => InputStream, jobControl: JobControl | undefined): Keyboard {
  return {
    listen(listener) {
      const stream = input();
      if (stream.isTTY !== true || stream.setRawMode === undefined) return undefined;
      const suspend = ({ stop }: JobControl): void => {
        listener.suspended?.();
        // What is written in this turn leaves the process at its end.
        setImmediate(() => {
          stream.setRawMode?.(false);
          stop();
        });
      };
      const onData = (text: string): void => {
        for (const key of text) {
          if (key === CTRL_Z && jobControl !== undefined) suspend(jobControl);
          else listener.pressed(key);
        }
      };
      let isListening = true;
      // The shell has given the terminal the modes that it had before.
      jobControl?.onContinue(() => {
        if (!isListening) return;
        stream.setRawMode?.(true);
        listener.resumed?.();
      });
      stream.setRawMode(true);
      stream.setEncoding('utf8');
      stream.on('data', onData);
      stream.resume();
      return () => {
        isListening = false;
        stream.off('data', onData);
        stream.pause();
        stream.setRawMode?.(false);
      };
    },
    line(signal) {
      const stream = input();
      return stream.isTTY === true ? lineFrom(stream, signal) : undefined;
    },
  };
}

async function lineFrom(stream: InputStream, signal: AbortSignal): Promise<string | undefined> {
  let typed = '';
  let stop = (): void => {};
  const over = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const onData = (text: string): void => {
    typed += text;
    if (typed.includes('\n')) stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  stream.setEncoding('utf8');
  stream.on('data', onData);
  stream.on('end', stop);
  stream.resume();
  if (!signal.aborted) await over;
  stream.off('data', onData);
  stream.off('end', stop);
  signal.removeEventListener('abort', stop);
  stream.pause();
  const end = typed.search(/\r?\n/);
  return end < 0 ? undefined : typed.slice(0, end);
}
