/**
 * The contract of a state store: what one workspace remembers about itself (file states, what a task wrote, recorded
 * durations). Nothing in it is an answer: losing it costs time, never correctness. Values are opaque bytes; `get` gives
 * the bytes that were put, and reports damage as absence.
 */
export interface StateStore {
  get(name: string): Uint8Array | undefined;
  put(name: string, bytes: Uint8Array): void;
  delete(name: string): void;
  /** Names that begin with `prefix`, sorted. */
  names(prefix: string): Iterable<string>;
  flush(): void;
}
