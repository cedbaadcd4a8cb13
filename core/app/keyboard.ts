/** Single keys that a person presses, where standard input is a terminal. */

/** The part of a Node stream that is used here. */
export interface InputStream {
  readonly isTTY?: boolean | undefined;
  setRawMode?(isRaw: boolean): unknown;
  setEncoding(encoding: 'utf8'): unknown;
  on(event: 'data', listener: (text: string) => void): unknown;
  off(event: 'data', listener: (text: string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

export interface Keyboard {
  /**
   * Tells each key from now on, until the returned function is called. The terminal neither shows keys nor turns Ctrl-C
   * (`\u0003`) into a signal meanwhile. Undefined where nobody can press keys.
   */
  listen(onKey: (key: string) => void): (() => void) | undefined;
}

/** `input` is asked for the stream when somebody listens, for to have it costs time. */
export function keyboardOf(input: () => InputStream): Keyboard {
  return {
    listen(onKey) {
      const stream = input();
      if (stream.isTTY !== true || stream.setRawMode === undefined) return undefined;
      const onData = (text: string): void => {
        for (const key of text) onKey(key);
      };
      stream.setRawMode(true);
      stream.setEncoding('utf8');
      stream.on('data', onData);
      stream.resume();
      return () => {
        stream.off('data', onData);
        stream.pause();
        stream.setRawMode?.(false);
      };
    },
  };
}
