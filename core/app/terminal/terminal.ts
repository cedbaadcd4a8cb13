/**
 * Where words for people go: a small view of an output stream, so that everything that prints can be tested without
 * one. Knows no colours and no layout.
 */
import type { Awaitable } from '../../base/awaitable.ts';

/** A place to write text to, and what is known of it. */
export interface Terminal {
  /** A promise is given back where very much waits to be read; whoever has much more to write waits for it. It never rejects. */
  write(text: string): Awaitable<void>;
  /** Width in cells, at least 1. May change between two reads. */
  readonly columns: number;
  /** Height in lines, at least 1. May change too. */
  readonly rows: number;
  /** Whether a person watches and lines can be redrawn. */
  readonly isTTY: boolean;
  /** Whether colours are wanted. */
  readonly colors: boolean;
}

/** The part of a Node stream that is used here. */
export interface OutputStream {
  write(text: string, done?: (error?: Error | null) => void): boolean;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  readonly isTTY?: boolean | undefined;
  /** What waits to be read, bytes. */
  readonly writableLength?: number | undefined;
}

/** Text that is held back no longer than until the end of the event turn, or until it has this length. */
const HELD = 1 << 15;
/** Where more than this waits to be read, writers are asked to wait, bytes. */
const MUCH = 1 << 20;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** Gathers what is written in one event turn into one system call: a thousand answered tasks are a few writes. */
export class StreamTerminal implements Terminal {
  readonly isTTY: boolean;
  readonly colors: boolean;
  readonly #stream: OutputStream;
  #held = '';
  #scheduled = false;
  #open = true;

  constructor(stream: OutputStream, colors: boolean) {
    this.#stream = stream;
    this.isTTY = stream.isTTY === true;
    this.colors = colors;
  }

  get columns(): number {
    return this.#stream.columns || DEFAULT_COLUMNS;
  }

  get rows(): number {
    return this.#stream.rows || DEFAULT_ROWS;
  }

  write(text: string): Awaitable<void> {
    if (!this.#open) return;
    this.#held += text;
    if (this.#held.length >= HELD) return this.#pass();
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        void this.#pass();
      });
    }
  }

  /** Resolves when everything written so far has left the process, or can no longer leave it. */
  flush(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    const text = this.#held;
    this.#held = '';
    return new Promise((resolve) => this.#stream.write(text, () => resolve()));
  }

  /** From now on everything is dropped: the reader is gone. False if that was known. */
  mute(): boolean {
    const wasOpen = this.#open;
    this.#open = false;
    this.#held = '';
    return wasOpen;
  }

  #pass(): Awaitable<void> {
    const text = this.#held;
    this.#held = '';
    if (text === '') return;
    if ((this.#stream.writableLength ?? 0) > MUCH)
      return new Promise((resolve) => this.#stream.write(text, () => resolve()));
    this.#stream.write(text);
  }
}

/** The same terminal with another opinion of colours. */
export function recolored(terminal: Terminal, colors: boolean): Terminal {
  return {
    write: (text) => terminal.write(text),
    get columns() {
      return terminal.columns;
    },
    get rows() {
      return terminal.rows;
    },
    isTTY: terminal.isTTY,
    colors,
  };
}
